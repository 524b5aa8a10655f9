//! Custom resources whose changes are told.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::custom::{first_fault, kind_fault, yes};

/// A kind of custom resource whose changes are told, as Strimzi's Kafkas.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangedResource {
    /// Its API group, as `kafka.strimzi.io`.
    pub group: String,
    /// Its version, as `v1beta2`. Default: the one that the API server prefers.
    #[serde(default)]
    pub version: Option<String>,
    /// Its kind, as `Kafka`.
    pub kind: String,
    /// Whether its objects are in namespaces. Default: true.
    #[serde(default = "yes")]
    pub namespaced: bool,
    /// Fields that programs write all the time, as changes name them, each with all below it: `[replicas,
    /// kafka.config]`. Status and what delivery tools note is left out anyway. Default: none.
    #[serde(default)]
    pub ignore: Vec<String>,
}

impl ChangedResource {
    /// The first of these that can't be used: the setting under `custom`, and why.
    pub(super) fn fault(resources: &[Self]) -> Option<(String, String)> {
        first_fault(resources, |resource| (&resource.group, &resource.kind), Self::own_fault)
    }

    fn own_fault(&self) -> Option<(&'static str, String)> {
        let empty = self.ignore.iter().any(String::is_empty);
        let why = || "has an empty text, which names no field".to_owned();
        kind_fault(&self.group, &self.kind).or_else(|| empty.then(|| ("ignore", why())))
    }
}
