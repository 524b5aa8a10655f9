//! Reads the neighbourhood of the subjects, within bounds and without failing.

mod calls;
mod choices;
mod logs;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use jiff::Timestamp;
use marple_core::{ObjectRef, Unseen};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reach::{HOPS, reach};
use super::{Event, Graph, Relation, Scene, field};
use crate::kubernetes::{Cluster, LookError};

/// How long the whole may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// The most pods, with their owners, that are kept behind a Service at the edge of what is near.
const BEHIND: usize = 10;

/// How many requests are under way at once.
const CONCURRENCY: usize = 8;

/// The most objects listed of a kind in a namespace.
const LIST_LIMIT: usize = 1_000;

/// The most namespaces that are read.
const NAMESPACES_LIMIT: usize = 6;

/// The most objects that are got one by one.
const GET_LIMIT: usize = 150;

/// What is listed of each namespace.
const LISTED: [&str; 17] = [
    "Pod",
    "Deployment",
    "ReplicaSet",
    "StatefulSet",
    "DaemonSet",
    "Job",
    "CronJob",
    "Service",
    "EndpointSlice",
    "PersistentVolumeClaim",
    "HorizontalPodAutoscaler",
    "PodDisruptionBudget",
    "Ingress",
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "ControllerRevision",
];

/// What is listed of each namespace where the cluster has such kinds, and as what it is known.
const OPTIONAL: [(&str, &str); 4] = [
    ("gateway.networking.k8s.io/Gateway", "Gateway"),
    ("gateway.networking.k8s.io/HTTPRoute", "HTTPRoute"),
    ("gateway.networking.k8s.io/GRPCRoute", "GRPCRoute"),
    ("cert-manager.io/Certificate", "Certificate"),
];

impl Scene {
    /// Reads the neighbourhood of the subjects: owners and dependents, what they name and what selects them, the
    /// Services that they call up to three calls away across namespaces, with events and the ends of logs.
    ///
    /// It takes at most 10 s. What is refused, fails or comes too late is in [`Scene::unseen`].
    pub async fn read(cluster: &Cluster, subjects: &[ObjectRef], now: Timestamp, cancel: &CancellationToken) -> Self {
        let reader = Reader {
            cluster,
            until: Instant::now() + DEADLINE,
            cancel,
            unseen: Mutex::default(),
            unreached: AtomicBool::new(false),
        };
        let mut scene = Self::of(Vec::new(), &[], Vec::new(), now);
        scene.subjects = subjects.to_vec();
        let mut read = Progress::default();
        let mut wanted = subjects
            .iter()
            .filter_map(|subject| match subject.kind.as_str() {
                "Namespace" => Some(subject.name.clone()),
                _ => subject.namespace.clone(),
            })
            .collect::<BTreeSet<_>>();
        reader.subjects(&mut scene, &mut read, &mut wanted).await;
        reader.walk(&mut scene, &mut read, wanted).await;
        let mut near = reach(&scene, &Graph::of(&scene));
        reader.logs(&mut scene, &near, logs::FIRST).await;
        reader.rules(&mut scene, &mut read).await;
        for _ in 0..HOPS {
            // What only a log names is within reach now: the address may stand in a Secret.
            let wanted = reader.next_namespaces(&mut scene, &mut read).await;
            if !wanted.is_empty() || reach(&scene, &Graph::of(&scene)).len() > near.len() {
                reader.walk(&mut scene, &mut read, wanted).await;
                near = reach(&scene, &Graph::of(&scene));
            }
            // Whom a log accuses may accuse the next.
            let known = scene.logs.len();
            reader.logs(&mut scene, &near, logs::LIMIT).await;
            if scene.logs.len() == known {
                break;
            }
        }
        reader.logs_of_called(&mut scene).await;
        scene.settle();
        scene.prune();
        scene.listed =
            Some(read.listed.iter().map(|(kind, namespace)| ((*kind).to_owned(), namespace.clone())).collect());
        scene.unseen = reader.told();
        scene.unreached = reader.unreached.load(Ordering::Relaxed);
        scene
    }

    /// Leaves what has to do with the subjects.
    fn prune(&mut self) {
        let graph = Graph::of(self);
        let mut near = reach(self, &graph);
        // A Service at the edge of it keeps what is behind it: it would seem to have nothing there.
        for service in near.keys().filter(|object| object.is("Service")).cloned().collect::<Vec<_>>() {
            let selected = graph.edges(&service).iter().filter(|edge| edge.relation == Relation::Selects);
            let behind = selected.flat_map(|edge| [edge.to.clone(), graph.top_owner(&edge.to)]);
            for object in behind.take(BEHIND).chain(graph.workloads_behind(&service)) {
                near.entry(object).or_insert(HOPS);
            }
        }
        self.objects.retain(|object, _| near.contains_key(object));
        self.missing.retain(|object| near.contains_key(object));
        self.rollouts.retain(|object, _| near.contains_key(object));
        self.events.retain(|event| {
            // A pod that had to go is no more within reach than anything that is gone; its owner is.
            near.contains_key(&event.about)
                || event.is_preemption() && near.contains_key(&graph.top_owner(&event.about))
        });
    }
}

/// What was read so far.
#[derive(Default)]
struct Progress {
    namespaces: BTreeSet<String>,
    listed: BTreeSet<(&'static str, String)>,
    asked: BTreeSet<ObjectRef>,
}

/// What a look came to.
enum Seen<T> {
    Found(T),
    Absent,
    Unseen,
}

struct Reader<'a> {
    cluster: &'a Cluster,
    until: Instant,
    cancel: &'a CancellationToken,
    unseen: Mutex<BTreeMap<String, BTreeSet<String>>>,
    unreached: AtomicBool,
}

impl Reader<'_> {
    /// Waits for a look until the deadline; what it can't see is noted.
    async fn look<T>(&self, what: String, look: impl Future<Output = Result<T, LookError>>) -> Seen<T> {
        let (error, unreached) = tokio::select! {
            () = self.cancel.cancelled() => ("the look was cancelled".to_owned(), true),
            ended = tokio::time::timeout_at(self.until, look) => match ended {
                Ok(Ok(found)) => return Seen::Found(found),
                Ok(Err(LookError::NotFound { .. } | LookError::UnknownKind { .. })) => return Seen::Absent,
                Ok(Err(LookError::Backend { why, .. })) => (format!("the API server failed or was not reached: {why}"), true),
                Ok(Err(LookError::Timeout { after, .. })) => (format!("the API server gave no answer in {} s", after.as_secs()), true),
                Ok(Err(LookError::Withheld { .. })) => ("the gate refuses a look at it (`gate.objects`)".to_owned(), false),
                Ok(Err(error)) => (error.to_string(), false),
                // A neighbourhood that is too large now is so in a minute.
                Err(_) => (format!("there was no time left of {} s", DEADLINE.as_secs()), false),
            },
        };
        self.unreached.fetch_or(unreached, Ordering::Relaxed);
        let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        unseen.entry(error).or_default().insert(what);
        Seen::Unseen
    }

    fn told(&self) -> Vec<Unseen> {
        let unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
        unseen
            .iter()
            .map(|(why, what)| {
                let mut named = what.iter().take(6).cloned().collect::<Vec<_>>().join(", ");
                if what.len() > 6 {
                    named = format!("{named} and {} more", what.len() - 6);
                }
                Unseen { what: named, why: why.clone() }
            })
            .collect()
    }

    /// Reads namespace after namespace as far as calls lead, with what is named there.
    async fn walk(&self, scene: &mut Scene, read: &mut Progress, mut wanted: BTreeSet<String>) {
        for _ in 0..=HOPS {
            self.namespaces(scene, read, &wanted).await;
            // What is named may name more: a claim its volume, a ConfigMap the next host.
            for _ in 0..2 {
                let near = reach(scene, &Graph::of(scene));
                self.named(scene, read, &near).await;
            }
            wanted = self.next_namespaces(scene, read).await;
            if wanted.is_empty() {
                break;
            }
        }
    }

    /// The subjects themselves, where a namespace's lists don't bring them; pods of a subject that is a node.
    async fn subjects(&self, scene: &mut Scene, read: &mut Progress, wanted: &mut BTreeSet<String>) {
        for subject in scene.subjects.clone() {
            if subject.is("Node") {
                let on = format!("spec.nodeName={}", subject.name);
                let pods = self.cluster.list("Pod", None, None, Some(&on), LIST_LIMIT);
                if let Seen::Found(pods) = self.look(format!("pods on {subject}"), pods).await {
                    scene.extend(pods);
                }
            }
            let listed = LISTED.contains(&subject.kind.as_str()) && subject.namespace.is_some();
            if !listed && read.asked.insert(subject.clone()) {
                let found = self.look(subject.to_string(), self.cluster.get(&subject)).await;
                if let Seen::Found(value) = &found {
                    // A claim brings a volume into view, whose own look is in its namespace.
                    wanted.extend(field::text(value, "/spec/claimRef/namespace").map(str::to_owned));
                }
                Self::take(scene, subject.clone(), found);
                self.events_of(scene, &subject).await;
                if subject.is("Namespace") {
                    self.remaining(scene, &subject).await;
                }
            }
        }
    }

    async fn events_of(&self, scene: &mut Scene, object: &ObjectRef) {
        if let Seen::Found(events) = self.look(format!("events of {object}"), self.cluster.events_of(object)).await {
            scene.events.extend(events.iter().filter_map(Event::of));
        }
    }

    fn take(scene: &mut Scene, object: ObjectRef, seen: Seen<Value>) {
        match seen {
            Seen::Found(mut value) => {
                // A node's list of images is most of it, and tells nothing here.
                if let Some(status) = value.pointer_mut("/status").and_then(Value::as_object_mut) {
                    status.remove("images");
                }
                scene.insert(value);
            }
            Seen::Absent => drop(scene.missing.insert(object)),
            Seen::Unseen => {}
        }
    }

    /// Which of the kinds that not every cluster has are served.
    async fn optional(&self) -> Vec<(&'static str, &'static str)> {
        let kinds = async { self.cluster.kinds().await };
        match self.look("the kinds that are served".to_owned(), kinds).await {
            Seen::Found(kinds) => OPTIONAL.into_iter().filter(|(asked, _)| kinds.find(asked).is_some()).collect(),
            Seen::Absent | Seen::Unseen => Vec::new(),
        }
    }

    /// Lists what is in namespaces that were not read yet.
    async fn namespaces(&self, scene: &mut Scene, read: &mut Progress, wanted: &BTreeSet<String>) {
        enum Part {
            Objects(&'static str, String, Seen<Vec<Value>>),
            Events(Seen<Vec<Value>>),
        }
        let mut looks: Vec<BoxFuture<'_, Part>> = Vec::new();
        let served = self.optional().await;
        for namespace in wanted {
            if read.namespaces.len() >= NAMESPACES_LIMIT {
                let why = format!("no more than {NAMESPACES_LIMIT} namespaces are read");
                let mut unseen = self.unseen.lock().unwrap_or_else(PoisonError::into_inner);
                unseen.entry(why).or_default().insert(format!("namespace {namespace}"));
                continue;
            }
            if !read.namespaces.insert(namespace.clone()) {
                continue;
            }
            for (asked, kind) in LISTED.into_iter().map(|kind| (kind, kind)).chain(served.iter().copied()) {
                let namespace = namespace.clone();
                looks.push(Box::pin(async move {
                    let list = self.cluster.list(asked, Some(&namespace), None, None, LIST_LIMIT);
                    let seen = self.look(format!("{kind}s in namespace {namespace}"), list).await;
                    Part::Objects(kind, namespace, seen)
                }));
            }
            let namespace = namespace.clone();
            looks.push(Box::pin(async move {
                let events = self.cluster.events_in(&namespace);
                Part::Events(self.look(format!("events in namespace {namespace}"), events).await)
            }));
        }
        let mut looks = futures::stream::iter(looks).buffer_unordered(CONCURRENCY);
        while let Some(part) = looks.next().await {
            match part {
                Part::Objects(kind, namespace, Seen::Found(objects)) => {
                    if objects.len() < LIST_LIMIT && self.cluster.shows_all(kind, &namespace) {
                        read.listed.insert((kind, namespace));
                    }
                    scene.extend(objects);
                }
                Part::Events(Seen::Found(events)) => scene.events.extend(events.iter().filter_map(Event::of)),
                Part::Objects(..) | Part::Events(_) => {}
            }
        }
    }

    /// Gets objects within reach that no list brought.
    async fn named(&self, scene: &mut Scene, read: &mut Progress, near: &BTreeMap<ObjectRef, usize>) {
        let mut wanted = Vec::new();
        for object in near.keys() {
            if scene.get(object).is_some() {
                continue;
            }
            let namespace = object.namespace.clone().unwrap_or_default();
            if read.listed.iter().any(|(kind, listed)| *kind == object.kind && *listed == namespace) {
                scene.missing.insert(object.clone());
            } else if read.asked.len() < GET_LIMIT && read.asked.insert(object.clone()) {
                wanted.push(object.clone());
            }
        }
        let looks = wanted.into_iter().map(|object| {
            let look: BoxFuture<'_, (ObjectRef, Seen<Value>)> = Box::pin(async move {
                let seen = self.look(object.to_string(), self.cluster.get(&object)).await;
                (object, seen)
            });
            look
        });
        let got =
            futures::stream::iter(looks.collect::<Vec<_>>()).buffer_unordered(CONCURRENCY).collect::<Vec<_>>().await;
        for (object, seen) in got {
            let node = object.is("Node").then(|| object.clone());
            Self::take(scene, object, seen);
            if let Some(node) = node {
                self.events_of(scene, &node).await;
            }
        }
        self.choices(scene, read).await;
    }
}

#[cfg(test)]
mod tests;
