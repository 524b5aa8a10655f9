//! Causes that are right.

use std::fmt;

use marple_core::{Category, ObjectRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NamePattern;

/// A cause that is right to name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedCause {
    /// The object to change, or the one that failed.
    pub object: AcceptedObject,
    /// The kinds of fault of which any one is right.
    #[schemars(length(min = 1))]
    pub categories: Vec<Category>,
}

/// An object, or those of which one is meant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptedObject {
    /// Kind in its singular form, as `Deployment`.
    pub kind: String,
    /// Namespace; absent for a cluster-scoped object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// Name.
    pub name: NamePattern,
}

impl AcceptedObject {
    /// Whether this object is meant.
    pub fn matches(&self, object: &ObjectRef) -> bool {
        self.kind.eq_ignore_ascii_case(&object.kind)
            && self.namespace == object.namespace
            && self.name.matches(&object.name)
    }
}

impl fmt::Display for AcceptedObject {
    /// As `ConfigMap shop/settings`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{} {namespace}/{}", self.kind, self.name),
            None => write!(formatter, "{} {}", self.kind, self.name),
        }
    }
}
