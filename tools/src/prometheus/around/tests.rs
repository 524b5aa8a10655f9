#![allow(clippy::unwrap_used, missing_docs)]

use marple_core::{Fingerprint, Labels, Severity, SignalSource, SignalStatus};
use serde_json::{Value, json};

use super::*;
use crate::prometheus::double::{Double, prometheus};

/// Takes out one word.
struct Word;

impl Redact for Word {
    fn redact(&self, text: &str) -> String {
        text.replace("hunter2", "[redacted]")
    }
}

const START: &str = "2026-01-02T03:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn signal(name: &str, labels: &[(&str, &str)]) -> Signal {
    let labels: Labels = labels.iter().copied().chain([("alertname", name)]).collect();
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(&labels),
        status: SignalStatus::Firing,
        name: name.to_owned(),
        severity: Severity::Critical,
        subject: marple_core::subject::subject(name, &labels),
        labels,
        annotations: Labels::new(),
        starts_at: at(START),
        ends_at: None,
        generator_url: None,
    }
}

async fn look(prometheus: &Prometheus, subjects: &[ObjectRef], signals: &[Signal]) -> Around {
    around(prometheus, subjects, signals, at(START), at("2026-01-02T03:10:00Z"), &Word).await
}

fn cart() -> ObjectRef {
    ObjectRef::namespaced("Deployment", "shop", "cart")
}

fn owner(label: &str, name: &str, kind: &str, owner: &str) -> (Value, &'static str) {
    (json!({"namespace": "shop", label: name, "owner_kind": kind, "owner_name": owner}), "1")
}

const PODS: &str =
    "max by (namespace, pod, owner_kind, owner_name) (last_over_time(kube_pod_owner{namespace=\"shop\"}[2400s]))";
const SETS: &str = "max by (namespace, replicaset, owner_kind, owner_name) (last_over_time(kube_replicaset_owner{namespace=\"shop\"}[2400s]))";

#[tokio::test]
async fn a_prometheus_that_is_away_is_told_once_and_at_once() {
    // A port that nobody listens at: it was free a moment ago.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let began = std::time::Instant::now();
    let signals = [signal("A", &[("namespace", "shop")]), signal("B", &[("namespace", "shop")])];
    let subjects = [cart(), ObjectRef::cluster("Node", "n1")];
    let found = look(&prometheus(&format!("http://{free}")), &subjects, &signals).await;
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    assert_eq!((found.measured.len(), found.unseen.len()), (0, 1), "{found:?}");
    assert_eq!(found.unseen[0].what, "Prometheus metrics and alert rules");
    assert!(found.unseen[0].why.contains(&free.to_string()), "{:?}", found.unseen);
}

#[tokio::test]
async fn questions_end_at_the_deadline_and_the_first_answers_stay() {
    let double = Double::start().await;
    double.vector("fast", &[(json!({}), "1")]).await;
    let slow = wiremock::ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(slow).with_priority(9).mount(&double.0).await;
    let prometheus = double.prometheus();
    let asker = Asker::new(&prometheus, Duration::from_millis(500));
    let (fast, slow, other) = tokio::join!(
        asker.ask(prometheus.instant("fast", None)),
        asker.ask(prometheus.instant("slow", None)),
        asker.ask(prometheus.instant("other", None))
    );
    assert!(fast.is_some() && slow.is_none() && other.is_none());
    let unseen = asker.unseen().unwrap();
    assert_eq!(unseen.what, "2 of 3 questions to Prometheus's metrics");
    assert!(asker.ask(prometheus.instant("later", None)).await.is_none());
    assert!(!double.queries().await.contains(&"later".to_owned()), "nothing is asked after the deadline");
}

#[tokio::test]
async fn a_workloads_pods_are_those_that_it_owned() {
    let double = Double::start().await;
    double
        .vector(
            PODS,
            &[
                owner("pod", "cart-5d-x", "ReplicaSet", "cart-5d"),
                owner("pod", "web.1", "ReplicaSet", "cart-7f"),
                owner("pod", "cart-cache-6c-y", "ReplicaSet", "cart-cache-6c"),
            ],
        )
        .await;
    double
        .vector(
            SETS,
            &[
                owner("replicaset", "cart-5d", "Deployment", "cart"),
                owner("replicaset", "cart-7f", "Deployment", "cart"),
                owner("replicaset", "cart-cache-6c", "Deployment", "cart-cache"),
            ],
        )
        .await;
    let pods = "namespace=\"shop\",pod=~\"cart-5d-x|web\\\\.1\"";
    let restarts = format!("max by (namespace, pod, container) (kube_pod_container_status_restarts_total{{{pods}}})");
    let of = |pod: &str| json!({"namespace": "shop", "pod": pod, "container": "hunter2"});
    double
        .matrix(
            &restarts,
            &[(of("cart-5d-x"), "2026-01-02T03:00:00Z", &[0.0, 1.0, 1.0]), (of("stranger"), START, &[9.0])],
        )
        .await;
    double.nothing_else().await;
    let found = look(&double.prometheus(), &[cart()], &[]).await;
    assert_eq!(found.unseen, []);
    let [Measured { draft, .. }] = found.measured.as_slice() else { panic!("{:?}", found.measured) };
    assert_eq!(draft.title, "restarts and states of containers of Deployment shop/cart (Prometheus)");
    assert_eq!(
        (draft.object.clone(), draft.origin, draft.taken_at),
        (Some(cart()), EvidenceOrigin::Capture, at("2026-01-02T03:10:00Z"))
    );
    assert!(draft.content.contains("pod=\"cart-5d-x\": step up at 03:01 from 0 to 1;"), "{}", draft.content);
    assert!(!draft.content.contains("stranger") && !draft.content.contains("hunter2"), "{}", draft.content);
    let queries = double.queries().await;
    assert!(
        queries.iter().any(|query| query.contains("kube_deployment_status_replicas_available")
            && query.contains("deployment=\"cart\"")),
        "{queries:?}"
    );
    assert!(queries.iter().all(|query| query.len() < 2_000) && queries.len() < 30, "{queries:?}");
}

#[tokio::test]
async fn names_stand_in_for_ownership_only_where_no_metric_tells_it() {
    let double = Double::start().await;
    let pods = "namespace=\"shop\",pod=~\"cart-[a-z0-9]{1,10}-[a-z0-9]{5}\"";
    let restarts = format!("max by (namespace, pod, container) (kube_pod_container_status_restarts_total{{{pods}}})");
    let of = |pod: &str| json!({"namespace": "shop", "pod": pod, "container": "app"});
    double.matrix(&restarts, &[(of("cart-5d-abcde"), START, &[1.0]), (of("cart-cache-5d-abcde"), START, &[5.0])]).await;
    double.nothing_else().await;
    let found = look(&double.prometheus(), &[cart()], &[]).await;
    let [Measured { draft, .. }] = found.measured.as_slice() else { panic!("{:?}", found.measured) };
    assert!(draft.content.starts_with("no metric tells who owns the pods"), "{}", draft.content);
    assert!(draft.content.contains("cart-5d-abcde") && !draft.content.contains("cart-cache"), "{}", draft.content);
}

#[tokio::test]
async fn a_namespace_without_pods_is_no_reason_to_guess() {
    let double = Double::start().await;
    double.vector("count(kube_pod_owner)", &[(json!({}), "7")]).await;
    double.nothing_else().await;
    look(&double.prometheus(), &[cart()], &[]).await;
    let queries = double.queries().await;
    assert!(!queries.iter().any(|query| query.contains("pod=~") || query.contains("container_")), "{queries:?}");
}

#[tokio::test]
async fn a_rule_is_read_with_its_expressions_values_for_the_alerts_labels() {
    let double = Double::start().await;
    let alert = json!({"labels": {"alertname": "Errors", "severity": "page", "namespace": "shop", "pod": "cart-1"}, "state": "firing",
        "activeAt": "2026-01-02T02:59:00Z", "value": "0.5"});
    let rule = json!({"type": "alerting", "name": "Errors", "duration": 60, "labels": {"severity": "page"}, "annotations": {}, "health": "ok",
        "query": "sum by (namespace, pod) (rate(http_requests_total{code=~\"5..\"}[1m])) > 0.1", "alerts": [alert]});
    double.answer("GET", "rules", &[("rule_name[]", "Errors")], &json!({"groups": [{"rules": [rule]}]})).await;
    let values =
        "sum by (namespace, pod) (rate(http_requests_total{code=~\"5..\",namespace=\"shop\",pod=\"cart-1\"}[1m]))";
    let of = json!({"namespace": "shop", "pod": "cart-1"});
    double.matrix(values, &[(of.clone(), "2026-01-02T02:58:00Z", &[0.0, 0.5, 0.5])]).await;
    let requests = "sum by (namespace, pod, service, code, status, status_code, grpc_code) (rate(http_requests_total{namespace=\"shop\",pod=\"cart-1\"}[5m]))";
    double.matrix(requests, &[(of, START, &[3.0, 4.0])]).await;
    double.nothing_else().await;
    // The cluster's name was added behind the rule and is on no series.
    let signals =
        [signal("Errors", &[("namespace", "shop"), ("pod", "cart-1"), ("severity", "page"), ("cluster", "eu")])];
    let found = look(&double.prometheus(), &[], &signals).await;
    assert_eq!(found.unseen, []);
    let titles: Vec<&str> = found.measured.iter().map(|measured| measured.draft.title.as_str()).collect();
    assert_eq!(
        titles,
        [
            "rule of the alert Errors and its expression's values (Prometheus)",
            "requests that the alert Errors is about (Prometheus)"
        ]
    );
    let drawing = found.measured[0].drawing.as_deref().unwrap_or_default();
    assert!(drawing.starts_with("<svg") && drawing.contains(">the incident began</text>"), "{drawing}");
    assert!(found.measured[1..].iter().all(|measured| measured.drawing.is_none()), "one graph an alert");
    let rule = &found.measured[0].draft;
    assert_eq!(rule.object, Some(ObjectRef::namespaced("Pod", "shop", "cart-1")));
    for words in [
        "alert Errors: firing\n",
        "for: 1m\n",
        "step up at 02:59 from 0 to 0.5",
        "the incident began 2026-01-02T03:00:00Z",
    ] {
        assert!(rule.content.contains(words), "{words} is not in\n{}", rule.content);
    }
    assert!(found.measured[1].draft.content.contains("from 3/s to 4/s"), "{}", found.measured[1].draft.content);
}

#[tokio::test]
async fn a_name_from_an_alert_can_not_break_out_of_its_query() {
    let double = Double::start().await;
    double.nothing_else().await;
    let evil = "x\"} or on() vector(1) #\\";
    let subjects = [
        ObjectRef::namespaced("Pod", evil, evil),
        ObjectRef::namespaced("PersistentVolumeClaim", "shop", evil),
        ObjectRef::namespaced("Deployment", evil, evil),
        ObjectRef::cluster("Node", evil),
    ];
    look(&double.prometheus(), &subjects, &[]).await;
    let queries = double.queries().await;
    assert!(queries.len() > 10, "{queries:?}");
    for query in queries {
        let read = crate::prometheus::expression::Expression::read(&query).unwrap_or_else(|| panic!("{query}"));
        assert!(!read.metrics().contains("vector"), "{query}");
        let values: Vec<String> = read
            .selectors()
            .iter()
            .flat_map(|selector| selector.matchers.matchers.clone())
            .map(|matcher| matcher.value)
            .collect();
        assert!(
            !query.contains("or on() vector(1) #") || values.iter().any(|value| value.contains("vector")),
            "{query}"
        );
    }
}
