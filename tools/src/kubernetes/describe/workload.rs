//! A workload: what is wanted, what there is, its template and its pods.

use serde_json::Value;

use super::Page;
use super::container::{container, volume};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::family::{Family, images, revision};
use crate::kubernetes::field::{flag, items, name, number, plain, text, time};
use crate::kubernetes::references::pod_spec;
use crate::kubernetes::{pods, revisions, selector};

/// The most replica sets or jobs, and pods, that are listed.
const BETWEEN: usize = 6;
const PODS: usize = 15;

/// What a workload is and what state it is in.
pub(crate) fn workload(page: &mut Page, object: &Value, clock: Clock) {
    let kind = text(object, "/kind").unwrap_or_default();
    page.field(0, "pods", counts(kind, object));
    if revisions::paused(object) {
        page.line(0, "the rollout is paused (spec.paused)");
    }
    if flag(object, "/spec/suspend") {
        page.line(0, "suspended (spec.suspend)");
    }
    let (seen, generation) = (number(object, "/status/observedGeneration"), number(object, "/metadata/generation"));
    if let (Some(seen), Some(generation)) = (seen, generation)
        && seen < generation
    {
        page.line(
            0,
            format!("its controller has not seen the latest change yet (generation {generation}, seen {seen})"),
        );
    }
    page.field(0, "strategy", strategy(object));
    let selector = object.pointer("/spec/selector").and_then(selector::query).unwrap_or_default();
    // A Job's is made up of its identifier.
    page.field(0, "selector", if selector.contains("controller-uid=") { String::new() } else { selector });
    if let Some(seconds) = number(object, "/spec/progressDeadlineSeconds") {
        page.field(0, "progress deadline", format!("{seconds}s"));
    }
    for (title, pointer) in [
        ("schedule", "/spec/schedule"),
        ("time zone", "/spec/timeZone"),
        ("concurrency", "/spec/concurrencyPolicy"),
        ("service", "/spec/serviceName"),
        ("backoff limit", "/spec/backoffLimit"),
        ("active deadline seconds", "/spec/activeDeadlineSeconds"),
    ] {
        page.field(0, title, object.pointer(pointer).map(plain).unwrap_or_default());
    }
    for (title, pointer) in
        [("last scheduled", "/status/lastScheduleTime"), ("last success", "/status/lastSuccessfulTime")]
    {
        page.field(0, title, time(object, pointer).map(|at| clock.when(at)).unwrap_or_default());
    }
    let Some(spec) = pod_spec(object) else { return };
    page.field(0, "service account", text(spec, "/serviceAccountName").unwrap_or_default());
    if let Some(template) =
        ["/spec/template", "/spec/jobTemplate/spec/template"].iter().find_map(|path| object.pointer(path))
    {
        super::pod::placement(page, template);
    }
    page.line(0, "pod template:");
    for list in ["/initContainers", "/containers"] {
        for item in items(spec, list) {
            container(page, 1, item, None, clock);
        }
    }
    let volumes: Vec<String> = items(spec, "/volumes").filter_map(volume).collect();
    if !volumes.is_empty() {
        page.field(1, "volumes", volumes.join("; "));
    }
    for claim in items(object, "/spec/volumeClaimTemplates") {
        let class = text(claim, "/spec/storageClassName").unwrap_or("(default)");
        let size = text(claim, "/spec/resources/requests/storage").unwrap_or_default();
        page.field(1, "volume claim", format!("{} {size}, class {class}", name(claim)));
    }
}

/// What is wanted and what there is.
fn counts(kind: &str, object: &Value) -> String {
    let status = |field: &str| number(object, &format!("/status/{field}")).unwrap_or_default();
    match kind {
        "DaemonSet" => format!(
            "{} wanted, {} ready, {} up to date, {} available, {} on nodes where they should not be",
            status("desiredNumberScheduled"),
            status("numberReady"),
            status("updatedNumberScheduled"),
            status("numberAvailable"),
            status("numberMisscheduled")
        ),
        "Job" => format!(
            "{} of {} succeeded, {} active, {} failed",
            status("succeeded"),
            number(object, "/spec/completions").unwrap_or(1),
            status("active"),
            status("failed")
        ),
        "CronJob" => format!("{} jobs active", items(object, "/status/active").count()),
        "ReplicaSet" | "ReplicationController" => {
            format!("{} wanted, {} ready", number(object, "/spec/replicas").unwrap_or(1), status("readyReplicas"))
        }
        _ => format!(
            "{} wanted, {} ready, {} up to date, {} available",
            number(object, "/spec/replicas").unwrap_or(1),
            status("readyReplicas"),
            status("updatedReplicas"),
            status("availableReplicas")
        ),
    }
}

fn strategy(object: &Value) -> String {
    let Some(strategy) = object.pointer("/spec/strategy").or_else(|| object.pointer("/spec/updateStrategy")) else {
        return String::new();
    };
    let rolling = ["maxUnavailable", "maxSurge", "partition"].iter().filter_map(|field| {
        strategy.pointer(&format!("/rollingUpdate/{field}")).map(|value| format!(", {field} {}", plain(value)))
    });
    format!("{}{}", text(strategy, "/type").unwrap_or_default(), rolling.collect::<String>())
}

/// The replica sets or jobs and the pods.
pub(crate) fn family(page: &mut Page, family: &Family, clock: Clock) {
    let between: Vec<String> = family
        .between
        .iter()
        .filter(|object| lives(object))
        .map(|object| {
            let age = time(object, "/metadata/creationTimestamp").map(|at| clock.when(at)).unwrap_or_default();
            let kind = text(object, "/kind").unwrap_or_default();
            let revision = revision(object).map(|number| format!("revision {number}, ")).unwrap_or_default();
            format!("{kind} {}  {revision}{}, created {age}, {}", name(object), counts(kind, object), images(object))
        })
        .collect();
    page.section("made by way of", &between, BETWEEN, None);
    let lines = pods::lines(&family.pods, clock);
    page.section(&format!("its pods, the worst first ({})", family.pods.len()), &lines, PODS, Some("none"));
    if let Some(worst) = family.pods.first().filter(|pod| pods::Summary::of(pod).health() <= pods::Health::NotReady) {
        worst_pod(page, worst, clock);
    }
}

/// Why a pod isn't well: conditions that don't hold, and its containers' states.
fn worst_pod(page: &mut Page, pod: &Value, clock: Clock) {
    page.line(0, format!("Pod {}:", name(pod)));
    let unmet = items(pod, "/status/conditions").filter(|condition| text(condition, "/status") == Some("False"));
    for condition in super::conditions(unmet, clock) {
        page.line(1, condition);
    }
    page.field(1, "message", text(pod, "/status/message").unwrap_or_default());
    for status in
        ["/status/initContainerStatuses", "/status/containerStatuses"].iter().flat_map(|list| items(pod, list))
    {
        page.line(1, format!("container {}:", text(status, "/name").unwrap_or_default()));
        for (title, pointer) in [("state", "/state"), ("last state", "/lastState")] {
            page.field(2, title, super::container::state(status, pointer, clock).unwrap_or_default());
        }
    }
}

/// Whether a ReplicaSet has or wants pods, or is the latest; the old ones that a Deployment keeps are history.
fn lives(object: &Value) -> bool {
    text(object, "/kind") != Some("ReplicaSet")
        || number(object, "/spec/replicas").unwrap_or_default() > 0
        || number(object, "/status/replicas").unwrap_or_default() > 0
}
