//! Reads the neighbourhood of the subjects, within bounds and without failing.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use marple_core::{ObjectRef, Unseen};
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::graph::{configured_hosts, references, spoken_hosts};
use super::reach::{HOPS, reach};
use super::{Event, Graph, Log, Scene, Target, field};
use crate::kubernetes::{Cluster, LogRequest, LookError};

/// How long the whole may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How many requests are under way at once.
const CONCURRENCY: usize = 8;

/// The most objects listed of a kind in a namespace.
const LIST_LIMIT: usize = 1_000;

/// The most namespaces that are read.
const NAMESPACES_LIMIT: usize = 6;

/// The most objects that are got one by one.
const GET_LIMIT: usize = 150;

/// The most logs, and of each the most lines and bytes.
const LOGS_LIMIT: usize = 24;
const LOG_LINES: u32 = 200;
const LOG_BYTES: usize = 64 << 10;

/// The most pods of one workload whose logs are read.
const PODS_LIMIT: usize = 3;

/// How far back the log of a container that runs is read.
const LOG_SPAN: SignedDuration = SignedDuration::from_hours(1);

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
        for _ in 0..=HOPS {
            reader.namespaces(&mut scene, &mut read, &wanted).await;
            // What is named may name more: a claim its volume, a ConfigMap the next host.
            for _ in 0..2 {
                let near = reach(&scene, &Graph::of(&scene));
                reader.named(&mut scene, &mut read, &near).await;
            }
            wanted = reader.next_namespaces(&mut scene, &mut read).await;
            if wanted.is_empty() {
                break;
            }
        }
        scene.settle();
        scene.prune();
        scene.listed =
            Some(read.listed.iter().map(|(kind, namespace)| ((*kind).to_owned(), namespace.clone())).collect());
        reader.logs(&mut scene).await;
        scene.unseen = reader.told();
        scene.unreached = reader.unreached.load(Ordering::Relaxed);
        scene
    }

    /// Leaves what has to do with the subjects.
    fn prune(&mut self) {
        let near = reach(self, &Graph::of(self));
        self.objects.retain(|object, _| near.contains_key(object));
        self.missing.retain(|object| near.contains_key(object));
        self.rollouts.retain(|object, _| near.contains_key(object));
        self.events.retain(|event| near.contains_key(&event.about));
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

    /// Lists what is in namespaces that were not read yet.
    async fn namespaces(&self, scene: &mut Scene, read: &mut Progress, wanted: &BTreeSet<String>) {
        enum Part {
            Objects(&'static str, String, Seen<Vec<Value>>),
            Events(Seen<Vec<Value>>),
        }
        let mut looks: Vec<BoxFuture<'_, Part>> = Vec::new();
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
            for kind in LISTED {
                let namespace = namespace.clone();
                looks.push(Box::pin(async move {
                    let list = self.cluster.list(kind, Some(&namespace), None, None, LIST_LIMIT);
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
                    if objects.len() < LIST_LIMIT {
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
        self.nodes_for_unscheduled(scene, read).await;
    }

    /// A pod that fits no node is explained by what the nodes offer.
    async fn nodes_for_unscheduled(&self, scene: &mut Scene, read: &mut Progress) {
        let everywhere = ObjectRef::cluster("Node", "*");
        let unscheduled = scene.of_kind("Pod").any(|(_, pod)| {
            field::text(pod, "/status/phase") == Some("Pending") && field::text(pod, "/spec/nodeName").is_none()
        });
        if unscheduled && read.asked.insert(everywhere) {
            let nodes = self.cluster.list("Node", None, None, None, 100);
            if let Seen::Found(nodes) = self.look("Nodes".to_owned(), nodes).await {
                for node in nodes {
                    if let Some(object) = field::reference(&node) {
                        Self::take(scene, object, Seen::Found(node));
                    }
                }
            }
        }
    }

    /// Namespaces that hold Services which the workloads within reach call. A Service that is called and is not there
    /// becomes missing.
    async fn next_namespaces(&self, scene: &mut Scene, read: &mut Progress) -> BTreeSet<String> {
        let graph = Graph::of(scene);
        let mut called = BTreeMap::<ObjectRef, bool>::new();
        for (object, hops) in reach(scene, &graph) {
            let (Some(value), Some(namespace)) = (scene.get(&object), object.namespace.as_deref()) else { continue };
            let Some(spec) = field::pod_spec(value).filter(|_| hops < HOPS) else { continue };
            let mut spoken = spoken_hosts(spec);
            for (config, _) in references(namespace, spec).iter().filter(|(to, _)| to.is("ConfigMap")) {
                spoken.extend(scene.get(config).map(|value| configured_hosts(config, value)).unwrap_or_default());
            }
            for (Target { namespace: other, name, sure, port, .. }, _) in spoken {
                let service = ObjectRef::namespaced("Service", other.as_deref().unwrap_or(namespace), name);
                *called.entry(service).or_default() |= sure || (other.is_none() && port.is_some());
            }
        }
        let mut next = BTreeSet::new();
        for (service, sure) in called {
            let Some(namespace) = service.namespace.clone() else { continue };
            if scene.get(&service).is_some() {
                next.extend((!read.namespaces.contains(&namespace)).then_some(namespace));
                continue;
            }
            if read.namespaces.contains(&namespace) {
                if sure && read.listed.contains(&("Service", namespace)) {
                    scene.missing.insert(service);
                }
            } else if read.asked.len() < GET_LIMIT && read.asked.insert(service.clone()) {
                let named = format!("metadata.name={}", service.name);
                let list = self.cluster.list("Service", Some(&namespace), None, Some(&named), 1);
                match self.look(service.to_string(), list).await {
                    Seen::Found(found) if found.is_empty() && sure => drop(scene.missing.insert(service)),
                    Seen::Found(found) if !found.is_empty() => drop(next.insert(namespace)),
                    _ => {}
                }
            }
        }
        next
    }

    /// Ends of the logs of containers that are broken, and of the subjects' own pods.
    async fn logs(&self, scene: &mut Scene) {
        let requests = wanted_logs(scene);
        let looks = requests.into_iter().map(|request| {
            let look: BoxFuture<'_, Option<Log>> = Box::pin(async move {
                let pod = ObjectRef::namespaced("Pod", &request.namespace, &request.pod);
                match self.look(request.title(), self.cluster.logs(&request)).await {
                    Seen::Found(text) if !text.trim().is_empty() => Some(Log {
                        pod,
                        container: request.container.unwrap_or_default(),
                        previous: request.previous,
                        text: crate::view::plain(&text).into_owned(),
                    }),
                    _ => None,
                }
            });
            look
        });
        let logs = futures::stream::iter(looks.collect::<Vec<_>>()).buffered(CONCURRENCY).collect::<Vec<_>>().await;
        scene.logs.extend(logs.into_iter().flatten());
    }
}

/// Which logs tell most: of broken containers, the subjects' first, then of the subjects' pods that run.
fn wanted_logs(scene: &Scene) -> Vec<LogRequest> {
    let graph = Graph::of(scene);
    let tops = scene.subjects.iter().map(|subject| graph.top_owner(subject)).collect::<BTreeSet<_>>();
    let mut taken = BTreeMap::<ObjectRef, BTreeSet<&ObjectRef>>::new();
    let mut ranked = Vec::new();
    for (pod, value) in scene.of_kind("Pod") {
        let unit = graph.top_owner(pod);
        let of_subject = tops.contains(&unit);
        for statuses in ["/status/initContainerStatuses", "/status/containerStatuses"] {
            for status in field::items(value, statuses) {
                let ended_well = field::text(status, "/state/terminated/reason") == Some("Completed");
                let restarted = status.pointer("/lastState/terminated").is_some();
                let broken = !ended_well && (!field::flag(status, "/ready") || restarted);
                if broken || (of_subject && !ended_well) {
                    ranked.push((!broken, !scene.subjects.contains(pod), !of_subject, pod, unit.clone(), status));
                }
            }
        }
    }
    ranked.sort_by_key(|one| (one.0, one.1, one.2));
    let mut requests = Vec::new();
    for (_, _, _, pod, unit, status) in ranked {
        let pods = taken.entry(unit).or_default();
        if !pods.contains(pod) && pods.len() >= PODS_LIMIT {
            continue;
        }
        pods.insert(pod);
        let (Some(name), Some(namespace)) = (field::text(status, "/name"), pod.namespace.as_deref()) else { continue };
        let request = LogRequest {
            container: Some(name.to_owned()),
            tail_lines: Some(LOG_LINES),
            limit_bytes: Some(LOG_BYTES),
            ..LogRequest::new(namespace, &pod.name)
        };
        if status.pointer("/lastState/terminated").is_some() {
            requests.push(LogRequest { previous: true, ..request.clone() });
        }
        if status.pointer("/state/waiting").is_none() {
            let since = status.pointer("/state/running").map(|_| scene.now - LOG_SPAN);
            requests.push(LogRequest { since, ..request });
        }
    }
    requests.truncate(LOGS_LIMIT);
    requests
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;
    use crate::kubernetes::double::Double;

    fn list(items: &[Value]) -> Value {
        json!({"kind": "List", "metadata": {}, "items": items})
    }

    async fn read(double: &Double, subject: &ObjectRef) -> Scene {
        let now = "2026-01-02T12:00:00Z".parse().unwrap();
        Scene::read(&double.cluster(), std::slice::from_ref(subject), now, &CancellationToken::new()).await
    }

    fn deployment() -> Value {
        json!({"metadata": {"namespace": "shop", "name": "cart"}, "spec": {"template": {"metadata": {"labels": {"app": "cart"}},
            "spec": {"containers": [{"name": "app", "env": [{"name": "DATABASE", "value": "db.payments.svc:5432"}],
                "envFrom": [{"configMapRef": {"name": "cart-config"}}, {"secretRef": {"name": "cart-secret"}}]}]}}}})
    }

    #[tokio::test]
    async fn what_a_workload_names_is_read_across_namespaces_and_secrets_lose_their_values() {
        let double = Double::start().await;
        let apps = "/apis/apps/v1/namespaces";
        double.answer(&format!("{apps}/shop/deployments"), 200, &list(&[deployment()])).await;
        let db = json!({"metadata": {"namespace": "payments", "name": "db"}, "spec": {"template": {"metadata": {"labels": {"app": "db"}}, "spec": {}}}});
        double.answer(&format!("{apps}/payments/deployments"), 200, &list(&[db])).await;
        let service = json!({"metadata": {"namespace": "payments", "name": "db"}, "spec": {"selector": {"app": "db"}}});
        let typed = json!({"kind": "Service", "metadata": {"namespace": "payments", "name": "db"}, "spec": {"selector": {"app": "db"}}});
        double.answer("/api/v1/namespaces/payments/services", 200, &list(&[service])).await;
        double.answer("/api/v1/namespaces/payments/services/db", 200, &typed).await;
        let secret = json!({"kind": "Secret", "metadata": {"namespace": "shop", "name": "cart-secret"}, "data": {"key": "aHVudGVyMg=="}});
        double.answer("/api/v1/namespaces/shop/secrets/cart-secret", 200, &secret).await;
        let scene = read(&double, &ObjectRef::namespaced("Deployment", "shop", "cart")).await;
        let names = scene.objects.keys().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(
            names,
            ["Deployment payments/db", "Deployment shop/cart", "Secret shop/cart-secret", "Service payments/db"]
        );
        assert_eq!(scene.missing.iter().map(ToString::to_string).collect::<Vec<_>>(), ["ConfigMap shop/cart-config"]);
        assert!(!format!("{scene:?}").contains("aHVudGVyMg"));
        let graph = Graph::of(&scene);
        let dependencies = graph.dependencies(&ObjectRef::namespaced("Deployment", "shop", "cart"));
        assert!(dependencies.iter().any(|edge| edge.to == ObjectRef::namespaced("Deployment", "payments", "db")));
    }

    #[tokio::test]
    async fn what_is_refused_is_told_and_proves_no_absence() {
        let double = Double::start().await;
        double.answer("/apis/apps/v1/namespaces/shop/deployments", 200, &list(&[deployment()])).await;
        let refusal = json!({"kind": "Status", "code": 403, "reason": "Forbidden", "message": "pods is forbidden"});
        double.answer("/api/v1/namespaces/shop/pods", 403, &refusal).await;
        let scene = read(&double, &ObjectRef::namespaced("Deployment", "shop", "cart")).await;
        assert!(scene.unseen.iter().any(|unseen| unseen.what == "Pods in namespace shop"), "{:?}", scene.unseen);
        assert!(!scene.lists("Pod", Some("shop")) && scene.lists("Deployment", Some("shop")));
    }

    #[tokio::test]
    async fn an_api_server_that_is_away_leaves_an_empty_scene_that_says_so() {
        rustls::crypto::ring::default_provider().install_default().ok();
        let away = kube::Client::try_from(kube::Config::new("http://127.0.0.1:1".parse().unwrap())).unwrap();
        let subject = ObjectRef::namespaced("Pod", "shop", "cart-1");
        let scene =
            Scene::read(&Cluster::new(away), &[subject], Timestamp::UNIX_EPOCH, &CancellationToken::new()).await;
        assert!(scene.objects.is_empty() && scene.missing.is_empty());
        assert_eq!(scene.unseen.len(), 1, "{:?}", scene.unseen);
    }
}
