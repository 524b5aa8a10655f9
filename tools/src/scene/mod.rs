//! What is read of the cluster when an incident opens: objects, events, logs, and how they depend on each other.
//!
//! A [`Scene`] is plain data: [`Scene::read`] is the only part that asks the API server, and what it could not see is
//! in [`Scene::unseen`]. The rules look at nothing else.

pub(crate) mod clients;
pub(crate) mod dns;
mod event;
pub(crate) mod evictions;
pub(crate) mod field;
pub(crate) mod gateway;
mod graph;
mod hosts;
mod keep;
mod learn;
pub(crate) mod names;
mod reach;
mod read;
pub(crate) mod rights;
mod rollout;
pub(crate) mod spoken;
mod trouble;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use marple_core::{ObjectRef, ProofSource, Unseen};
use serde_json::Value;

pub use event::Event;
pub(crate) use graph::Call;
pub use graph::{Edge, Graph, Relation};
pub(crate) use hosts::Target;
pub(crate) use keep::occurs;
pub use keep::{Kept, keep};
pub(crate) use learn::is_of_pods;
pub(crate) use names::backends;
pub use rollout::{Change, Rollout};
pub(crate) use rollout::{GONE, MADE};

/// The end of one container's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// The pod.
    pub pod: ObjectRef,
    /// The container.
    pub container: String,
    /// Whether it is of the container's previous run.
    pub previous: bool,
    /// The lines, oldest first.
    pub text: String,
}

/// The state that rules look at.
#[derive(Clone, Debug, PartialEq)]
pub struct Scene {
    /// When it was read.
    pub now: Timestamp,
    /// What it was read for.
    pub subjects: Vec<ObjectRef>,
    /// Objects as the API server gave them; of a Secret only its keys.
    pub objects: BTreeMap<ObjectRef, Value>,
    /// Objects that were looked for and are not there.
    pub missing: BTreeSet<ObjectRef>,
    /// Kinds that were listed whole, with their namespaces: elsewhere what isn't here may be there all the same. Absent
    /// where the scene is all that there is.
    pub listed: Option<BTreeSet<(String, String)>>,
    /// Events, oldest first.
    pub events: Vec<Event>,
    /// Ends of logs.
    pub logs: Vec<Log>,
    /// What last changed in an object, where it can be told.
    pub rollouts: BTreeMap<ObjectRef, Rollout>,
    /// What could not be looked at.
    pub unseen: Vec<Unseen>,
    /// Whether some of it could not because the API server was away or slow: in a while it may be seen.
    pub unreached: bool,
}

impl Scene {
    /// A scene of what was read before: objects and events as the API server gives them.
    ///
    /// Values without kind and name are left out.
    pub fn of(objects: Vec<Value>, events: &[Value], logs: Vec<Log>, now: Timestamp) -> Self {
        let mut scene = Self {
            now,
            subjects: Vec::new(),
            objects: BTreeMap::new(),
            missing: BTreeSet::new(),
            listed: None,
            events: events.iter().filter_map(Event::of).collect(),
            logs,
            rollouts: BTreeMap::new(),
            unseen: Vec::new(),
            unreached: false,
        };
        scene.extend(objects);
        scene.settle();
        scene
    }

    /// Adds an object; a Secret loses its values here.
    pub(crate) fn insert(&mut self, mut object: Value) {
        let Some(reference) = field::reference(&object) else { return };
        if reference.is("Secret") {
            crate::view::mask_secret(&mut object);
        }
        self.objects.insert(reference, object);
    }

    /// Adds objects.
    pub(crate) fn extend(&mut self, objects: Vec<Value>) {
        for object in objects {
            self.insert(object);
        }
    }

    /// Brings events into order and works out what changed, once all objects are there.
    pub(crate) fn settle(&mut self) {
        self.events.sort_by(|one, other| one.at.cmp(&other.at).then_with(|| one.message.cmp(&other.message)));
        self.events.dedup();
        self.rollouts = rollout::rollouts(&self.objects);
    }

    /// An object as the API server gave it.
    pub fn get(&self, object: &ObjectRef) -> Option<&Value> {
        self.objects.get(object)
    }

    /// Whether all objects of a kind in a namespace were seen, so that their absence tells something.
    pub fn lists(&self, kind: &str, namespace: Option<&str>) -> bool {
        let named = (kind.to_owned(), namespace.unwrap_or_default().to_owned());
        self.listed.as_ref().is_none_or(|listed| listed.contains(&named))
    }

    /// All objects of a kind.
    pub fn of_kind(&self, kind: &'static str) -> impl Iterator<Item = (&ObjectRef, &Value)> {
        let from = ObjectRef { kind: kind.to_owned(), namespace: None, name: String::new() };
        self.objects.range(from..).take_while(move |(object, _)| object.kind == kind)
    }

    /// All objects of a kind in a namespace.
    pub fn in_namespace<'a>(
        &'a self,
        kind: &'static str,
        namespace: Option<&'a str>,
    ) -> impl Iterator<Item = (&'a ObjectRef, &'a Value)> {
        let from = ObjectRef { kind: kind.to_owned(), namespace: namespace.map(str::to_owned), name: String::new() };
        self.objects
            .range(from..)
            .take_while(move |(object, _)| object.kind == kind && object.namespace.as_deref() == namespace)
    }

    /// Events about an object, oldest first.
    pub fn events_of<'a>(&'a self, object: &'a ObjectRef) -> impl DoubleEndedIterator<Item = &'a Event> {
        self.events.iter().filter(move |event| event.about == *object)
    }

    /// The end of a container's log.
    pub fn log(&self, pod: &ObjectRef, container: &str, previous: bool) -> Option<&Log> {
        self.logs.iter().find(|log| log.previous == previous && log.container == container && log.pod == *pod)
    }

    /// The text that a proof's quote is found in.
    pub fn text(&self, source: &ProofSource) -> Option<Cow<'_, str>> {
        match source {
            ProofSource::Object(object) => self.get(object).map(|value| Cow::Owned(crate::view::object(value))),
            ProofSource::Events(object) => {
                let lines = self.events_of(object).map(ToString::to_string).collect::<Vec<_>>();
                (!lines.is_empty()).then(|| Cow::Owned(lines.join("\n")))
            }
            ProofSource::Rollout(object) => self.rollouts.get(object).map(|rollout| Cow::Owned(rollout.to_string())),
            ProofSource::Log { pod, container, previous } => {
                self.log(pod, container, *previous).map(|log| Cow::Borrowed(log.text.as_str()))
            }
            ProofSource::Evidence(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_secret_loses_its_values_and_keeps_its_keys() {
        let secret = json!({"kind": "Secret", "metadata": {"namespace": "shop", "name": "db",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "the password is hunter2"}},
            "data": {"password": "aHVudGVyMg=="}, "stringData": {"password": "hunter2"}});
        let scene = Scene::of(vec![secret], &[], Vec::new(), Timestamp::UNIX_EPOCH);
        let kept = scene.get(&ObjectRef::namespaced("Secret", "shop", "db")).unwrap();
        assert_eq!(kept["data"], json!({"password": "7 bytes"}));
        assert!(!kept.to_string().contains("hunter2") && !kept.to_string().contains("aHVudGVy"));
    }
}
