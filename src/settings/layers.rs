//! Putting the layers together: text and variables in, typed settings out.
//!
//! Each value is checked against the list of known keys as it comes in, while it is still known where
//! it came from. This module is pure: files are read and variables are collected elsewhere.

use std::collections::BTreeMap;

use config::{Config, ConfigError, File, FileFormat, Source as _, Value, ValueKind};

use super::check;
use super::environment::BASE;
use super::error::{Origin, SettingsError};
use super::loaded::Loaded;
use super::unknown::nearest;
use super::values::Settings;

/// What variables of the environment that are settings begin with.
const PREFIX: &str = "KITH__";

/// The type of a key, as its default in `base.yaml` shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Switch,
    Number,
    Text,
    List,
}

/// The layers put down so far.
#[derive(Debug)]
pub(super) struct Layers {
    known: BTreeMap<String, Kind>,
    values: BTreeMap<String, (Value, Origin)>,
}

impl Layers {
    /// The bottom layer: every key with its default.
    pub(super) fn base() -> Result<Self, SettingsError> {
        let mut layers = Self { known: BTreeMap::new(), values: BTreeMap::new() };
        for (key, value) in flatten(BASE, &Origin::Base)? {
            let kind = match &value.kind {
                ValueKind::Boolean(_) => Kind::Switch,
                ValueKind::I64(_) => Kind::Number,
                ValueKind::String(_) => Kind::Text,
                ValueKind::Array(_) => Kind::List,
                other => return Err(SettingsError::Inconsistent(format!("{key} is {}", describe(other)))),
            };
            layers.known.insert(key.clone(), kind);
            layers.values.insert(key, (value, Origin::Base));
        }
        Ok(layers)
    }

    /// A layer of YAML text.
    pub(super) fn yaml(&mut self, text: &str, origin: &Origin) -> Result<(), SettingsError> {
        for (key, value) in flatten(text, origin)? {
            let Some(kind) = self.known.get(&key) else {
                if self.is_empty_section(&key, &value.kind) {
                    continue;
                }
                return Err(self.unknown(key, origin.clone(), &value.kind));
            };
            let expected = expectation(*kind);
            let fits = match (kind, &value.kind) {
                (Kind::Switch, ValueKind::Boolean(_))
                | (Kind::Number, ValueKind::I64(_))
                | (Kind::Text, ValueKind::String(_)) => true,
                (Kind::List, ValueKind::Array(items)) => {
                    items.iter().all(|item| matches!(item.kind, ValueKind::String(_)))
                }
                _ => false,
            };
            if !fits {
                let found = describe(&value.kind);
                return Err(SettingsError::WrongType { key, origin: origin.clone(), expected, found });
            }
            self.values.insert(key, (value, origin.clone()));
        }
        Ok(())
    }

    /// The layer of environment variables. Those that are no settings of ours are passed over.
    pub(super) fn variables(
        &mut self,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<(), SettingsError> {
        for (name, text) in variables {
            if let Some(path) = name.strip_prefix(PREFIX) {
                let key = path.to_lowercase().replace("__", ".");
                self.text(key, &text, Origin::Variable(name))?;
            }
        }
        Ok(())
    }

    /// The layer of the command line: dotted keys and their values as text.
    pub(super) fn overrides(&mut self, overrides: &[(String, String)]) -> Result<(), SettingsError> {
        overrides.iter().try_for_each(|(key, text)| self.text(key.clone(), text, Origin::CommandLine))
    }

    /// The settings in force, if they can be read and make sense together.
    pub(super) fn finish(self) -> Result<Loaded, SettingsError> {
        let settings = self.typed().map_err(|error| self.name_the_culprit(&error))?;
        let origins: BTreeMap<_, _> =
            self.values.into_iter().map(|(key, (_, origin))| (key, origin)).collect();
        if let Err(nonsense) = check::sense(&settings) {
            let origin = origins.get(nonsense.key).cloned().unwrap_or(Origin::Base);
            return Err(SettingsError::Senseless {
                key: nonsense.key.to_owned(),
                origin,
                problem: nonsense.problem,
            });
        }
        Ok(Loaded { settings, origins })
    }

    fn typed(&self) -> Result<Settings, ConfigError> {
        let mut builder = Config::builder();
        for (key, (value, _)) in &self.values {
            builder = builder.set_override(key, value.clone())?;
        }
        builder.build()?.try_deserialize()
    }

    fn text(&mut self, key: String, text: &str, origin: Origin) -> Result<(), SettingsError> {
        let Some(kind) = self.known.get(&key) else {
            return Err(self.unknown(key, origin, &ValueKind::String(text.to_owned())));
        };
        let value = match kind {
            Kind::Switch => text.trim().parse().ok().map(ValueKind::Boolean),
            Kind::Number => text.trim().parse().ok().map(ValueKind::I64),
            Kind::Text => Some(ValueKind::String(text.to_owned())),
            Kind::List => Some(ValueKind::Array(split(text))),
        };
        let Some(value) = value else {
            let (expected, found) = (expectation(*kind), describe(&ValueKind::String(text.to_owned())));
            return Err(SettingsError::WrongType { key, origin, expected, found });
        };
        self.values.insert(key, (Value::new(None, value), origin));
        Ok(())
    }

    fn is_section(&self, key: &str) -> bool {
        self.known.keys().any(|known| known.split_once('.').is_some_and(|(section, _)| section == key))
    }

    fn is_empty_section(&self, key: &str, value: &ValueKind) -> bool {
        let empty = match value {
            ValueKind::Nil => true,
            ValueKind::Table(table) => table.is_empty(),
            _ => false,
        };
        empty && self.is_section(key)
    }

    fn unknown(&self, key: String, origin: Origin, value: &ValueKind) -> SettingsError {
        if self.is_section(&key) {
            return SettingsError::WrongType {
                key,
                origin,
                expected: "a section with keys of its own",
                found: describe(value),
            };
        }
        let nearest = nearest(&key, self.known.keys().map(String::as_str));
        SettingsError::Unknown { key, origin, nearest }
    }

    /// Finds the key, and with it the origin, of a value that is of the right type but unreadable.
    fn name_the_culprit(&self, error: &ConfigError) -> SettingsError {
        let (path, problem) = match error {
            ConfigError::Type { unexpected, expected, key: Some(key), .. } => {
                (key, format!("it is {unexpected}, but must be {expected}"))
            }
            ConfigError::At { error, key: Some(key), .. } => (key, error.to_string()),
            other => return SettingsError::Inconsistent(other.to_string()),
        };
        let key = path.split('[').next().unwrap_or(path);
        match self.values.get(key) {
            Some((_, origin)) => {
                SettingsError::Unusable { key: path.clone(), origin: origin.clone(), problem }
            }
            None => SettingsError::Inconsistent(error.to_string()),
        }
    }
}

/// The leaves of a YAML text, under dotted keys.
fn flatten(text: &str, origin: &Origin) -> Result<Vec<(String, Value)>, SettingsError> {
    let table = File::from_str(text, FileFormat::Yaml).collect().map_err(|error| {
        let problem = match error {
            ConfigError::FileParse { cause, .. } => cause.to_string(),
            other => other.to_string(),
        };
        SettingsError::Syntax { origin: origin.clone(), problem }
    })?;
    let mut leaves = Vec::new();
    let mut open: Vec<(String, Value)> = table.into_iter().collect();
    while let Some((key, value)) = open.pop() {
        match value.kind {
            ValueKind::Table(table) if !table.is_empty() => {
                open.extend(table.into_iter().map(|(child, value)| (format!("{key}.{child}"), value)));
            }
            _ => leaves.push((key, value)),
        }
    }
    // The parser hands tables over unordered; errors should not depend on chance.
    leaves.sort_by(|one, other| one.0.cmp(&other.0));
    Ok(leaves)
}

fn split(text: &str) -> Vec<Value> {
    text.split(',')
        .map(str::trim)
        .filter(|item| !item.is_empty())
        .map(|item| Value::new(None, item))
        .collect()
}

const fn expectation(kind: Kind) -> &'static str {
    match kind {
        Kind::Switch => "true or false",
        Kind::Number => "a whole number",
        Kind::Text => "text (in quotes, if it looks like something else)",
        Kind::List => "a list of texts",
    }
}

fn describe(value: &ValueKind) -> String {
    match value {
        ValueKind::Nil => "nothing".to_owned(),
        ValueKind::Boolean(value) => value.to_string(),
        ValueKind::String(text) => format!("the text {text:?}"),
        ValueKind::Table(_) => "a section".to_owned(),
        ValueKind::Array(_) => "a list".to_owned(),
        number => format!("the number {number}"),
    }
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
