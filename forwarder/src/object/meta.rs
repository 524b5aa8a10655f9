//! Metadata without what nobody reads: managed fields and annotations are most of an object's bytes.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, OwnerReference, Time};
use kube::core::ObjectMeta;
use marple_core::{Labels, ObjectRef};
use serde::Deserializer;

use super::Kind;
use super::lenient::{Field, attempt};
use super::view::view;

view! {
    struct Wanted {
        name: Option<String>,
        namespace: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
        generation: Option<i64>,
        creation_timestamp: Option<Timestamp>,
        deletion_timestamp: Option<Timestamp>,
        finalizers: Vec<String>,
        owner_references: Vec<WantedOwner>,
        managed_fields: Vec<WantedWriter>,
        labels: Labels,
        annotations: WantedAnnotations,
    }

    struct WantedOwner {
        api_version: String,
        kind: String,
        name: String,
        uid: String,
        controller: Option<bool>,
    }

    struct WantedWriter {
        time: Option<Timestamp>,
    }

    struct WantedAnnotations {
        #[serde(rename = "volume.kubernetes.io/selected-node")]
        selected_node: Option<String>,
        #[serde(rename = "meta.helm.sh/release-name")]
        release_name: Option<String>,
        #[serde(rename = "meta.helm.sh/release-namespace")]
        release_namespace: Option<String>,
    }
}

/// The annotation by which the scheduler says that a claim's consumer has a node (kubernetes.io/docs, Well-Known
/// Labels, Annotations and Taints).
pub(crate) const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

/// The annotation by which Helm marks what a release has made (helm.sh/docs, Resource adoption).
const RELEASE_NAME: &str = "meta.helm.sh/release-name";
const RELEASE_NAMESPACE: &str = "meta.helm.sh/release-namespace";

impl Field for ObjectMeta {
    /// Metadata, of which what conditions and the watch need is kept.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(attempt::<Wanted, D>(deserializer)?.map(Wanted::metadata))
    }
}

impl Wanted {
    fn metadata(self) -> ObjectMeta {
        let WantedAnnotations { selected_node, release_name, release_namespace } = self.annotations;
        let annotations =
            [(SELECTED_NODE, selected_node), (RELEASE_NAME, release_name), (RELEASE_NAMESPACE, release_namespace)];
        let annotations: BTreeMap<String, String> =
            annotations.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        let labels = self.labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        let labels: BTreeMap<String, String> = labels.collect();
        let owners: Vec<OwnerReference> = self.owner_references.into_iter().map(WantedOwner::reference).collect();
        // Of all who write it, when the last one did.
        let written = self.managed_fields.iter().filter_map(|writer| writer.time).max();
        let written = written.map(|at| vec![ManagedFieldsEntry { time: Some(Time(at)), ..Default::default() }]);
        ObjectMeta {
            name: self.name,
            namespace: self.namespace,
            uid: self.uid,
            resource_version: self.resource_version,
            generation: self.generation,
            creation_timestamp: self.creation_timestamp.map(Time),
            deletion_timestamp: self.deletion_timestamp.map(Time),
            finalizers: Some(self.finalizers).filter(|finalizers| !finalizers.is_empty()),
            owner_references: Some(owners).filter(|owners| !owners.is_empty()),
            labels: Some(labels).filter(|labels| !labels.is_empty()),
            annotations: Some(annotations).filter(|annotations| !annotations.is_empty()),
            managed_fields: written,
            ..ObjectMeta::default()
        }
    }
}

impl WantedOwner {
    fn reference(self) -> OwnerReference {
        let Self { api_version, kind, name, uid, controller } = self;
        OwnerReference { api_version, kind, name, uid, controller, block_owner_deletion: None }
    }
}

/// When the object was made.
pub(crate) fn created(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata.creation_timestamp.as_ref().map(|time| time.0)
}

/// When the object was written last, by whomever, in whole seconds; nothing where its API server notes no writers.
pub(crate) fn written(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata.managed_fields.iter().flatten().filter_map(|entry| entry.time.as_ref()).map(|time| time.0).max()
}

/// When the object should be gone: its deletion was asked for, and its grace has passed by then.
pub(crate) fn deletion(metadata: &ObjectMeta) -> Option<Timestamp> {
    metadata.deletion_timestamp.as_ref().map(|time| time.0)
}

/// The Helm release that has made the object.
pub(crate) fn helm_release(metadata: &ObjectMeta) -> Option<&str> {
    metadata.annotations.as_ref()?.get(RELEASE_NAME).map(String::as_str)
}

/// That release, with the namespace in which Helm keeps it.
pub(crate) fn helm_release_of(metadata: &ObjectMeta) -> Option<ObjectRef> {
    let name = helm_release(metadata)?;
    let annotations = metadata.annotations.as_ref();
    let namespace =
        annotations.and_then(|annotations| annotations.get(RELEASE_NAMESPACE)).or(metadata.namespace.as_ref());
    Some(ObjectRef {
        kind: Kind::HelmRelease.as_str().to_owned(),
        namespace: namespace.cloned(),
        name: name.to_owned(),
    })
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
