//! Events.

use jiff::Timestamp;
use k8s_openapi::api::core::v1;
use kube::core::ObjectMeta;

use super::resource::resource;
use super::view::view;
use super::{Kind, ObjectKey};

view! {
    /// An event.
    pub struct Event {
        /// What names it.
        pub metadata: ObjectMeta,
        /// The object that it is about.
        pub involved_object: Involved,
        /// What happened, in one word.
        pub reason: Option<String>,
        /// What happened, for people.
        pub message: Option<String>,
        /// How often.
        pub count: Option<u32>,
        /// When first; absent from those of the newer API.
        pub first_timestamp: Option<Timestamp>,
        /// When last; absent from those of the newer API.
        pub last_timestamp: Option<Timestamp>,
        /// When first, for those of the newer API.
        pub event_time: Option<Timestamp>,
        /// How often and when last, for those of the newer API.
        pub series: Option<Series>,
    }
}

resource!(Event, v1::Event);

view! {
    /// The object that an event is about.
    pub struct Involved {
        /// Its API group and version, as `apps/v1`.
        pub api_version: Option<String>,
        /// Its kind.
        pub kind: Option<String>,
        /// Its namespace.
        pub namespace: Option<String>,
        /// Its name.
        pub name: Option<String>,
        /// Its uid.
        pub uid: Option<String>,
        /// The part of it, as `spec.containers{app}`.
        pub field_path: Option<String>,
    }

    /// How often an event of the newer API happened.
    pub struct Series {
        /// How often.
        pub count: Option<u32>,
        /// When last.
        pub last_observed_time: Option<Timestamp>,
    }
}

impl Event {
    /// How often it happened.
    pub fn times(&self) -> u32 {
        let series = self.series.as_ref().and_then(|series| series.count);
        series.or(self.count).unwrap_or(1).max(1)
    }

    /// When it happened first.
    pub fn first(&self) -> Option<Timestamp> {
        self.first_timestamp.or(self.event_time).or_else(|| super::meta::created(&self.metadata))
    }

    /// When it happened last.
    pub fn last(&self) -> Option<Timestamp> {
        let series = self.series.as_ref().and_then(|series| series.last_observed_time);
        series.or(self.last_timestamp).or_else(|| self.first())
    }

    /// The object that it is about.
    pub fn subject(&self) -> Option<ObjectKey> {
        let involved = &self.involved_object;
        let name = involved.kind.as_deref()?;
        let kind = match involved.api_version.as_deref() {
            Some(version) => Kind::of(version.split_once('/').map_or("", |(group, _)| group), name),
            // Some writers leave it out.
            None => Kind::named(name).unwrap_or_else(|| Kind::of("", name)),
        };
        Some(ObjectKey::new(kind, involved.namespace.as_deref().unwrap_or_default(), involved.name.as_deref()?))
    }

    /// The container that it is about.
    pub fn container(&self) -> Option<&str> {
        self.involved_object.field_path.as_deref()?.split_once('{')?.1.strip_suffix('}')
    }
}
