//! What is told of changes.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::change::{FAMILIES, Family};

/// What is told of changes in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangesConfig {
    /// Whether changes are told. Default: `true`.
    pub enabled: bool,
    /// How the values of a ConfigMap are shown: `clear`, secrets taken out, or `hashed`. Those of Secrets are never read.
    /// Default: `clear`.
    pub config_maps: Values,
    /// Kinds that are left alone, as `[Secret, Node]`. Default: none.
    pub except: BTreeSet<String>,
}

/// How values are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// As they are, secrets taken out.
    #[default]
    Clear,
    /// By size and digest.
    Hashed,
}

impl Default for ChangesConfig {
    fn default() -> Self {
        Self { enabled: true, config_maps: Values::default(), except: BTreeSet::new() }
    }
}

impl ChangesConfig {
    /// The kinds whose changes are told.
    pub(crate) fn families(&self) -> Vec<&'static Family> {
        FAMILIES.iter().filter(|family| !self.except.contains(family.kind)).collect()
    }

    /// The setting that can't be used, and why.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let unknown = self.except.iter().find(|kind| Family::named(kind).is_none())?;
        let known = FAMILIES.iter().map(|family| family.kind).collect::<Vec<_>>().join(", ");
        Some(("except", format!("{unknown:?} is no kind whose changes are told; these are: {known}")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_kind_that_is_left_alone_is_none_of_the_kinds_and_an_unknown_one_is_a_fault() {
        let read = |text: &str| serde_json::from_str::<ChangesConfig>(text).unwrap();
        let without = read(r#"{"except": ["Secret"]}"#);
        assert_eq!(without.families().len(), FAMILIES.len() - 1);
        assert!(without.families().iter().all(|family| family.kind != "Secret"));
        assert_eq!(without.fault(), None);
        let (setting, why) = read(r#"{"except": ["Secrets"]}"#).fault().unwrap();
        assert!(setting == "except" && why.starts_with("\"Secrets\" is no kind"), "{why}");
    }
}
