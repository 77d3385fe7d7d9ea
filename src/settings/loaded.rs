//! Settings together with the origin of every value, so that an operator can ask which layer won.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

use super::error::Origin;
use super::values::Settings;

/// The settings in force, and where each value came from.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The values.
    pub settings: Settings,
    pub(super) origins: BTreeMap<String, Origin>,
}

impl Loaded {
    /// Where the value of a dotted key came from; `None` if there is no such key.
    #[must_use]
    pub fn origin(&self, key: &str) -> Option<&Origin> {
        self.origins.get(key)
    }

    /// The effective values as YAML, each with the layer it came from as a comment.
    ///
    /// The text can be read back as a settings file and then gives the same settings.
    #[must_use]
    pub fn describe(&self) -> String {
        let mut text = String::new();
        let Ok(Value::Object(sections)) = serde_json::to_value(&self.settings) else {
            // Plain structs with text keys always serialise to an object.
            return text;
        };
        for (section, values) in &sections {
            let gap = if text.is_empty() { "" } else { "\n" };
            // Writing into a String cannot fail.
            let _ = writeln!(text, "{gap}{section}:");
            for (key, value) in values.as_object().into_iter().flatten() {
                let label = self.origin(&format!("{section}.{key}")).map(Origin::label).unwrap_or_default();
                // JSON scalars and flat lists are YAML as they are.
                let _ = writeln!(text, "  {key}: {value}   # {label}");
            }
        }
        text
    }
}
