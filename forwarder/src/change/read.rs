//! An object made into what is kept of it.

use kube::api::DynamicObject;
use marple_core::ObjectRef;

use super::author::Writers;
use super::family::Family;
use super::state::State;
use super::trim::Trim;
use crate::config::Values;

/// By this annotation people say why they changed something.
const WHY: &str = "kubernetes.io/change-cause";

/// What is kept of an object, with at most so many bytes of longer texts; nothing where it concerns nobody, or has no name
/// or uid.
pub(super) fn state(family: &Family, object: &DynamicObject, values: Values, room: usize) -> Option<State> {
    let metadata = &object.metadata;
    let mut trim = Trim::new(object, values, room).without(family.ignore());
    family.trim(&mut trim);
    let why = trim.annotation(WHY).map(Box::from);
    let (fields, told_of) = trim.finish()?;
    Some(State {
        format: family.format(),
        object: ObjectRef {
            kind: family.name.to_string(),
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone()?,
        },
        told_of,
        uid: metadata.uid.as_deref()?.into(),
        version: metadata.resource_version.as_deref().unwrap_or_default().into(),
        written: Writers::of(metadata).last(),
        why,
        fields,
    })
}
