//! A recording is cut at a time.

use marple_core::{Author, Change, ChangeKind, FieldChange, Labels, ObjectRef};
use serde_json::{Value, json};

use super::*;
use crate::bundle::{
    AlertmanagerState, KubernetesState, Manifest, PrometheusState, RecordedObject, RecordedResource, STALE, Sample,
    Series, WatchEvent, Watched,
};

/// A time of the recording, as minutes and seconds after its first hour.
fn at(time: &str) -> Timestamp {
    format!("2026-01-01T03:{time}Z").parse().unwrap()
}

fn resource(
    group_version: &str,
    resource: &str,
    kind: &str,
    columns: &[&str],
    objects: Vec<(Value, Value)>,
) -> RecordedResource {
    RecordedResource {
        group_version: group_version.to_owned(),
        resource: resource.to_owned(),
        kind: kind.to_owned(),
        namespaced: true,
        resource_version: "9".to_owned(),
        columns: columns.iter().map(|name| json!({ "name": name })).collect(),
        objects: objects
            .into_iter()
            .map(|(object, cells)| RecordedObject { object, cells: cells.as_array().unwrap().clone() })
            .collect(),
        ..RecordedResource::default()
    }
}

fn named(name: &str, made: &str) -> Value {
    json!({"name": name, "namespace": "shop", "uid": format!("uid-{name}"), "creationTimestamp": at(made)})
}

fn pod(name: &str, made: &str, status: &Value) -> (Value, Value) {
    (json!({"metadata": named(name, made), "status": status}), json!([name, "1/1", "50m"]))
}

/// Recorded from 03:00 to 03:50, listed at 03:49.
fn bundle(resources: Vec<RecordedResource>) -> Bundle {
    Bundle {
        manifest: Manifest {
            recorder: String::new(),
            cluster: "test".to_owned(),
            recorded_at: at("50:00"),
            listed_at: Some(at("49:00")),
            since: at("00:00"),
            namespaces: ["shop".to_owned()].into(),
            omissions: Vec::new(),
        },
        kubernetes: KubernetesState { resources, ..KubernetesState::default() },
        prometheus: None,
        alertmanager: AlertmanagerState::default(),
        signals: Vec::new(),
        changes: Vec::new(),
        traces: Vec::new(),
    }
}

fn change(time: &str, object: &str, fields: &[(&str, Option<&str>, Option<&str>)]) -> Change {
    let field = |(path, before, after): &(&str, Option<&str>, Option<&str>)| FieldChange {
        path: (*path).to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    };
    let (kind, name) = object.split_once(' ').unwrap();
    Change {
        cluster: "test".to_owned(),
        object: ObjectRef::namespaced(kind, "shop", name),
        uid: format!("uid-{name}"),
        version: "9".to_owned(),
        at: at(time),
        found_late: false,
        by: Author::default(),
        kind: if fields.is_empty() { ChangeKind::Deleted } else { ChangeKind::Altered },
        fields: fields.iter().map(field).collect(),
        left_out: 0,
    }
}

const PODS: [&str; 3] = ["Name", "Ready", "Age"];

#[test]
fn what_was_watched_is_known_step_by_step() {
    let mut bundle =
        bundle(vec![resource("v1", "pods", "Pod", &PODS, vec![pod("b", "00:00", &json!({"phase": "Pending"}))])]);
    let told = |time: &str, event, (object, cells): (Value, Value)| Watched {
        at: at(time),
        group_version: "v1".to_owned(),
        resource: "pods".to_owned(),
        event,
        object,
        cells: cells.as_array().unwrap().clone(),
    };
    bundle.kubernetes.watched = vec![
        told("49:10", WatchEvent::Present, pod("b", "00:00", &json!({"phase": "Running"}))),
        told("49:20", WatchEvent::Present, pod("a", "49:20", &json!({"phase": "Pending"}))),
        told("49:30", WatchEvent::Deleted, pod("b", "00:00", &json!({"phase": "Running"}))),
    ];
    let pods = |time: &str| -> Vec<String> {
        let Past { bundle, unknown } = bundle.clone().as_of(at(time)).unwrap();
        assert_eq!((unknown, bundle.kubernetes.watched.len()), (Vec::new(), 0));
        let pods = bundle.kubernetes.resources[0].objects.iter();
        pods.map(|pod| format!("{} {}", pod.name(), pod.object["status"]["phase"])).collect()
    };
    assert_eq!(pods("49:05"), ["b \"Pending\""]);
    assert_eq!(pods("49:10"), ["b \"Running\""]);
    assert_eq!(pods("49:25"), ["a \"Pending\"", "b \"Running\""]);
    assert_eq!(pods("50:00"), ["a \"Pending\""]);
}

#[test]
fn a_time_outside_the_recording_is_refused() {
    for time in ["50:01", "00:00"] {
        let mut bundle = bundle(Vec::new());
        bundle.manifest.since = at("10:00");
        assert_eq!(
            bundle.as_of(at(time)).unwrap_err().to_string(),
            format!(
                "the recording knows nothing of 2026-01-01T03:{time}Z: it goes from 2026-01-01T03:10:00Z to 2026-01-01T03:50:00.000Z"
            )
        );
    }
}

#[test]
fn objects_and_runs_that_came_later_are_taken_away() {
    let crashed = json!({
        "conditions": [{"type": "Ready", "lastTransitionTime": at("30:00")}, {"type": "PodScheduled", "lastTransitionTime": at("01:00")}],
        "containerStatuses": [{"name": "app", "restartCount": 3, "state": {"running": {"startedAt": at("30:00")}},
            "lastState": {"terminated": {"startedAt": at("10:00"), "finishedAt": at("29:00"), "exitCode": 1}}}],
    });
    let steady = json!({"containerStatuses": [{"name": "app", "restartCount": 0, "state": {"running": {"startedAt": at("01:00")}}, "lastState": {}}]});
    let pods =
        vec![pod("crashed", "00:00", &crashed), pod("new", "40:00", &json!({})), pod("steady", "00:00", &steady)];
    let Past { bundle, .. } = bundle(vec![resource("v1", "pods", "Pod", &PODS, pods)]).as_of(at("20:00")).unwrap();
    let pods = &bundle.kubernetes.resources[0].objects;
    assert_eq!(pods.iter().map(RecordedObject::name).collect::<Vec<_>>(), ["crashed", "steady"]);
    assert_eq!(
        pods[0].object["status"],
        json!({
            "conditions": [{"type": "PodScheduled", "lastTransitionTime": at("01:00")}],
            "containerStatuses": [{"name": "app", "restartCount": 2, "state": {"running": {"startedAt": at("10:00")}}, "lastState": {}}],
        })
    );
    assert_eq!(pods[0].cells, [json!("crashed"), json!("<unknown>"), json!("20m")], "its row would be wrong");
    assert_eq!(pods[1].object["status"], steady);
    assert_eq!(pods[1].cells, [json!("steady"), json!("1/1"), json!("20m")]);
}

#[test]
fn fields_that_were_altered_later_are_put_back_and_what_can_not_be_is_named() {
    let settings = (
        json!({"metadata": named("settings", "00:00"), "data": {"timeout": "50ms", "mode": "a"}}),
        json!(["settings", 2, "50m"]),
    );
    let template =
        json!({"spec": {"containers": [{"name": "app", "image": "cart:3", "env": [{"name": "LIMIT", "value": "9"}]}]}});
    let cart = (
        json!({"metadata": named("cart", "00:00"), "spec": {"replicas": 4, "template": template}}),
        json!(["cart", "4/4", "50m"]),
    );
    let mut bundle = bundle(vec![
        resource("v1", "configmaps", "ConfigMap", &["Name", "Data", "Age"], vec![settings]),
        resource("apps/v1", "deployments", "Deployment", &PODS, vec![cart]),
    ]);
    bundle.changes = vec![
        change("10:00", "ConfigMap settings", &[("data.timeout", Some("5s"), Some("1s"))]),
        change(
            "30:00",
            "ConfigMap settings",
            &[("data.timeout", Some("1s"), Some("50ms")), ("data.mode", None, Some("a"))],
        ),
        change(
            "31:00",
            "Deployment cart",
            &[("containers[app].image", Some("cart:1"), Some("cart:2")), ("replicas", Some("2"), Some("4"))],
        ),
        change(
            "32:00",
            "Deployment cart",
            &[
                ("containers[app].image", Some("cart:2"), Some("cart:3")),
                ("containers[app].env[LIMIT].value", Some("8"), Some("9")),
                ("strategy.type", Some("Recreate"), Some("RollingUpdate")),
            ],
        ),
        change("33:00", "Pod cart-1", &[]),
    ];
    let Past { bundle, unknown } = bundle.as_of(at("20:00")).unwrap();
    let objects = |place: usize| &bundle.kubernetes.resources[place].objects[0];
    assert_eq!(objects(0).object["data"], json!({"timeout": "1s"}));
    assert_eq!(objects(0).cells, [json!("settings"), json!("<unknown>"), json!("20m")]);
    let cart = &objects(1).object["spec"];
    assert_eq!(cart["replicas"], 2);
    let container = &cart["template"]["spec"]["containers"][0];
    assert_eq!((&container["image"], &container["env"][0]["value"]), (&json!("cart:1"), &json!("8")));
    assert_eq!(unknown, ["Pod shop/cart-1, which was deleted since", "strategy.type of Deployment shop/cart"]);
    assert_eq!(bundle.changes.len(), 1);
}

#[test]
fn an_event_that_happened_again_later_is_told_once_and_one_that_came_later_not_at_all() {
    let event = |name: &str, first: &str, last: &str| {
        (
            json!({"metadata": named(name, first), "firstTimestamp": at(first), "lastTimestamp": at(last), "count": 7}),
            json!(["1m", "Warning"]),
        )
    };
    let events =
        vec![event("again", "10:00", "45:00"), event("before", "10:00", "15:00"), event("later", "40:00", "45:00")];
    let bundle = bundle(vec![resource("v1", "events", "Event", &["Last Seen", "Type"], events)]);
    let Past { bundle, .. } = bundle.as_of(at("20:00")).unwrap();
    let told: Vec<(String, Value, Value)> = bundle.kubernetes.resources[0]
        .objects
        .iter()
        .map(|event| (event.name().to_owned(), event.object["count"].clone(), event.cells[0].clone()))
        .collect();
    assert_eq!(told, [("again".to_owned(), json!(1), json!("10m")), ("before".to_owned(), json!(7), json!("5m"))]);
}

#[test]
fn alerts_are_those_that_the_series_tell_of() {
    let series = |name: &str, state: Option<&str>, samples: &[(&str, f64)]| {
        let mut labels: Labels = [("__name__", name), ("alertname", "Down"), ("pod", "a")].into_iter().collect();
        labels = labels
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .chain(state.map(|state| ("alertstate".to_owned(), state.to_owned())))
            .collect();
        let samples = samples.iter().map(|(time, value)| Sample { at: at(time).as_millisecond(), value: *value });
        Series { labels: labels.into(), samples: samples.collect::<Vec<_>>().into() }
    };
    #[expect(clippy::cast_precision_loss, reason = "seconds of this century")]
    let since = at("08:00").as_second() as f64;
    let mut bundle = bundle(Vec::new());
    let now = json!([{"labels": {"alertname": "Down", "pod": "a"}, "annotations": {"summary": "Down."}, "state": "firing", "activeAt": at("08:00"), "value": "1"}]);
    bundle.prometheus = Some(PrometheusState {
        build: Value::Null,
        evaluation_interval_ms: 60_000,
        rules: json!({"groups": [{"rules": [{"name": "Down", "state": "firing", "alerts": now}, {"name": "recorded"}]}]}),
        alerts: json!({ "alerts": now }),
        metadata: json!({}),
        whole: None,
        histograms: Vec::new(),
        series: vec![
            series("ALERTS", Some("pending"), &[("08:00", 1.0), ("09:00", 1.0), ("10:00", STALE)]),
            series("ALERTS", Some("firing"), &[("10:00", 1.0), ("11:00", 1.0)]),
            series("ALERTS_FOR_STATE", None, &[("08:00", since), ("11:00", since)]),
        ],
    });
    let states = |time: &str| {
        let state = bundle.clone().as_of(at(time)).unwrap().bundle.prometheus.unwrap();
        let alerts = state.alerts["alerts"].as_array().unwrap().clone();
        let rule = &state.rules["groups"][0]["rules"][0];
        assert_eq!(rule["alerts"], json!(alerts));
        let told =
            alerts.iter().map(|alert| format!("{} since {}", alert["state"], alert["activeAt"])).collect::<Vec<_>>();
        (rule["state"].as_str().unwrap().to_owned(), told)
    };
    let since = "since \"2026-01-01T03:08:00Z\"";
    assert_eq!(states("09:30"), ("pending".to_owned(), vec![format!("\"pending\" {since}")]));
    assert_eq!(states("12:00"), ("firing".to_owned(), vec![format!("\"firing\" {since}")]));
    assert_eq!(states("07:00"), ("inactive".to_owned(), vec![]));
    assert_eq!(states("40:00"), ("inactive".to_owned(), vec![]), "nobody has told of it for long");
}
