//! A replay is recorded again.

use std::sync::Arc;

use marple_tools::endpoint::EndpointConfig;
use marple_tools::redact::{RedactConfig, Redactor};
use marple_tools::trace::TraceStore;
use serde_json::{Value, json};

use super::*;
use crate::bundle::{RecordedSpan, RecordedTrace};
use crate::{Replay, ReplayOptions, demo_bundle};

fn span(id: &str, parent: Option<&str>, service: &str, start: Timestamp, failure: Option<&str>) -> RecordedSpan {
    RecordedSpan {
        id: id.to_owned(),
        parent: parent.map(str::to_owned),
        service: service.to_owned(),
        name: format!("GET /{service}"),
        start,
        duration_us: 1_500,
        failure: failure.map(str::to_owned),
    }
}

#[tokio::test]
async fn a_recording_of_a_replay_has_the_same_objects_logs_and_traces() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let mut bundle = demo_bundle().unwrap();
    let services = bundle.kubernetes.resources.iter().find(|one| one.resource == "services").unwrap();
    let service = services.objects.iter().find(|one| one.namespace() != "default").unwrap().name().to_owned();
    // Jaeger tells microseconds.
    let began = Timestamp::from_millisecond(bundle.manifest.since.as_millisecond() + 1).unwrap();
    bundle.traces = vec![
        RecordedTrace { id: "00f1".to_owned(), spans: vec![span("a1", None, &service, began, None)] },
        RecordedTrace {
            id: "00f2".to_owned(),
            spans: vec![
                span("b1", None, "front", began, None),
                span("b2", Some("b1"), &service, began, Some("connection refused")),
            ],
        },
        RecordedTrace { id: "00f3".to_owned(), spans: vec![span("c1", None, "somebody-else", began, None)] },
    ];
    let cancel = CancellationToken::new();
    let replay = Replay::serve(Arc::new(bundle.clone()), ReplayOptions::default(), cancel.clone()).await.unwrap();
    let client = replay.client().unwrap();
    assert!(namespaces(&client).await.unwrap().is_superset(&bundle.manifest.namespaces));
    let store = json!({ "store": "jaeger", "endpoint": { "url": replay.jaeger_url() } });
    let options = RecordOptions {
        client,
        cluster: "again".to_owned(),
        prometheus: None,
        alertmanager_url: Some(replay.alertmanager_url().to_owned()),
        namespaces: bundle.manifest.namespaces.clone(),
        since: bundle.manifest.since,
        watch: Duration::ZERO,
        traces: Some(TraceStore::new(&serde_json::from_value(store).unwrap()).unwrap()),
        payloads: Vec::new(),
        signals: Vec::new(),
        changes: Vec::new(),
        limits: Limits::default(),
    };
    let redact = Redactor::new(&RedactConfig::default()).unwrap();
    let again = record(options, &redact, &|_| {}, &cancel).await.unwrap();

    // What neither of them names is not theirs.
    assert_eq!(again.traces, bundle.traces.get(..2).unwrap());
    let objects = |bundle: &Bundle| -> Vec<String> {
        let resources = bundle.kubernetes.resources.iter();
        resources.flat_map(|one| one.objects.iter().map(|object| object.object.to_string())).collect()
    };
    assert_eq!(objects(&again), objects(&bundle));
    let lines = |bundle: &Bundle| bundle.kubernetes.logs.iter().map(|log| log.text.lines().count()).sum::<usize>();
    assert_eq!(lines(&again), lines(&bundle));
    assert_eq!(again.alertmanager.alerts.len(), bundle.alertmanager.alerts.len());
    assert_eq!(again.manifest.omissions, Vec::new());
}

#[tokio::test(start_paused = true)]
async fn a_log_that_gives_no_answer_costs_that_log_alone() {
    rustls::crypto::ring::default_provider().install_default().ok();
    // Nobody answers: the request waits until its deadline.
    let hung = tower::service_fn(|_: http::Request<kube::client::Body>| {
        std::future::pending::<Result<http::Response<kube::client::Body>, std::io::Error>>()
    });
    let pod = pod("cart-1", 0);
    let redact = Redactor::new(&RedactConfig::default()).unwrap();
    let cancel = CancellationToken::new();
    let mut recorder = recorder(kube::Client::new(hung, "default"), &redact, &cancel);
    let logs = recorder.logs(&[], vec![pod]).await.unwrap();
    assert_eq!(logs[0].refused.as_ref().unwrap()["code"], 504);
    assert_eq!(recorder.omissions[0].what, "log of Pod shop/cart-1 container app");
    assert_eq!(recorder.omissions[0].why, "no answer in 30 s while it was recorded");
}

fn pod(name: &str, restarts: u32) -> Value {
    json!({"metadata": {"namespace": "shop", "name": name}, "spec": {"containers": [{"name": "app"}]},
        "status": {"conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": "app", "restartCount": restarts, "state": {"running": {}}}]}})
}

pub(super) fn recorder<'a>(client: kube::Client, redact: &'a Redactor, cancel: &'a CancellationToken) -> Recorder<'a> {
    let options = RecordOptions {
        client,
        cluster: "test".to_owned(),
        prometheus: None,
        alertmanager_url: None,
        namespaces: ["shop".to_owned()].into(),
        since: Timestamp::UNIX_EPOCH,
        watch: Duration::ZERO,
        traces: None,
        payloads: Vec::new(),
        signals: Vec::new(),
        changes: Vec::new(),
        limits: Limits::default(),
    };
    Recorder {
        options,
        redaction: Redaction::new(redact),
        progress: &|_| {},
        cancel,
        omissions: Vec::new(),
        histograms: BTreeSet::new(),
        recorded_at: Timestamp::UNIX_EPOCH,
        began: Instant::now(),
    }
}

/// A cluster that answers each request after 20 s with the same line.
fn talking() -> kube::Client {
    let service = tower::service_fn(|_: http::Request<kube::client::Body>| async {
        tokio::time::sleep(Duration::from_secs(20)).await;
        let line = b"2026-01-02T03:04:05Z started\n".to_vec();
        Ok::<_, std::io::Error>(http::Response::new(kube::client::Body::from(line)))
    });
    kube::Client::new(service, "default")
}

#[tokio::test(start_paused = true)]
async fn where_there_is_no_time_or_room_for_all_logs_those_of_broken_pods_are_kept() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let redact = Redactor::new(&RedactConfig::default()).unwrap();
    let cancel = CancellationToken::new();
    for (bytes, seconds) in [(60, 10_000), (10_000, 50)] {
        let mut recorder = recorder(talking(), &redact, &cancel);
        recorder.options.limits.all_logs = bytes;
        recorder.options.limits.time = Duration::from_secs(seconds);
        let pods = vec![pod("a", 0), pod("b", 0), pod("c", 0), pod("d", 2)];
        let logs = recorder.logs(&[], pods).await.unwrap();
        let kept: Vec<(&str, bool, bool)> =
            logs.iter().map(|log| (log.pod.as_str(), log.previous, log.refused.is_none())).collect();
        let expected =
            [("a", false, true), ("b", false, false), ("c", false, false), ("d", false, true), ("d", true, true)];
        assert_eq!(kept, expected, "{bytes} bytes, {seconds} s");
        assert_eq!(recorder.omissions[0].what, "2 logs");
        assert_eq!(logs[1].refused.as_ref().unwrap()["code"], 504);
    }
}

#[tokio::test]
async fn a_prometheus_that_does_not_answer_costs_the_metrics_alone() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let redact = Redactor::new(&RedactConfig::default()).unwrap();
    let cancel = CancellationToken::new();
    let mut recorder = recorder(talking(), &redact, &cancel);
    let nobody = EndpointConfig::at("http://127.0.0.1:9".parse().unwrap());
    recorder.options.prometheus = Some(Prometheus::new(&nobody).unwrap());
    assert!(recorder.prometheus().await.unwrap().is_none());
    let omission = recorder.omissions.first().unwrap();
    assert_eq!(omission.what, "metrics");
    assert!(omission.why.starts_with("record rules of Prometheus: "), "{}", omission.why);
}
