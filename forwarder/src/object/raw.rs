//! Objects whole, whatever is in them: one that can't be decoded would end the watch of its kind, time and again.

use std::borrow::Cow;
use std::fmt;

use kube::api::DynamicObject;
use kube::core::{ApiResource, DynamicResourceScope, ObjectMeta, TypeMeta};
use metrics::counter;
use serde::de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::metric;

/// How much of an object is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Reads {
    /// All of it.
    Whole,
    /// Its metadata: the rest never leaves the API server.
    Metadata,
    /// All of it, but of one that a controller owns its metadata: it is what its controller's template says, and of ten
    /// thousand pods that is nearly all.
    Alone,
}

/// An object of any kind. A part of its metadata that is of another type than Kubernetes documents is passed over and
/// counted.
#[derive(Clone, Debug)]
pub(crate) struct Raw<const READS: u8>(pub(crate) DynamicObject);

impl<'de, const READS: u8> Deserialize<'de> for Raw<READS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Parts { alone: READS == Reads::Alone as u8 }).map(Self)
    }
}

/// Reads the parts of an object one by one. What comes before the metadata is read: no API server writes it so.
struct Parts {
    /// Whether of one that a controller owns the metadata is enough.
    alone: bool,
}

impl<'de> Visitor<'de> for Parts {
    type Value = DynamicObject;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut parts: A) -> Result<DynamicObject, A::Error> {
        let (mut known, mut rest) = (ObjectMeta::default(), Map::new());
        while let Some(name) = parts.next_key::<String>()? {
            let owned = || known.owner_references.iter().flatten().any(|owner| owner.controller == Some(true));
            match name.as_str() {
                "metadata" => known = metadata(parts.next_value()?),
                "spec" | "status" if self.alone && owned() => drop(parts.next_value::<IgnoredAny>()?),
                _ => drop(rest.insert(name, parts.next_value()?)),
            }
        }
        Ok(object(known, rest))
    }

    // What is no object is one without anything.
    fn visit_unit<E: de::Error>(self) -> Result<DynamicObject, E> {
        Ok(object(ObjectMeta::default(), Map::new()))
    }

    fn visit_bool<E: de::Error>(self, _: bool) -> Result<DynamicObject, E> {
        self.visit_unit()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<DynamicObject, E> {
        self.visit_unit()
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<DynamicObject, E> {
        self.visit_unit()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<DynamicObject, E> {
        self.visit_unit()
    }

    fn visit_str<E: de::Error>(self, _: &str) -> Result<DynamicObject, E> {
        self.visit_unit()
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<DynamicObject, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        self.visit_unit()
    }
}

/// An object of these parts.
fn object(metadata: ObjectMeta, mut rest: Map<String, Value>) -> DynamicObject {
    let mut text = |key: &str| match rest.remove(key) {
        Some(Value::String(text)) => Some(text),
        _ => None,
    };
    let types = text("apiVersion").zip(text("kind")).map(|(api_version, kind)| TypeMeta { api_version, kind });
    DynamicObject { types, metadata, data: Value::Object(rest) }
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

impl<const READS: u8> kube::Resource for Raw<READS> {
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
        READS == Reads::Metadata as u8
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
        serde_json::from_value::<Raw<{ Reads::Whole as u8 }>>(value).unwrap().0
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

    #[test]
    fn of_one_that_a_controller_owns_only_the_metadata_is_kept() {
        let owned = |controller: bool| {
            json!({"apiVersion": "v1", "kind": "Pod", "spec": {"a": 1}, "status": {"b": 2}, "metadata": {"name": "a",
                "ownerReferences": [{"apiVersion": "v1", "kind": "X", "name": "x", "uid": "u", "controller": controller}]}})
        };
        // As an API server writes it: the metadata first.
        let text = |controller: bool| {
            let Value::Object(mut parts) = owned(controller) else { return String::new() };
            let metadata = parts.remove("metadata").unwrap();
            format!("{{\"metadata\":{metadata},{}", &Value::Object(parts).to_string()[1..])
        };
        let alone = |text: &str| serde_json::from_str::<Raw<{ Reads::Alone as u8 }>>(text).unwrap().0;
        assert_eq!(alone(&text(false)), read(owned(false)));
        let kept = alone(&text(true));
        assert_eq!((&kept.metadata, &kept.types), (&read(owned(true)).metadata, &read(owned(true)).types));
        assert_eq!(kept.data, json!({}));
        for nothing in ["7", "-7", "7.5", "null", "true", "\"x\"", "[1, [2]]"] {
            assert_eq!(alone(nothing).metadata, ObjectMeta::default());
        }
    }
}
