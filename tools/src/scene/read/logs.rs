//! Reads the ends of logs that may tell why.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt;
use futures::future::BoxFuture;
use jiff::SignedDuration;
use marple_core::ObjectRef;

use super::{CONCURRENCY, Reader, Seen};
use crate::kubernetes::LogRequest;
use crate::scene::spoken::{troubled_addresses, troubled_hosts};
use crate::scene::{Graph, Log, Scene, field};

/// The most logs in all, and in the first round, which leaves some for what the first ones name.
pub(super) const LIMIT: usize = 24;
pub(super) const FIRST: usize = 16;

/// Of each log the most lines and bytes.
const LINES: u32 = 200;
const BYTES: usize = 64 << 10;

/// The most pods of one workload whose logs are read.
const PODS_LIMIT: usize = 3;

/// How many calls away from the subjects a log is read that nothing points at.
const CALLED: usize = 2;

/// How far back the log of a container that runs is read.
const SPAN: SignedDuration = SignedDuration::from_hours(1);

impl Reader<'_> {
    /// Ends of the logs of containers that are broken, of the subjects' own pods, and of those whom logs accuse, until
    /// there are `most` in all.
    pub(super) async fn logs(&self, scene: &mut Scene, near: &BTreeMap<ObjectRef, usize>, most: usize) {
        let requests = wanted(scene, near);
        self.take_logs(scene, requests, most).await;
    }

    /// Ends of the logs of those whom the subjects call, where nothing tells yet why: a callee that is ready may be the
    /// only one that says what ails it.
    pub(super) async fn logs_of_called(&self, scene: &mut Scene) {
        let requests = called(scene);
        self.take_logs(scene, requests, LIMIT).await;
    }

    async fn take_logs(&self, scene: &mut Scene, mut requests: Vec<LogRequest>, most: usize) {
        requests.truncate(most.saturating_sub(scene.logs.len()));
        let looks = requests.into_iter().map(|request| {
            let look: BoxFuture<'_, Option<Log>> = Box::pin(async move {
                let pod = ObjectRef::namespaced("Pod", &request.namespace, &request.pod);
                match self.look(request.title(), self.cluster.logs(&request)).await {
                    Seen::Found(text) if !text.trim().is_empty() && !is_of_kubelet(&text) => Some(Log {
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

/// Whether it is no log but the kubelet's word that there is none, which it gives in the log's place.
fn is_of_kubelet(text: &str) -> bool {
    text.starts_with("unable to retrieve container logs for ") && text.trim_end().lines().count() == 1
}

/// Which logs tell most: of broken containers, the subjects' first, then of the subjects' pods that run, then of those
/// whom a log accuses. Those that are read already are left out.
fn wanted(scene: &Scene, near: &BTreeMap<ObjectRef, usize>) -> Vec<LogRequest> {
    let graph = Graph::of(scene);
    let tops = scene.subjects.iter().map(|subject| graph.top_owner(subject)).collect::<BTreeSet<_>>();
    let accused = accused(scene, &graph);
    let mut taken = BTreeMap::<ObjectRef, BTreeSet<&ObjectRef>>::new();
    let mut ranked = Vec::new();
    for (pod, value) in scene.of_kind("Pod").filter(|(pod, _)| near.contains_key(pod)) {
        let unit = graph.top_owner(pod);
        let of_subject = tops.contains(&unit);
        for statuses in ["/status/initContainerStatuses", "/status/containerStatuses"] {
            for status in field::items(value, statuses) {
                let ended_well = field::text(status, "/state/terminated/reason") == Some("Completed");
                let restarted = status.pointer("/lastState/terminated").is_some();
                let broken = !ended_well && (!field::flag(status, "/ready") || restarted);
                if broken || (!ended_well && (of_subject || accused.contains(&unit))) {
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
        let request = end_of(namespace, pod, name);
        if status.pointer("/lastState/terminated").is_some() && scene.log(pod, name, true).is_none() {
            requests.push(LogRequest { previous: true, ..request.clone() });
        }
        if status.pointer("/state/waiting").is_none() && scene.log(pod, name, false).is_none() {
            let since = status.pointer("/state/running").map(|_| scene.now - SPAN);
            requests.push(LogRequest { since, ..request });
        }
    }
    requests
}

/// The end of a container's log.
fn end_of(namespace: &str, pod: &ObjectRef, container: &str) -> LogRequest {
    LogRequest {
        container: Some(container.to_owned()),
        tail_lines: Some(LINES),
        limit_bytes: Some(BYTES),
        ..LogRequest::new(namespace, &pod.name)
    }
}

/// The logs of one ready pod each of the workloads that the subjects call, and of those whom these call; none where a
/// container of the subjects is broken, or a log accuses somebody.
fn called(scene: &Scene) -> Vec<LogRequest> {
    let accuses = |log: &Log| !troubled_hosts(&log.text).is_empty() || !troubled_addresses(&log.text).is_empty();
    if scene.logs.iter().any(accuses) {
        return Vec::new();
    }
    let graph = Graph::of(scene);
    let tops = scene.subjects.iter().map(|subject| graph.top_owner(subject)).collect::<BTreeSet<_>>();
    let pods_of = |unit: &ObjectRef| graph.members(unit).iter().filter(|member| member.is("Pod")).collect::<Vec<_>>();
    let is_ready = |pod: &ObjectRef| scene.get(pod).is_some_and(field::is_ready);
    if tops.iter().flat_map(pods_of).any(|pod| !is_ready(pod)) {
        return Vec::new();
    }
    let mut units = tops.clone();
    let mut requests = Vec::new();
    let mut callers = tops;
    for _ in 0..CALLED {
        let services = graph.calls().filter(|(caller, ..)| callers.contains(*caller)).map(|(_, service, _)| service);
        let behind = services.flat_map(|service| graph.workloads_behind(service)).collect::<BTreeSet<_>>();
        callers = behind.into_iter().filter(|unit| units.insert(unit.clone())).collect();
        for pod in callers.iter().filter_map(|unit| pods_of(unit).into_iter().find(|pod| is_ready(pod))) {
            let Some(namespace) = pod.namespace.as_deref() else { continue };
            let statuses = scene.get(pod).map(|pod| field::items(pod, "/status/containerStatuses")).unwrap_or_default();
            let running = statuses.iter().filter(|status| status.pointer("/state/running").is_some());
            let unread = running
                .filter_map(|status| field::text(status, "/name"))
                .filter(|name| scene.log(pod, name, false).is_none());
            let since = Some(scene.now - SPAN);
            requests.extend(unread.map(|name| LogRequest { since, ..end_of(namespace, pod, name) }));
        }
    }
    requests
}

/// The workloads behind the Services that the logs name with trouble.
fn accused(scene: &Scene, graph: &Graph) -> BTreeSet<ObjectRef> {
    let mut found = BTreeSet::new();
    for log in &scene.logs {
        let Some(namespace) = log.pod.namespace.as_deref() else { continue };
        for target in troubled_hosts(&log.text) {
            found.extend(graph.workloads_behind(&target.service(namespace)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::{Value, json};

    use super::*;

    /// A workload that calls `calls`, with its pod and its Service.
    fn workload(name: &str, calls: &str, ready: &str) -> Vec<Value> {
        let env = json!([{"name": "DOWNSTREAM", "value": format!("http://{calls}:80")}]);
        let spec = json!({"containers": [{"name": "app", "env": env}]});
        vec![
            json!({"kind": "StatefulSet", "metadata": {"namespace": "shop", "name": name},
                "spec": {"template": {"metadata": {"labels": {"app": name}}, "spec": spec}}}),
            json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": format!("{name}-0"), "labels": {"app": name},
                "ownerReferences": [{"kind": "StatefulSet", "name": name, "controller": true}]}, "spec": spec,
                "status": {"conditions": [{"type": "Ready", "status": ready}],
                    "containerStatuses": [{"name": "app", "ready": ready == "True", "state": {"running": {}}}]}}),
            json!({"kind": "Service", "metadata": {"namespace": "shop", "name": name}, "spec": {"selector": {"app": name}}}),
        ]
    }

    fn asked(web: &str, log: &str) -> Vec<String> {
        let objects = [
            workload("web", "cart", web),
            workload("cart", "db", "True"),
            workload("db", "disk", "True"),
            workload("disk", "none", "True"),
        ];
        let pod = ObjectRef::namespaced("Pod", "shop", "web-0");
        let text = log.to_owned();
        let logs = vec![Log { pod, container: "app".to_owned(), previous: false, text }];
        let mut scene = Scene::of(objects.concat(), &[], logs, Timestamp::UNIX_EPOCH);
        scene.subjects = vec![ObjectRef::namespaced("StatefulSet", "shop", "web")];
        called(&scene).into_iter().map(|request| request.pod).collect()
    }

    #[test]
    fn those_whom_a_silent_caller_calls_are_read_two_calls_away() {
        assert_eq!(asked("True", "order 7 took 9 s"), ["cart-0", "db-0"]);
        assert!(asked("True", "dial tcp cart:80: connection refused").is_empty(), "the log accuses somebody");
        assert!(asked("False", "order 7 took 9 s").is_empty(), "the subject itself is broken");
    }
}
