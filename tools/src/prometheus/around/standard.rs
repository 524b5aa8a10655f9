//! The metrics that every cluster with kube-state-metrics, cAdvisor and the kubelet has.

use std::collections::BTreeSet;

use futures::future::join_all;
use marple_core::ObjectRef;

use super::asker::Asker;
use super::pods::{Pods, owns_pods};
use super::{Found, Keep, Question, node};
use crate::prometheus::Window;
use crate::prometheus::number::Unit;
use crate::prometheus::selector::one_of;

/// How far back a rate looks: at least two scrapes, also where they are two minutes apart.
pub(super) const RATE: &str = "5m";

/// Kinds with a state of their own: the label that names them, and their metrics.
const STATES: [(&str, &str, &str); 6] = [
    (
        "Deployment",
        "deployment",
        "kube_deployment_spec_replicas|kube_deployment_status_replicas_available|kube_deployment_status_replicas_updated",
    ),
    ("StatefulSet", "statefulset", "kube_statefulset_replicas|kube_statefulset_status_replicas_ready"),
    ("DaemonSet", "daemonset", "kube_daemonset_status_desired_number_scheduled|kube_daemonset_status_number_available"),
    ("ReplicaSet", "replicaset", "kube_replicaset_spec_replicas|kube_replicaset_status_ready_replicas"),
    ("Job", "job_name", "kube_job_status_active|kube_job_status_failed|kube_job_status_succeeded"),
    (
        "HorizontalPodAutoscaler",
        "horizontalpodautoscaler",
        "kube_horizontalpodautoscaler_spec_max_replicas|kube_horizontalpodautoscaler_status_current_replicas|\
         kube_horizontalpodautoscaler_status_desired_replicas",
    ),
];

/// Questions about one thing.
pub(super) struct Topic {
    pub(super) title: &'static str,
    pub(super) objects: Vec<ObjectRef>,
    /// What a reader must know of the series.
    pub(super) note: String,
    pub(super) questions: Vec<Question>,
}

/// Asks what there is to know of the subjects. What has no series is left out.
pub(super) async fn read(asker: &Asker<'_>, subjects: &[ObjectRef], window: Window) -> Vec<Found> {
    let (pods, nodes) = tokio::join!(Pods::of(asker, subjects, window), node::topic(asker, subjects, window));
    let topics = of_pods(&pods, subjects, window).into_iter().chain(of_objects(subjects)).chain(nodes);
    join_all(topics.map(|topic| ask(asker, topic, window))).await.into_iter().flatten().collect()
}

async fn ask(asker: &Asker<'_>, topic: Topic, window: Window) -> Option<Found> {
    let looks = topic.questions.into_iter().map(|question| question.ask(asker, window));
    let answers: Vec<_> = join_all(looks).await.into_iter().flatten().collect();
    if answers.is_empty() {
        return None;
    }
    let of = match topic.objects.as_slice() {
        [] => String::new(),
        [only] => format!(" of {only}"),
        [first, rest @ ..] => format!(" of {first} and {} more", rest.len()),
    };
    let object = match topic.objects.as_slice() {
        [only] => Some(only.clone()),
        _ => None,
    };
    Some(Found { title: format!("{}{of} (Prometheus)", topic.title), object, head: topic.note, answers, graph: None })
}

/// What is known of pods and their containers.
pub(super) fn of_pods(pods: &Pods, subjects: &[ObjectRef], window: Window) -> Vec<Topic> {
    if pods.is_empty() {
        return Vec::new();
    }
    let matchers = pods.matchers();
    // cAdvisor has series of the pod's and the sandbox's control groups too, without a container or with this one.
    let containers = format!("{matchers},container!=\"\",container!=\"POD\"");
    let by = "by (namespace, pod, container)";
    // A container that is killed while it starts lives for less than a step.
    let most = |series: &str| format!("max_over_time({series}[{}])", window.between_points());
    let ask = |what: &'static str, query: String, unit: Unit| Question {
        keep: Keep::Pods(pods.clone()),
        ..Question::of(what, query, unit)
    };
    let limit = |resource: &str| {
        let limit = format!("kube_pod_container_resource_limits{{{matchers},resource=\"{resource}\"}}");
        format!("max {by} ({})", most(&limit))
    };
    let used = format!("max {by} ({})", most(&format!("container_memory_working_set_bytes{{{containers}}}")));
    let rate = |metric: &str| format!("sum {by} (rate({metric}{{{containers}}}[{RATE}]))");
    let throttled =
        format!("{} / {}", rate("container_cpu_cfs_throttled_periods_total"), rate("container_cpu_cfs_periods_total"));
    let holds = |label: &str, metric: &str| {
        format!("max by (namespace, pod, container, {label}) ({} > 0)", most(&format!("{metric}{{{matchers}}}")))
    };
    let topics = [
        (
            "memory of containers against their limits",
            vec![
                ask("working set against the limit", format!("{used} / {}", limit("memory")), Unit::Share),
                ask("working set", used.clone(), Unit::Bytes),
                ask("limit", limit("memory"), Unit::Bytes),
            ],
        ),
        (
            "restarts and states of containers",
            vec![
                ask(
                    "restarts",
                    format!("max {by} (kube_pod_container_status_restarts_total{{{matchers}}})"),
                    Unit::Plain,
                ),
                ask(
                    "why the last run ended",
                    holds("reason", "kube_pod_container_status_last_terminated_reason"),
                    Unit::Plain,
                ),
                ask("what it waits for", holds("reason", "kube_pod_container_status_waiting_reason"), Unit::Plain),
            ],
        ),
        (
            "CPU use and throttling of containers",
            vec![
                ask("CPU used", rate("container_cpu_usage_seconds_total"), Unit::Cores),
                ask("limit", limit("cpu"), Unit::Cores),
                ask("part of the periods in which it was throttled", throttled, Unit::Share),
            ],
        ),
        (
            "phase and readiness of pods",
            vec![
                ask(
                    "phase",
                    format!("max by (namespace, pod, phase) (kube_pod_status_phase{{{matchers}}} > 0)"),
                    Unit::Plain,
                ),
                ask(
                    "ready",
                    format!("max by (namespace, pod) (kube_pod_status_ready{{{matchers},condition=\"true\"}})"),
                    Unit::Plain,
                ),
            ],
        ),
    ];
    let objects: Vec<ObjectRef> =
        subjects.iter().filter(|object| object.is("Pod") || owns_pods(&object.kind)).cloned().collect();
    let mut note = String::new();
    if pods.guessed() {
        note += "no metric tells who owns the pods (kube_pod_owner, kube_replicaset_owner): they are taken by the form of their names\n";
    }
    if pods.left_out > 0 {
        note += &format!("{} more pods were not asked for\n", pods.left_out);
    }
    let topic = |(title, questions)| Topic { title, objects: objects.clone(), note: note.clone(), questions };
    topics.into_iter().map(topic).collect()
}

/// What is known of workloads, claims and Services themselves.
pub(super) fn of_objects(subjects: &[ObjectRef]) -> Vec<Topic> {
    let mut topics = Vec::new();
    for (kind, label, metrics) in STATES {
        let ask = |matchers: &str, keep: Keep| {
            let query = format!("max by (__name__, namespace, {label}) ({{__name__=~\"{metrics}\",{matchers}}})");
            vec![Question { keep, ..Question::of("state", query, Unit::Plain) }]
        };
        topics.extend(of_kind(subjects, kind, label, "replicas", ask));
    }
    topics.extend(of_kind(
        subjects,
        "PersistentVolumeClaim",
        "persistentvolumeclaim",
        "volume use",
        |matchers, keep| {
            let by = "by (namespace, persistentvolumeclaim)";
            let stat = |name: &str| format!("max {by} (kubelet_volume_stats_{name}{{{matchers}}})");
            let ask = |what: &'static str, query: String, unit: Unit| Question {
                keep: keep.clone(),
                ..Question::of(what, query, unit)
            };
            let phase = "max by (namespace, persistentvolumeclaim, phase) (kube_persistentvolumeclaim_status_phase";
            vec![
                ask("used part", format!("{} / {}", stat("used_bytes"), stat("capacity_bytes")), Unit::Share),
                ask("used", stat("used_bytes"), Unit::Bytes),
                ask("used part of the inodes", format!("{} / {}", stat("inodes_used"), stat("inodes")), Unit::Share),
                ask("phase", format!("{phase}{{{matchers}}} > 0)"), Unit::Plain),
            ]
        },
    ));
    topics.extend(of_kind(subjects, "Service", "endpoint", "endpoints", |matchers, keep| {
        let query = format!("count by (namespace, endpoint, ready) (kube_endpoint_address{{{matchers}}})");
        vec![Question { keep, ..Question::of("addresses", query, Unit::Plain) }]
    }));
    topics
}

/// The questions about all subjects of a kind; none where there are none.
fn of_kind(
    subjects: &[ObjectRef],
    kind: &str,
    label: &'static str,
    title: &'static str,
    questions: impl FnOnce(&str, Keep) -> Vec<Question>,
) -> Option<Topic> {
    let objects: Vec<ObjectRef> = subjects.iter().filter(|object| object.is(kind)).cloned().collect();
    if objects.is_empty() {
        return None;
    }
    let namespace = |object: &ObjectRef| object.namespace.clone().unwrap_or_default();
    let names: BTreeSet<(String, String)> =
        objects.iter().map(|object| (namespace(object), object.name.clone())).collect();
    let namespaces = one_of("namespace", names.iter().map(|(namespace, _)| namespace.as_str()));
    let matchers = format!("{namespaces},{}", one_of(label, names.iter().map(|(_, name)| name.as_str())));
    let questions = questions(&matchers, Keep::Named(label, names));
    Some(Topic { title, objects, note: String::new(), questions })
}
