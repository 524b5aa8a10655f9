//! Objects whole, whatever is in them: one that can't be decoded would end the watch of its kind, time and again.

use std::borrow::Cow;

use kube::api::DynamicObject;
use kube::core::{ApiResource, DynamicResourceScope, ObjectMeta, TypeMeta};
use metrics::counter;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::metric;

/// An object of any kind, of which perhaps only metadata is asked for. A part of its metadata that is of another type than
/// Kubernetes documents is passed over and counted.
#[derive(Clone, Debug)]
pub(crate) struct Raw<const METADATA_ONLY: bool>(pub(crate) DynamicObject);

impl<'de, const METADATA_ONLY: bool> Deserialize<'de> for Raw<METADATA_ONLY> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut whole = match Value::deserialize(deserializer)? {
            Value::Object(whole) => whole,
            _ => Map::new(),
        };
        let mut text = |key: &str| match whole.remove(key) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let types = text("apiVersion").zip(text("kind")).map(|(api_version, kind)| TypeMeta { api_version, kind });
        let metadata = whole.remove("metadata").map(metadata).unwrap_or_default();
        Ok(Self(DynamicObject { types, metadata, data: Value::Object(whole) }))
    }
}

fn metadata(value: Value) -> ObjectMeta {
    if let Ok(metadata) = ObjectMeta::deserialize(&value) {
        return metadata;
    }
    let Value::Object(parts) = value else { return ObjectMeta::default() };
    let (parts, faults): (Vec<_>, Vec<_>) = parts
        .into_iter()
        .map(|part| Value::Object(Map::from_iter([part])))
        .partition(|part| ObjectMeta::deserialize(part).is_ok());
    counter!(metric::MALFORMED).increment(u64::try_from(faults.len()).unwrap_or(u64::MAX));
    let sound: Map<String, Value> = parts
        .into_iter()
        .filter_map(|part| match part {
            Value::Object(part) => Some(part),
            _ => None,
        })
        .flatten()
        .collect();
    ObjectMeta::deserialize(Value::Object(sound)).unwrap_or_default()
}

impl<const METADATA_ONLY: bool> kube::Resource for Raw<METADATA_ONLY> {
    type DynamicType = ApiResource;
    type Scope = DynamicResourceScope;

    fn kind(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::kind(resource)
    }

    fn group(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::group(resource)
    }

    fn version(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::version(resource)
    }

    fn api_version(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::api_version(resource)
    }

    fn plural(resource: &ApiResource) -> Cow<'_, str> {
        DynamicObject::plural(resource)
    }

    fn metadata_api() -> bool {
        METADATA_ONLY
    }

    fn meta(&self) -> &ObjectMeta {
        &self.0.metadata
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        &mut self.0.metadata
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn read(value: Value) -> DynamicObject {
        serde_json::from_value::<Raw<false>>(value).unwrap().0
    }

    #[test]
    fn it_is_read_as_any_other_and_what_is_malformed_is_passed_over() {
        let sound = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
            "metadata": {"name": "a", "uid": "u", "labels": {"app": "cart"}}});
        assert_eq!(read(sound.clone()), serde_json::from_value(sound).unwrap());
        let faults = read(json!({"kind": 7, "data": ["x"], "metadata": {"name": "a", "uid": "u", "labels": {"app": 1},
            "creationTimestamp": "yesterday", "ownerReferences": [{"kind": "Pod"}], "generation": 2}}));
        let ObjectMeta { name, uid, labels, generation, .. } = &faults.metadata;
        assert_eq!((name.as_deref(), uid.as_deref(), labels, generation), (Some("a"), Some("u"), &None, &Some(2)));
        assert_eq!((faults.types, faults.data), (None, json!({"data": ["x"]})));
        for nothing in [json!(null), json!("x"), json!([1]), json!({"metadata": 3})] {
            assert_eq!(read(nothing).metadata, ObjectMeta::default());
        }
    }
}
