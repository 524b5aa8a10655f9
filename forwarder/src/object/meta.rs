//! Metadata without what nobody reads: managed fields, labels and annotations are most of an object's bytes.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{OwnerReference, Time};
use kube::core::ObjectMeta;
use serde::{Deserialize, Deserializer};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Wanted {
    name: Option<String>,
    namespace: Option<String>,
    uid: Option<String>,
    resource_version: Option<String>,
    generation: Option<i64>,
    creation_timestamp: Option<Time>,
    deletion_timestamp: Option<Time>,
    owner_references: Option<Vec<OwnerReference>>,
    #[serde(default)]
    annotations: Option<WantedAnnotations>,
}

#[derive(Deserialize)]
struct WantedAnnotations {
    #[serde(rename = "volume.kubernetes.io/selected-node")]
    selected_node: Option<String>,
}

/// The annotation by which the scheduler says that a claim's consumer has a node (kubernetes.io/docs, Well-Known
/// Labels, Annotations and Taints).
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// Decodes metadata and keeps what conditions and the watch need.
pub(crate) fn trimmed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let wanted = Wanted::deserialize(deserializer)?;
    let selected = wanted.annotations.and_then(|annotations| annotations.selected_node);
    Ok(ObjectMeta {
        name: wanted.name,
        namespace: wanted.namespace,
        uid: wanted.uid,
        resource_version: wanted.resource_version,
        generation: wanted.generation,
        creation_timestamp: wanted.creation_timestamp,
        deletion_timestamp: wanted.deletion_timestamp,
        owner_references: wanted.owner_references,
        annotations: selected.map(|node| [(SELECTED_NODE.to_owned(), node)].into()),
        ..ObjectMeta::default()
    })
}

/// When the object was made.
pub(crate) fn created(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// The object that controls another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Its kind, which need not be one that is watched.
    pub kind: Box<str>,
    /// Its name; it is in the same namespace.
    pub name: Box<str>,
}

/// The controller of an object, from its ownerReferences.
pub fn controller(metadata: &ObjectMeta) -> Option<Owner> {
    let owners = metadata.owner_references.as_deref().unwrap_or_default();
    owners
        .iter()
        .find(|owner| owner.controller == Some(true))
        .map(|owner| Owner { kind: owner.kind.as_str().into(), name: owner.name.as_str().into() })
}
