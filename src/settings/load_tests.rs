//! Which files are read, played in a folder of its own.

use std::fs;

use super::{Environment, Sources, load};
use crate::settings::{LogFormat, SettingsError};

fn variables(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect()
}

#[test]
fn the_program_alone_knows_every_environment() {
    let named = |name| Sources { variables: variables(&[("KITH_ENV", name)]), ..Sources::default() };
    let format = |sources| load(&sources).unwrap().settings.log.format;
    assert_eq!(format(Sources::default()), LogFormat::Pretty);
    assert_eq!(format(named("")), LogFormat::Pretty);
    assert_eq!(format(named("local")), LogFormat::Pretty);
    assert_eq!(format(named("production")), LogFormat::Json);
    let error = load(&named("prod")).unwrap_err();
    assert_eq!(error.to_string(), "KITH_ENV is \"prod\", but must be local, test or production");
}

#[test]
fn a_folder_takes_the_place_of_the_built_in_files_one_by_one() {
    let folder = tempfile::tempdir().unwrap();
    let mut sources = Sources { folder: Some(folder.path().to_owned()), ..Sources::default() };
    load(&sources).unwrap();

    fs::write(folder.path().join("base.yaml"), "server: {name: attic}\nlog: {level: debug}").unwrap();
    let settings = load(&sources).unwrap().settings;
    assert_eq!((settings.server.name.as_str(), settings.log.level.as_str()), ("attic", "info"));

    fs::write(folder.path().join("local.yaml"), "server: {data_dir: there}").unwrap();
    let loaded = load(&sources).unwrap();
    assert_eq!(
        (loaded.settings.server.name.as_str(), loaded.settings.log.level.as_str()),
        ("attic", "debug")
    );
    assert!(loaded.origin("server.data_dir").unwrap().label().ends_with("local.yaml"));

    let other = tempfile::tempdir().unwrap();
    sources.variables = variables(&[("KITH_SETTINGS_DIR", other.path().to_str().unwrap())]);
    assert!(matches!(
        load(&sources).unwrap_err(),
        SettingsError::EmptyFolder { environment: Environment::Local, .. }
    ));
    fs::write(other.path().join("base.yaml"), "server: {name: cellar}").unwrap();
    assert_eq!(load(&sources).unwrap().settings.server.name, "cellar");
}

#[test]
fn a_file_that_was_asked_for_must_be_there_and_wins_over_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mine.yaml");
    let sources = Sources {
        folder: Some("settings".into()),
        file: Some(path.clone()),
        variables: variables(&[("KITH__LOG__FORMAT", "json")]),
        overrides: variables(&[("log.level", "trace")]),
    };
    assert!(matches!(load(&sources).unwrap_err(), SettingsError::File { .. }));
    fs::write(&path, "server: {name: mine}\nlog: {format: pretty, level: warn}").unwrap();
    let settings = load(&sources).unwrap().settings;
    assert_eq!(settings.server.name, "mine");
    assert_eq!(settings.log.format, LogFormat::Json);
    assert_eq!(settings.log.level, "trace");
}
