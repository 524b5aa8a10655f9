//! Reads fields of objects one by one: one that is of another type than Kubernetes documents is passed over and counted,
//! for a list that can't be decoded would leave the whole kind unseen. Nothing is held back while it is read.

use std::fmt;
use std::marker::PhantomData;

use jiff::Timestamp;
use marple_core::Labels;
use metrics::counter;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::metric;

/// What a field may hold.
pub(crate) trait Field: Sized {
    /// What is there; nothing where it is null or of another type.
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error>;
}

/// Reads a field of a view. What can't be read is as if it were absent.
pub(crate) fn field<'de, T: Field + Default, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Ok(T::read(deserializer)?.unwrap_or_default())
}

/// Fields that are read as serde reads them, when at all.
macro_rules! fields {
    ($($type:ty,)*) => {
        $(impl $crate::object::lenient::Field for $type {
            fn read<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
                $crate::object::lenient::attempt(deserializer)
            }
        })*
    };
}

pub(crate) use fields;

fields! { String, bool, i32, i64, u32, Timestamp, Labels, }

impl<T: Field> Field for Option<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        T::read(deserializer).map(Some)
    }
}

impl<T: Field> Field for Vec<T> {
    fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Self>, D::Error> {
        Ok(attempt::<Elements<T>, D>(deserializer)?.map(|elements| elements.0))
    }
}

/// Reads a value as this type. Nothing where it is null or of another type; what is inside a map has fields of its own.
pub(crate) fn attempt<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(Attempt(PhantomData))
}

struct Attempt<T>(PhantomData<T>);

impl<T> Attempt<T> {
    fn read<'de, V: IntoDeserializer<'de, E>, E: Error>(value: V) -> Option<T>
    where
        T: Deserialize<'de>,
    {
        T::deserialize(value.into_deserializer()).map_err(|error: E| passed_over::<T>(&error)).ok()
    }
}

/// Counts a field that can't be read, and says at `debug` what it was.
fn passed_over<T>(error: &impl fmt::Display) {
    counter!(metric::MALFORMED).increment(1);
    tracing::debug!(%error, wanted = std::any::type_name::<T>(), "a field of an object can't be read: it is passed over");
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Attempt<T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any value")
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Self::read::<_, E>(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Self::read::<_, E>(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Self::read::<_, E>(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Self::read::<_, E>(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok(Self::read::<_, E>(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Self::Value, E> {
        Ok(Self::read::<_, E>(value))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let read = T::deserialize(MapAccessDeserializer::new(&mut map)).map_err(|error| passed_over::<T>(&error));
        // A map where none is wanted was not begun; the text goes on after it.
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(read.ok())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let read = T::deserialize(SeqAccessDeserializer::new(&mut seq)).map_err(|error| passed_over::<T>(&error));
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(read.ok())
    }
}

/// The elements of a list that can be read.
struct Elements<T>(Vec<T>);

/// One element, where it can be read.
struct Element<T>(Option<T>);

impl<'de, T: Field> Deserialize<'de> for Element<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        T::read(deserializer).map(Self)
    }
}

impl<'de, T: Field> Deserialize<'de> for Elements<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List<T>(PhantomData<T>);

        impl<'de, T: Field> Visitor<'de> for List<T> {
            type Value = Elements<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut elements = Vec::new();
                while let Some(Element(element)) = seq.next_element()? {
                    elements.extend(element);
                }
                Ok(Elements(elements))
            }
        }

        deserializer.deserialize_seq(List(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::object::{Pod, StatefulSet, Status};

    #[test]
    fn a_field_of_another_type_is_passed_over_and_the_rest_is_read() {
        let pod: Pod = serde_json::from_value(json!({
            "metadata": {"name": "cart-1", "namespace": "shop", "uid": 7, "creationTimestamp": "yesterday",
                "ownerReferences": [{"kind": "ReplicaSet", "name": "cart-7d4", "controller": true}, "cart", {"kind": 1}],
                "annotations": ["x"]},
            "spec": {"nodeName": {"a": {"b": [1, 2]}}, "containers": {"name": "app"}, "initContainers": null},
            "status": {"phase": ["Running", {"x": 1}], "startTime": 12.5, "conditions": [
                    {"type": "Ready", "status": true, "lastTransitionTime": ""},
                    {"type": "ContainersReady", "status": "Perhaps", "reason": null}, 3, null],
                "containerStatuses": [{"name": "app", "restartCount": -1, "ready": "yes", "state": "running",
                    "lastState": {"terminated": {"exitCode": 3_000_000_000_u64, "reason": "Error"}}}]},
        }))
        .unwrap();
        assert_eq!((pod.metadata.name.as_deref(), &pod.metadata.uid), (Some("cart-1"), &None));
        assert_eq!(
            crate::object::controller(&pod.metadata).map(|owner| owner.name.into_string()).as_deref(),
            Some("cart-7d4")
        );
        assert_eq!(
            (pod.spec.node_name, pod.spec.containers, pod.status.phase, pod.status.start_time),
            (None, vec![], None, None)
        );
        let conditions: Vec<_> = pod.status.conditions.iter().map(|it| (it.type_.as_str(), it.status)).collect();
        assert_eq!(conditions, [("Ready", Status::Unknown), ("ContainersReady", Status::Unknown)]);
        let status = &pod.status.container_statuses[0];
        assert_eq!((status.restart_count, status.ready, status.state.running.is_some()), (0, false, false));
        let ended = status.last_state.terminated.as_ref().unwrap();
        assert_eq!((ended.exit_code, ended.reason.as_deref()), (0, Some("Error")));
    }

    #[test]
    fn whole_parts_may_be_missing_or_no_maps() {
        for text in [r"{}", r#"{"metadata": 1, "spec": [], "status": "x"}"#, r#"{"metadata": null, "spec": null}"#] {
            let set: StatefulSet = serde_json::from_str(text).unwrap();
            assert_eq!(set, StatefulSet::default());
        }
    }

    #[test]
    fn a_list_goes_on_after_an_object_with_faults() {
        let text =
            r#"[{"metadata": {"name": "a"}, "status": {"phase": {"deep": [{"er": 1}]}}}, {"metadata": {"name": "b"}}]"#;
        let pods: Vec<Pod> = serde_json::from_str(text).unwrap();
        assert_eq!(pods.iter().map(|pod| pod.metadata.name.as_deref()).collect::<Vec<_>>(), [Some("a"), Some("b")]);
    }
}
