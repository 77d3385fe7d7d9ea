//! Collecting the layers: which files are read, and in which order they are put down.
//!
//! The variables come in as values, so that a test can play any environment without touching the one
//! of its process.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::environment::Environment;
use super::error::{Origin, SettingsError};
use super::layers::Layers;
use super::loaded::Loaded;

/// Where settings are looked for. The default looks nowhere but inside the program.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    /// The environment variables.
    pub variables: Vec<(String, String)>,
    /// A folder that is read if it holds settings, unless `KITH_SETTINGS_DIR` names another.
    pub folder: Option<PathBuf>,
    /// A file that must be there.
    pub file: Option<PathBuf>,
    /// Dotted keys and values of the command line.
    pub overrides: Vec<(String, String)>,
}

impl Sources {
    /// What a program started by a person looks at: its variables and the folder `./settings`.
    ///
    /// Variables that are not Unicode are passed over: none of ours can be.
    #[must_use]
    pub fn of_process(file: Option<PathBuf>, overrides: Vec<(String, String)>) -> Self {
        let text = |text: std::ffi::OsString| text.into_string().ok();
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((text(name)?, text(value)?))).collect();
        Self { variables, folder: Some(PathBuf::from("settings")), file, overrides }
    }

    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.variables.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str()).filter(|value| !value.is_empty())
    }
}

/// Reads all layers and puts them together.
///
/// # Errors
///
/// Whatever is unknown, unreadable or contradicts itself is refused, naming the key and its origin.
pub fn load(sources: &Sources) -> Result<Loaded, SettingsError> {
    let environment = match sources.variable("KITH_ENV") {
        None => Environment::default(),
        Some(name) => {
            Environment::from_name(name).ok_or_else(|| SettingsError::UnknownEnvironment(name.to_owned()))?
        }
    };
    let demanded = sources.variable("KITH_SETTINGS_DIR").map(Path::new);
    let folder = demanded.or(sources.folder.as_deref());
    let own = |name: &str| folder.map_or(Ok(None), |folder| read_if_there(&folder.join(name)));
    let base = own("base.yaml")?;
    let special = own(&format!("{environment}.yaml"))?;
    if let (Some(path), None, None) = (demanded, &base, &special) {
        return Err(SettingsError::EmptyFolder { path: path.to_owned(), environment });
    }

    let mut layers = Layers::base()?;
    if let Some((path, text)) = base {
        layers.yaml(&text, &Origin::File(path))?;
    }
    match special {
        Some((path, text)) => layers.yaml(&text, &Origin::File(path))?,
        None => layers.yaml(environment.embedded(), &Origin::Environment(environment))?,
    }
    if let Some(path) = &sources.file {
        let text =
            fs::read_to_string(path).map_err(|error| SettingsError::File { path: path.clone(), error })?;
        layers.yaml(&text, &Origin::File(path.clone()))?;
    }
    layers.variables(sources.variables.iter().cloned())?;
    layers.overrides(&sources.overrides)?;
    layers.finish()
}

fn read_if_there(path: &Path) -> Result<Option<(PathBuf, String)>, SettingsError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some((path.to_owned(), text))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(SettingsError::File { path: path.to_owned(), error }),
    }
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
