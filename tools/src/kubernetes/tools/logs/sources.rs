//! Which logs are read for what was asked.

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde_json::Value;

use super::Arguments;
use crate::ToolError;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::family::is_workload;
use crate::kubernetes::field::{items, name, namespace, number, text};
use crate::kubernetes::tools::target;
use crate::kubernetes::{Cluster, LogRequest, LookError, describe, pods, reference, selector};

/// Pods whose logs are read, the worst first; and those of which the worst are chosen.
const PODS: usize = 10;
const FOUND: usize = 1_000;

/// The pods whose logs are wanted.
pub(super) struct Wanted {
    /// What was asked for, where it is one object.
    pub(super) object: Option<ObjectRef>,
    /// What was asked for, in words.
    pub(super) told: String,
    /// Its pods, the worst first.
    pub(super) pods: Vec<Value>,
    /// How many more it has.
    pub(super) more: usize,
}

/// Finds the pods.
pub(super) async fn pods(cluster: &Cluster, arguments: &Arguments) -> Result<Wanted, ToolError> {
    let space = arguments.namespace.as_deref();
    let (object, told, mut found) = match (&arguments.name, &arguments.label_selector) {
        (Some(name), _) => {
            let object = target(arguments.kind.as_deref().unwrap_or("Pod"), name, space);
            let kind = cluster.kind(&object.kind).await?.kind;
            let read = cluster.get(&object).await?;
            let object = reference(&read).unwrap_or(object);
            let found = match kind.as_str() {
                "Pod" => vec![read],
                kind if is_workload(kind) => cluster.family(&read).await?.pods,
                "Service" => match read.pointer("/spec/selector").and_then(selector::query) {
                    Some(labels) => cluster.list("v1/Pod", namespace(&read), Some(&labels), None, FOUND).await?,
                    None => vec![],
                },
                other => return Err(ToolError::Arguments(format!("{other} has no logs; give a pod or a workload"))),
            };
            (Some(object.clone()), object.to_string(), found)
        }
        (None, Some(labels)) => {
            let found = cluster.list("v1/Pod", space, Some(labels), None, FOUND).await?;
            let place = space.map_or_else(|| "all namespaces".to_owned(), str::to_owned);
            (None, format!("the pods in {place} where {labels}"), found)
        }
        (None, None) => {
            return Err(ToolError::Arguments("kubernetes_logs: give a `name` or a `label_selector`".to_owned()));
        }
    };
    if found.is_empty() {
        let why = if object.is_some() { "; its events may say why (kubernetes_describe)" } else { "" };
        return Err(ToolError::NotFound(format!("{told} has no pods, and so no logs{why}")));
    }
    pods::worst_first(&mut found);
    let more = found.len().saturating_sub(PODS);
    found.truncate(PODS);
    Ok(Wanted { object, told, pods: found, more })
}

/// One log to read, and what is known of its container.
pub(super) struct Source {
    pub(super) request: LogRequest,
    pub(super) heading: String,
}

/// The logs of a pod that are wanted.
pub(super) fn of_pod(
    pod: &Value,
    arguments: &Arguments,
    since: Option<Timestamp>,
    tail: Option<u32>,
    clock: Clock,
) -> Result<Vec<Source>, LookError> {
    let names: Vec<&str> = ["/spec/initContainers", "/spec/containers", "/spec/ephemeralContainers"]
        .iter()
        .flat_map(|list| items(pod, list))
        .filter_map(|container| text(container, "/name"))
        .collect();
    let space = namespace(pod).unwrap_or_default();
    if let Some(wanted) = &arguments.container
        && !names.contains(&wanted.as_str())
    {
        let what = format!("container {wanted} in Pod {space}/{}", name(pod));
        return Err(LookError::NotFound { what, near: names.iter().map(|&name| name.to_owned()).collect() });
    }
    let statuses: Vec<&Value> =
        ["/status/initContainerStatuses", "/status/containerStatuses", "/status/ephemeralContainerStatuses"]
            .iter()
            .flat_map(|list| items(pod, list))
            .collect();
    let mut sources = Vec::new();
    for container in
        names.into_iter().filter(|name| arguments.container.as_deref().is_none_or(|wanted| wanted == *name))
    {
        let status = statuses.iter().find(|status| text(status, "/name") == Some(container));
        let told = |pointer: &str| status.and_then(|status| describe::state(status, pointer, clock));
        let (state, last_state) = (told("/state"), told("/lastState"));
        let restarts = status.and_then(|status| number(status, "/restartCount")).unwrap_or_default();
        // A container that waits to be started again still shows the log of its last run as the current one.
        let failed_before = status.is_some_and(|status| {
            status.pointer("/state/running").is_some()
                && number(status, "/lastState/terminated/exitCode").is_some_and(|code| code != 0)
        });
        let runs: &[bool] = match arguments.previous {
            Some(true) => &[true],
            None if failed_before => &[true, false],
            Some(false) | None => &[false],
        };
        for &previous in runs {
            let mut request = LogRequest::new(space, name(pod));
            request.container = Some(container.to_owned());
            request.previous = previous;
            request.since = since.filter(|_| !previous || arguments.previous == Some(true));
            request.tail_lines = tail;
            request.timestamps = true;
            let shown = if previous { &last_state } else { &state };
            let shown = shown.as_deref().and_then(|state| state.lines().next()).unwrap_or("not started");
            let running = status.is_some_and(|status| status.pointer("/state/running").is_some());
            let run = match (previous, running) {
                (true, _) => "previous run",
                (false, true) => "current run",
                (false, false) => "last run",
            };
            let again = if restarts == 1 { "restart" } else { "restarts" };
            let pod = name(pod);
            let heading = format!("Pod {space}/{pod} container {container}, {run} ({shown}; {restarts} {again})");
            sources.push(Source { request, heading });
        }
    }
    Ok(sources)
}
