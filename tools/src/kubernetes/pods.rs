//! A pod in one line, by the rules of `kubectl get pods`.

use jiff::Timestamp;
use serde_json::Value;

use super::clock::Clock;
use super::family::images;
use super::field::{entries, flag, items, name, number, plain, text, time};
use crate::view::{alike, counted, names};

/// The most pods that are named and nodes that are counted of those alike.
const NAMES: usize = 3;
const NODES: usize = 4;

/// The labels by which controllers mark the revision of a pod's template.
const REVISION_LABELS: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

/// What a pod's line tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) ready: usize,
    pub(crate) containers: usize,
    /// As `CrashLoopBackOff`, `Init:0/1`, `Terminating`.
    pub(crate) status: String,
    pub(crate) restarts: i64,
    pub(crate) last_restart: Option<Timestamp>,
}

/// How bad a pod's state is, for an order with the worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Health {
    /// A container fails, or the pod can't be placed, started or kept.
    Failing,
    /// It runs, and is not ready.
    NotReady,
    /// It is being made or ended.
    Changing,
    /// It is ready after a restart.
    Restarted,
    /// It is ready, or done.
    Well,
}

impl Summary {
    pub(crate) fn of(pod: &Value) -> Self {
        let statuses: Vec<&Value> = items(pod, "/status/containerStatuses").collect();
        let sidecars = sidecars(pod);
        let inits: Vec<&Value> = items(pod, "/status/initContainerStatuses").collect();
        let is_sidecar = |status: &&&Value| text(status, "/name").is_some_and(|name| sidecars.contains(&name));
        let counted = statuses.iter().chain(inits.iter().filter(is_sidecar));
        let finished = |status: &Value| time(status, "/lastState/terminated/finishedAt");
        Self {
            ready: counted.clone().filter(|status| flag(status, "/ready")).count(),
            containers: items(pod, "/spec/containers").count() + sidecars.len(),
            status: status(pod, &statuses, &inits, &sidecars),
            restarts: counted.clone().filter_map(|status| number(status, "/restartCount")).sum(),
            last_restart: counted.filter_map(|status| finished(status)).max(),
        }
    }

    pub(crate) fn health(&self) -> Health {
        let word = self.status.rsplit(':').next().unwrap_or_default();
        match self.status.as_str() {
            "Running" if self.ready < self.containers => Health::NotReady,
            "Running" if self.restarts > 0 => Health::Restarted,
            "Running" | "Completed" | "Succeeded" => Health::Well,
            "Terminating" | "ContainerCreating" | "PodInitializing" => Health::Changing,
            _ if self.status.starts_with("Init:") && word.contains('/') => Health::Changing,
            _ => Health::Failing,
        }
    }

    /// As `0/1 CrashLoopBackOff, 5 restarts (last 2m ago)`.
    pub(crate) fn told(&self, clock: Clock) -> String {
        let restarts = match (self.restarts, self.last_restart) {
            (0, _) => String::new(),
            (1, None) => ", 1 restart".to_owned(),
            (1, Some(at)) => format!(", 1 restart ({})", clock.when(at)),
            (count, None) => format!(", {count} restarts"),
            (count, Some(at)) => format!(", {count} restarts (last {})", clock.when(at)),
        };
        format!("{}/{} {}{restarts}", self.ready, self.containers, self.status)
    }
}

/// The init containers that go on running beside the others.
fn sidecars(pod: &Value) -> Vec<&str> {
    items(pod, "/spec/initContainers")
        .filter(|container| text(container, "/restartPolicy") == Some("Always"))
        .filter_map(|container| text(container, "/name"))
        .collect()
}

fn status(pod: &Value, statuses: &[&Value], inits: &[&Value], sidecars: &[&str]) -> String {
    let phase = text(pod, "/status/phase").unwrap_or("Unknown");
    let mut word = text(pod, "/status/reason").unwrap_or(phase).to_owned();
    if items(pod, "/status/conditions").any(|condition| {
        text(condition, "/type") == Some("PodScheduled")
            && matches!(text(condition, "/reason"), Some("SchedulingGated"))
    }) {
        "SchedulingGated".clone_into(&mut word);
    }
    if let Some(initializing) = initializing(pod, inits, sidecars) {
        word = initializing;
    } else {
        let mut running = false;
        for status in statuses.iter().rev() {
            if let Some(reason) =
                text(status, "/state/waiting/reason").or_else(|| text(status, "/state/terminated/reason"))
            {
                reason.clone_into(&mut word);
            } else if let Some(code) = number(status, "/state/terminated/exitCode") {
                word = match number(status, "/state/terminated/signal") {
                    Some(signal) if signal != 0 => format!("Signal:{signal}"),
                    _ => format!("ExitCode:{code}"),
                };
            } else if flag(status, "/ready") && status.pointer("/state/running").is_some() {
                running = true;
            }
        }
        // One container done and another running is a pod that runs.
        if word == "Completed" && running {
            let ready = items(pod, "/status/conditions").any(|condition| {
                text(condition, "/type") == Some("Ready") && text(condition, "/status") == Some("True")
            });
            if ready { "Running" } else { "NotReady" }.clone_into(&mut word);
        }
    }
    if pod.pointer("/metadata/deletionTimestamp").is_some() {
        let lost = text(pod, "/status/reason") == Some("NodeLost");
        if lost { "Unknown" } else { "Terminating" }.clone_into(&mut word);
    }
    word
}

/// The state of the first init container that isn't done.
fn initializing(pod: &Value, inits: &[&Value], sidecars: &[&str]) -> Option<String> {
    let total = items(pod, "/spec/initContainers").count();
    inits.iter().enumerate().find_map(|(index, status)| {
        let sidecar = text(status, "/name").is_some_and(|name| sidecars.contains(&name));
        if number(status, "/state/terminated/exitCode") == Some(0) || sidecar && flag(status, "/started") {
            return None;
        }
        let waiting = text(status, "/state/waiting/reason").filter(|reason| *reason != "PodInitializing");
        let ended = || {
            let code = number(status, "/state/terminated/exitCode")?;
            Some(text(status, "/state/terminated/reason").map_or_else(|| format!("ExitCode:{code}"), str::to_owned))
        };
        Some(match waiting.map(str::to_owned).or_else(ended) {
            Some(reason) => format!("Init:{reason}"),
            None => format!("Init:{index}/{total}"),
        })
    })
}

/// Sorts pods with the worst first, and of equally bad ones the one that restarted most.
pub(crate) fn worst_first(pods: &mut [Value]) {
    pods.sort_by_cached_key(|pod| {
        let summary = Summary::of(pod);
        (summary.health(), std::cmp::Reverse(summary.restarts), name(pod).to_owned())
    });
}

/// One line on a pod.
pub(crate) fn line(pod: &Value, clock: Clock) -> String {
    let age = time(pod, "/metadata/creationTimestamp").map(|at| format!(", created {}", clock.when(at)));
    let node = text(pod, "/spec/nodeName").map(|node| format!(", on {node}"));
    format!("{}  {}{}{}", name(pod), Summary::of(pod).told(clock), node.unwrap_or_default(), age.unwrap_or_default())
}

/// Lines on pods, those that are alike as one: the same state, revision and images, and neither or each restarted. What
/// differs among equals (node, age, restarts) is told as a range or with counts.
pub(crate) fn lines(pods: &[Value], clock: Clock) -> Vec<String> {
    let revision = |pod: &Value| {
        entries(pod, "/metadata/labels")
            .find(|(label, _)| REVISION_LABELS.contains(label))
            .map(|(_, value)| plain(value))
            .unwrap_or_default()
    };
    let several = alike(pods, revision).len() > 1;
    let key = |pod: &Value| {
        let summary = Summary::of(pod);
        (summary.ready, summary.containers, summary.status, summary.restarts > 0, revision(pod), images(pod))
    };
    alike(pods, key)
        .into_iter()
        .map(|group| match group.as_slice() {
            [only] if several && !revision(only).is_empty() => {
                format!("{}, revision {}", line(only, clock), revision(only))
            }
            [only] => line(only, clock),
            several_pods => {
                let told = group_line(several_pods, clock);
                let revision = several_pods.first().map(|pod| revision(pod)).unwrap_or_default();
                if several && !revision.is_empty() { format!("{told}, revision {revision}") } else { told }
            }
        })
        .collect()
}

/// One line on pods that are alike.
fn group_line(pods: &[&Value], clock: Clock) -> String {
    let summaries: Vec<Summary> = pods.iter().map(|pod| Summary::of(pod)).collect();
    let state = summaries.first().map(|one| format!("{}/{} {}", one.ready, one.containers, one.status));
    let restarts = summaries.iter().map(|one| one.restarts);
    let restarts = match (restarts.clone().min(), restarts.max()) {
        (_, None | Some(0)) => String::new(),
        (Some(fewest), Some(most)) if fewest < most => format!(", {fewest} to {most} restarts"),
        (_, Some(most)) => format!(", {most} restarts each"),
    };
    let last = summaries.iter().filter_map(|one| one.last_restart).max();
    let last = last.map(|at| format!(" (last {})", clock.when(at))).unwrap_or_default();
    let nodes = counted(pods.iter().filter_map(|pod| text(pod, "/spec/nodeName")), NODES);
    let nodes = if nodes.is_empty() { nodes } else { format!(", on {nodes}") };
    let created = pods.iter().filter_map(|pod| time(pod, "/metadata/creationTimestamp"));
    let created = match (created.clone().min(), created.max()) {
        (Some(first), Some(last)) if clock.when(first) != clock.when(last) => {
            format!(", created {} to {}", clock.when(first), clock.when(last))
        }
        (Some(at), _) => format!(", created {}", clock.when(at)),
        _ => String::new(),
    };
    let all: Vec<&str> = pods.iter().map(|pod| name(pod)).collect();
    format!(
        "{}  {} alike: {}{restarts}{last}{nodes}{created}",
        names(&all, NAMES),
        pods.len(),
        state.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn summary(pod: &Value) -> (String, Health) {
        let summary = Summary::of(pod);
        (format!("{}/{} {} {}", summary.ready, summary.containers, summary.status, summary.restarts), summary.health())
    }

    #[test]
    fn a_crashing_container_names_the_pods_state() {
        let pod = json!({"spec": {"containers": [{}, {}]}, "status": {"phase": "Running", "containerStatuses": [
            {"ready": true, "restartCount": 0, "state": {"running": {}}},
            {"ready": false, "restartCount": 4, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        assert_eq!(summary(&pod), ("1/2 CrashLoopBackOff 4".to_owned(), Health::Failing));
    }

    #[test]
    fn init_containers_are_told_by_their_number_or_their_fault() {
        let init = |state: Value| {
            json!({"spec": {"initContainers": [{}, {}], "containers": [{}]}, "status": {"phase": "Pending",
            "initContainerStatuses": [{"state": {"terminated": {"exitCode": 0}}}, {"state": state}], "containerStatuses": []}})
        };
        assert_eq!(summary(&init(json!({"running": {}}))), ("0/1 Init:1/2 0".to_owned(), Health::Changing));
        let fault = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
        assert_eq!(summary(&init(fault)), ("0/1 Init:Error 0".to_owned(), Health::Failing));
    }

    #[test]
    fn a_sidecar_that_has_started_counts_as_a_container() {
        let pod = json!({"spec": {"initContainers": [{"name": "proxy", "restartPolicy": "Always"}], "containers": [{"name": "app"}]},
            "status": {"phase": "Running", "initContainerStatuses": [{"name": "proxy", "started": true, "ready": true, "state": {"running": {}}}],
            "containerStatuses": [{"name": "app", "ready": false, "state": {"running": {}}}]}});
        assert_eq!(summary(&pod), ("1/2 Running 0".to_owned(), Health::NotReady));
    }

    #[test]
    fn what_ends_is_terminating_and_what_is_done_is_well() {
        let done = json!({"spec": {"containers": [{}]}, "status": {"phase": "Succeeded", "containerStatuses": [
            {"ready": false, "state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}]}});
        assert_eq!(summary(&done), ("0/1 Completed 0".to_owned(), Health::Well));
        let ending = json!({"metadata": {"deletionTimestamp": "x"}, "spec": {"containers": [{}]}, "status": {"phase": "Running"}});
        assert_eq!(summary(&ending), ("0/1 Terminating 0".to_owned(), Health::Changing));
        let evicted = json!({"spec": {"containers": [{}]}, "status": {"phase": "Failed", "reason": "Evicted"}});
        assert_eq!(summary(&evicted), ("0/1 Evicted 0".to_owned(), Health::Failing));
    }

    #[test]
    fn pods_that_are_alike_are_one_line_and_the_exception_is_another() {
        let pod = |name: &str, node: &str, ready: bool, restarts: i64, revision: &str| {
            json!({"metadata": {"name": name, "creationTimestamp": "2026-01-02T03:00:00Z", "labels": {"pod-template-hash": revision}},
                "spec": {"nodeName": node, "containers": [{"name": "app", "image": "cart:1"}]},
                "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": ready, "restartCount": restarts,
                    "state": {"running": {}}}]}})
        };
        let look = crate::Look {
            incident_start: None,
            now: "2026-01-02T03:10:00Z".parse().unwrap(),
            cancel: tokio_util::sync::CancellationToken::new(),
        };
        let clock = Clock::of(&look);
        let mut pods = vec![pod("cart-5d-x", "n2", false, 0, "5d")];
        pods.extend(["a", "b", "c", "d"].map(|end| pod(&format!("cart-5d-{end}"), "n1", true, 0, "5d")));
        assert_eq!(
            lines(&pods, clock),
            [
                "cart-5d-x  0/1 Running, on n2, created 10m ago",
                "cart-5d-{a, b, c} and 1 more  4 alike: 1/1 Running, on n1, created 10m ago"
            ]
        );
        let pods = [
            pod("cart-5d-a", "n1", true, 2, "5d"),
            pod("cart-5d-b", "n2", true, 3, "5d"),
            pod("cart-6e-c", "n2", true, 1, "6e"),
        ];
        assert_eq!(
            lines(&pods, clock),
            [
                "cart-5d-{a, b}  2 alike: 1/1 Running, 2 to 3 restarts, on n1 (1), n2 (1), created 10m ago, revision 5d",
                "cart-6e-c  1/1 Running, 1 restart, on n2, created 10m ago, revision 6e"
            ]
        );
    }
}
