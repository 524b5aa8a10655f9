//! What the forwarder watches and tells.

mod changed;
mod changes;
mod custom;
mod glob;
mod namespaces;

use marple_core::Period;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use changed::ChangedResource;
pub use changes::{ChangesConfig, Values};
pub use custom::{CustomResource, When};
pub use glob::{Glob, GlobError};
pub use namespaces::{Namespaces, Scope};

use crate::Conditions;

/// What the forwarder watches and tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ForwarderConfig {
    /// Whether the process that serves watches the cluster too; `marple forward` does it apart. Default: `true`.
    pub enabled: bool,
    /// Which namespaces count. Default: all.
    pub namespaces: Namespaces,
    /// How often each condition that still holds is delivered again, as `15m`, so that a runner whose store was lost
    /// or set back knows it. The runner takes a signal that it has as a duplicate. Default: `15m`.
    pub resync: Period,
    /// How often a kind that the API server forbids is tried again, as `5m`: a role may be granted later. Default: `5m`.
    pub forbidden_retry: Period,
    /// Which conditions are told, and from when on.
    pub conditions: Conditions,
    /// Custom resources whose conditions are told, as `[{group: cert-manager.io, kind: Certificate}]`. Default: none.
    pub custom: Vec<CustomResource>,
    /// What is told of changes.
    pub changes: ChangesConfig,
}

impl Default for ForwarderConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            namespaces: Namespaces::default(),
            resync: Period::minutes(15),
            forbidden_retry: Period::minutes(5),
            conditions: Conditions::default(),
            custom: Vec::new(),
            changes: ChangesConfig::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_empty_object_is_the_default() {
        assert_eq!(serde_json::from_str::<ForwarderConfig>("{}").unwrap(), ForwarderConfig::default());
    }

    #[test]
    fn the_default_is_read_as_it_is_written() {
        let text = serde_json::to_string(&ForwarderConfig::default()).unwrap();
        assert_eq!(serde_json::from_str::<ForwarderConfig>(&text).unwrap(), ForwarderConfig::default());
    }

    #[test]
    fn an_unknown_field_is_named_with_those_there_are() {
        let error =
            serde_json::from_str::<ForwarderConfig>(r#"{"conditions":{"crash_loop":{"restart":3}}}"#).unwrap_err();
        assert!(
            error.to_string().contains("unknown field `restart`, expected one of `enabled`, `hold`, `restarts`"),
            "{error}"
        );
    }
}
