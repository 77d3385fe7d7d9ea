//! What each layer may say, and how it is told what is wrong.

use std::path::PathBuf;

use super::{Layers, Loaded, Origin, SettingsError};
use crate::domain::limits::Limits;
use crate::settings::{Admit, Environment};

fn file(text: &str) -> Result<Loaded, SettingsError> {
    let mut layers = Layers::base()?;
    layers.yaml(text, &Origin::File(PathBuf::from("kith.yaml")))?;
    layers.finish()
}

fn variables(variables: &[(&str, &str)]) -> Result<Loaded, SettingsError> {
    let mut layers = Layers::base()?;
    layers.variables(variables.iter().map(|(name, value)| (name.to_string(), value.to_string())))?;
    layers.finish()
}

fn complaint(result: Result<Loaded, SettingsError>) -> String {
    result.map_or_else(|error| error.to_string(), |loaded| panic!("accepted: {loaded:?}"))
}

#[test]
fn the_defaults_are_the_limits_of_the_domain() {
    let loaded = Layers::base().and_then(Layers::finish).unwrap();
    assert_eq!(loaded.settings.limits, Limits::default());
}

#[test]
fn base_names_every_key_of_the_types_and_no_other() {
    let loaded = Layers::base().and_then(Layers::finish).unwrap();
    let tree = serde_json::to_value(&loaded.settings).unwrap();
    let mut keys: Vec<String> = Vec::new();
    for (section, values) in tree.as_object().unwrap() {
        keys.extend(values.as_object().unwrap().keys().map(|key| format!("{section}.{key}")));
    }
    keys.sort();
    let known: Vec<String> = loaded.origins.keys().cloned().collect();
    assert_eq!(keys, known);
}

#[test]
fn every_built_in_environment_is_accepted() {
    for environment in Environment::ALL {
        let mut layers = Layers::base().unwrap();
        layers.yaml(environment.embedded(), &Origin::Environment(environment)).unwrap();
        let settings = layers.finish().unwrap().settings;
        assert!(settings.listen.admin.ip().is_loopback(), "{environment}: the admin door is open");
        assert_eq!(settings.debug.faults, environment == Environment::Test);
        assert!(!settings.debug.echo, "{environment}");
        let house = settings.neighbourhood;
        let strict = environment == Environment::Production;
        assert_eq!((house.admit == Admit::Known, house.legacy), (strict, !strict), "{environment}");
        assert!(!house.unsigned && !house.introduce && house.peers.is_empty(), "{environment}");
    }
}

#[test]
fn later_layers_win_and_are_named() {
    let mut layers = Layers::base().unwrap();
    layers
        .yaml("limits: {connections: 1, queue_bytes: 2000000, drain_s: 0}", &Origin::File("a".into()))
        .unwrap();
    layers.yaml("server:\nlimits: {connections: 2}", &Origin::File("b".into())).unwrap();
    layers.variables([("KITH__LIMITS__QUEUE_BYTES".to_owned(), " 3000000 ".to_owned())]).unwrap();
    layers.overrides(&[("server.name".to_owned(), "attic, left".to_owned())]).unwrap();
    let loaded = layers.finish().unwrap();
    assert_eq!(loaded.settings.limits.connections, 2);
    assert_eq!(loaded.settings.limits.queue_bytes, 3_000_000);
    assert_eq!(loaded.settings.limits.drain_s, 0);
    assert_eq!(loaded.settings.server.name, "attic, left");
    let origin = |key: &str| loaded.origin(key).unwrap().label();
    assert_eq!(origin("limits.connections"), "b");
    assert_eq!(origin("limits.drain_s"), "a");
    assert_eq!(origin("limits.queue_bytes"), "KITH__LIMITS__QUEUE_BYTES");
    assert_eq!(origin("server.name"), "command line");
    assert_eq!(origin("log.level"), "base");
}

#[test]
fn what_is_printed_can_be_read_back() {
    let loaded = variables(&[
        ("KITH__SERVER__NAME", "it's \"home\": # 1"),
        ("KITH__LISTEN__ALLOWED_ORIGINS", "https://a.example, https://b.example:81,"),
        ("KITH__LISTEN__TRUSTED_PROXIES", "10.0.0.1,::1"),
        ("KITH__LISTEN__DIALECT", "olaf"),
        ("KITH__NEIGHBOURHOOD__PEERS", "ws://10.0.0.2:8080, wss://b.example dialect=olaf key=MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE= name=b"),
    ])
    .unwrap();
    let text = loaded.describe();
    assert!(text.contains("  connections: 16384   # base\n"), "{text}");
    assert!(text.contains("  dialect: \"olaf\"   # KITH__LISTEN__DIALECT\n"), "{text}");
    assert_eq!(file(&text).unwrap().settings, loaded.settings);
    assert_eq!(loaded.settings.listen.trusted_proxies.len(), 2);
    let peers = loaded.settings.neighbourhood.peers;
    assert_eq!(peers[0].to_string(), "ws://10.0.0.2:8080");
    assert_eq!(peers[1].key.as_deref(), Some("MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="));
}

#[test]
fn unknown_keys_are_refused_wherever_they_stand() {
    assert_eq!(
        complaint(variables(&[("KITH__LIMITS__CONECTIONS", "1")])),
        "unknown setting \"limits.conections\" in environment variable KITH__LIMITS__CONECTIONS; \
         did you mean \"limits.connections\"?"
    );
    assert!(
        complaint(file("listen: {port: 80}")).starts_with("unknown setting \"listen.port\" in kith.yaml")
    );
    assert!(complaint(file("lisen:")).starts_with("unknown setting \"lisen\" in kith.yaml"));
    assert!(complaint(file("limits: {connections: {most: 5}}")).contains("\"limits.connections.most\""));
    let mut layers = Layers::base().unwrap();
    let error = layers.overrides(&[("name".to_owned(), "x".to_owned())]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "unknown setting \"name\" on the command line; did you mean \"server.name\"?"
    );
}

#[test]
fn wrong_types_name_key_and_place() {
    for (text, expected) in [
        (
            "limits: {connections: many}",
            "setting \"limits.connections\" in kith.yaml must be a whole number, but is the text \"many\"",
        ),
        ("limits: {connections: 1.5}", "must be a whole number, but is the number 1.5"),
        ("limits: {connections: }", "must be a whole number, but is nothing"),
        ("limits: 5", "setting \"limits\" in kith.yaml must be a section"),
        ("limits: {connections: -1}", "setting \"limits.connections\" in kith.yaml is not usable"),
        ("limits: {connections: 4294967296}", "setting \"limits.connections\" in kith.yaml is not usable"),
        ("server: {name: 7}", "must be text"),
        ("olaf: {detect_accents: 1}", "must be true or false, but is the number 1"),
        ("socp: {detect_accents: 1}", "must be true or false, but is the number 1"),
        ("listen: {allowed_origins: all}", "must be a list of texts"),
        ("listen: {allowed_origins: [1]}", "must be a list of texts"),
        ("listen: {main: localhost}", "setting \"listen.main\" in kith.yaml is not usable"),
        ("listen: {dialect: irc}", "choose one of any, olaf"),
        ("listen: {trusted_proxies: [::1, here]}", "setting \"listen.trusted_proxies[1]\" in kith.yaml"),
        (
            "neighbourhood: {peers: [\"ws://a\", \"ws://b colour=blue\"]}",
            "setting \"neighbourhood.peers[1]\" in kith.yaml is not usable: unknown word \"colour\"",
        ),
        ("neighbourhood: {peers: [http://a]}", "must begin with ws:// or wss://"),
        ("neighbourhood: {peers: ws://a}", "must be a list of texts"),
        ("neighbourhood: {admit: friends}", "setting \"neighbourhood.admit\" in kith.yaml is not usable"),
        ("log: {format: xml}", "setting \"log.format\" in kith.yaml is not usable"),
        ("- a\n- b", "the settings in kith.yaml cannot be read as yaml"),
        ("a: [", "the settings in kith.yaml cannot be read as yaml"),
    ] {
        let complaint = complaint(file(text));
        assert!(complaint.contains(expected), "{text}\n{complaint}");
    }
    assert_eq!(
        complaint(variables(&[("KITH__DEBUG__FAULTS", "perhaps")])),
        "setting \"debug.faults\" in environment variable KITH__DEBUG__FAULTS must be true or false, \
         but is the text \"perhaps\""
    );
}

#[test]
fn values_that_contradict_each_other_are_refused() {
    for (text, expected) in [
        ("limits: {connections: 0}", "setting \"limits.connections\" in kith.yaml makes no sense"),
        ("limits: {ping_interval_s: 40}", "it is 40, but must be less than limits.silence_timeout_s"),
        ("limits: {silence_timeout_s: 20}", "\"limits.ping_interval_s\" in the built-in base.yaml"),
        ("limits: {frames_per_second: 201}", "at most limits.frames_burst"),
        ("limits: {bytes_burst: 1}", "at most limits.bytes_burst"),
        ("limits: {queue_bytes: 1000}", "at most limits.queue_bytes"),
        ("limits: {peer_message_bytes: 1048576}", "less than limits.peer_message_bytes"),
        ("limits: {peer_queue_bytes: 4194303}", "at most limits.peer_queue_bytes"),
        ("limits: {peer_frames_burst: 1}", "at most limits.peer_frames_burst"),
        ("limits: {peer_bytes_burst: 1}", "at most limits.peer_bytes_burst"),
        ("limits: {peer_silence_s: 10}", "less than half of limits.peer_silence_s"),
        ("limits: {peer_members: 0}", "limits.peer_members"),
        ("neighbourhood: {peers: [ws://a:80/, \"ws://A name=n\"]}", "\"ws://A\" stands there twice"),
        ("neighbourhood: {peers: [ws://a/x, ws://a/y]}", "two of them are known as \"a:80\""),
        ("{neighbourhood: {peers: [ws://a]}, limits: {peers: 0}}", "than limits.peers allows"),
        ("neighbourhood: {unsigned: true}", "neighbourhood.legacy refuses those"),
        ("limits: {upload_total_bytes: 1}", "limits.upload_total_bytes"),
        ("server: {name: \" \"}", "a server needs a name"),
        ("server: {public_url: chat.example}", "http://"),
        ("server: {data_dir: \"\"}", "folder"),
        ("log: {level: \"\"}", "log.level"),
        ("listen: {admin: 127.0.0.1:8080}", "same door"),
        ("listen: {tpacket: 127.0.0.1:9090}", "same door"),
        ("listen: {socp: 127.0.0.1:4711, tpacket: 127.0.0.1:4711}", "same door"),
        ("listen: {tls_key: k.pem}", "\"listen.tls_certificate\""),
        ("listen: {tls_certificate: c.pem}", "\"listen.tls_key\""),
        ("listen: {allowed_origins: [chat.example]}", "is no origin"),
        ("listen: {allowed_origins: [https://chat.example/]}", "is no origin"),
    ] {
        let complaint = complaint(file(text));
        assert!(complaint.contains("makes no sense") && complaint.contains(expected), "{text}\n{complaint}");
    }
    file("limits: {peers: 0, peer_silence_s: 11}").unwrap();
    file("neighbourhood: {peers: [ws://a/x address=x, ws://a/y address=y]}").unwrap();
    file("listen: {allowed_origins: [\"*\", https://chat.example]}").unwrap();
}

#[test]
fn strange_variables_and_empty_files_are_passed_over() {
    variables(&[("KITH_ENV", "x"), ("PATH", "/bin"), ("KITH", ""), ("KITHING__X", "y")]).unwrap();
    for empty in ["", "# nothing here\n", "limits:\n"] {
        file(empty).unwrap();
    }
}
