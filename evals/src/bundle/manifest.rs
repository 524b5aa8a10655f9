//! What a bundle holds.

use std::collections::BTreeSet;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was recorded, when and from where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The program that recorded it, as `marple 0.1.0`.
    pub recorder: String,
    /// The cluster's name, as its people call it.
    pub cluster: String,
    /// The present of the recording: ages, log windows and instant queries are told from here.
    pub recorded_at: Timestamp,
    /// When the objects began to be listed: what happened to them from then on is known, step by step. Absent where
    /// nothing was watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_at: Option<Timestamp>,
    /// The start of the window that metrics, logs and changes were recorded of.
    pub since: Timestamp,
    /// The namespaces whose objects and logs were recorded. Objects without a namespace are recorded always.
    pub namespaces: BTreeSet<String>,
    /// What was left out, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub omissions: Vec<Omission>,
}

/// Something that was left out of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Omission {
    /// What, as `log of Pod shop/cart-1 container app`.
    pub what: String,
    /// Why, with how much of it.
    pub why: String,
}
