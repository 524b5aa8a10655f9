//! Nodes.

use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;
use serde::Deserialize;

use super::Standing;
use super::meta::trimmed;
use super::resource::resource;

/// A node.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Node {
    /// What names it.
    #[serde(deserialize_with = "trimmed")]
    pub metadata: ObjectMeta,
    /// What is.
    pub status: NodeStatus,
}

resource!(Node, v1::Node);

/// How a node is.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct NodeStatus {
    /// Its conditions.
    pub conditions: Vec<Standing>,
}
