#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{body_json, header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::gate::{
    Approval, Approve, ApproveError, Audit, AuditEntry, AuditError, Gate, GateConfig, Progress, Request,
};
use crate::kubernetes::double::{Double, failure};
use crate::redact::{RedactConfig, Redactor};
use crate::{CallOutcome, CallStatus, Look, MemoryEvidence, Toolbox};

mod again;
mod silence;

const SCALE: &str = "/apis/apps/v1/namespaces/shop/deployments/cart/scale";
const POD: &str = "/api/v1/namespaces/shop/pods/cart-1";

fn look() -> Look {
    Look { incident_start: None, now: "2026-01-02T03:04:05Z".parse().unwrap(), cancel: CancellationToken::new() }
}

/// A person who says this, and remembers what was asked.
struct Person {
    approves: bool,
    asked: Mutex<Vec<Request>>,
}

#[async_trait]
impl Approve for Person {
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError> {
        self.asked.lock().unwrap().push(request.clone());
        let by = "ann".to_owned();
        Ok(if self.approves {
            Approval::Approved { by }
        } else {
            Approval::Denied { by, why: Some("not now".to_owned()) }
        })
    }
}

#[derive(Default)]
struct Record(Mutex<Vec<AuditEntry>>);

#[async_trait]
impl Audit for Record {
    async fn record(&self, entry: AuditEntry) -> Result<(), AuditError> {
        self.0.lock().unwrap().push(entry);
        Ok(())
    }
}

struct Bench {
    toolbox: Toolbox,
    person: Arc<Person>,
    record: Arc<Record>,
}

/// A toolbox of all changes to what a double shows, before a person.
fn bench(double: &Double, approves: bool, gate: Value) -> Bench {
    use Act::{Cordon, DeletePod, Patch, Restart, Scale, Uncordon};
    let config =
        ActConfig { enabled: vec![DeletePod, Restart, Scale, Cordon, Uncordon, Patch], ..ActConfig::default() };
    let mut rules: GateConfig = serde_json::from_value(gate).unwrap();
    rules.rules.extend(config.rules());
    let person = Arc::new(Person { approves, asked: Mutex::default() });
    let record = Arc::new(Record::default());
    let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
    let tools = tools(&config, Some(&double.cluster())).unwrap();
    let toolbox = Toolbox::new(tools, Arc::new(MemoryEvidence::default()), redact, Duration::from_secs(5))
        .with_gate(Gate::new(rules))
        .with_audit(record.clone())
        .with_approval(person.clone());
    Bench { toolbox, person, record }
}

impl Bench {
    async fn call(&self, name: &str, arguments: Value) -> CallOutcome {
        self.toolbox.call(name, arguments, &look()).await
    }

    /// What was recorded: who approved it, and how far it had come.
    fn recorded(&self) -> Vec<(Option<String>, Option<CallStatus>)> {
        let entries = self.record.0.lock().unwrap();
        let told = |entry: &AuditEntry| {
            let status = match entry.progress {
                Progress::Begun => None,
                Progress::Ended { status, .. } => Some(status),
            };
            (entry.approved_by.clone(), status)
        };
        entries.iter().map(told).collect()
    }
}

fn scale(version: &str, replicas: u32) -> Value {
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": {"name": "cart", "namespace": "shop", "uid": "u1",
        "resourceVersion": version}, "spec": {"replicas": replicas}, "status": {"replicas": 2}})
}

/// Answers the change of the scale from this version, in earnest or only tried.
async fn scales(double: &Double, version: &str, dry: bool) {
    let body = json!({"spec": {"replicas": 3}, "metadata": {"uid": "u1", "resourceVersion": version}});
    let mut mock = Mock::given(method("PATCH"))
        .and(path(SCALE))
        .and(header("content-type", "application/merge-patch+json"))
        .and(query_param("fieldManager", "marple"))
        .and(query_param("fieldValidation", "Strict"))
        .and(body_json(body));
    mock = if dry { mock.and(query_param("dryRun", "All")) } else { mock.and(query_param_is_missing("dryRun")) };
    mock.respond_with(ResponseTemplate::new(200).set_body_json(scale("9", 3))).mount(&double.0).await;
}

/// Requests that change something, without those that only try.
async fn changes(double: &Double) -> usize {
    let requests = double.0.received_requests().await.unwrap();
    let dry = |request: &wiremock::Request| {
        request.url.query().is_some_and(|query| query.contains("dryRun=All"))
            || String::from_utf8_lossy(&request.body).contains("dryRun")
    };
    requests.iter().filter(|request| request.method.as_str() != "GET" && !dry(request)).count()
}

fn three() -> Value {
    json!({"kind": "Deployment", "namespace": "shop", "name": "cart", "replicas": 3})
}

#[tokio::test]
async fn what_is_approved_is_made_once_as_it_was_shown_and_recorded() {
    let double = Double::start().await;
    double.answer(SCALE, 200, &scale("5", 2)).await;
    scales(&double, "5", true).await;
    scales(&double, "5", false).await;
    let bench = bench(&double, true, json!({}));
    let outcome = bench.call("kubernetes_scale", three()).await;
    assert_eq!(outcome.status, CallStatus::Ok, "{}", outcome.text);
    insta::assert_snapshot!(outcome.text, @r"
    [e1] scale Deployment shop/cart from 2 to 3, approved by ann
    Done.
    @@ -4,4 +4,4 @@
       name: cart
       namespace: shop
     spec:
    -  replicas: 2
    +  replicas: 3
    ");
    let asked = bench.person.asked.lock().unwrap()[0].preview.clone().unwrap();
    assert_eq!(asked.title, "scale Deployment shop/cart from 2 to 3");
    assert!(asked.diff.ends_with("-  replicas: 2\n+  replicas: 3\n"), "{}", asked.diff);
    let ann = Some("ann".to_owned());
    assert_eq!(bench.recorded(), [(ann.clone(), None), (ann, Some(CallStatus::Ok))]);
    assert_eq!(changes(&double).await, 1);
}

#[tokio::test]
async fn what_is_denied_changes_nothing() {
    let double = Double::start().await;
    double.answer(SCALE, 200, &scale("5", 2)).await;
    scales(&double, "5", true).await;
    let bench = bench(&double, false, json!({}));
    let outcome = bench.call("kubernetes_scale", three()).await;
    assert_eq!(
        (outcome.status, outcome.text.as_str()),
        (CallStatus::Refused, "kubernetes_scale was denied by ann: not now")
    );
    assert_eq!(bench.recorded(), [(None, Some(CallStatus::Refused))]);
    assert_eq!(changes(&double).await, 0);
}

#[tokio::test]
async fn an_object_that_changed_since_it_was_shown_is_left_alone() {
    let double = Double::start().await;
    let once = Mock::given(method("GET"))
        .and(path(SCALE))
        .respond_with(ResponseTemplate::new(200).set_body_json(scale("5", 2)));
    once.up_to_n_times(1).with_priority(1).mount(&double.0).await;
    double.answer(SCALE, 200, &scale("6", 4)).await;
    scales(&double, "5", true).await;
    let outcome = bench(&double, true, json!({})).call("kubernetes_scale", three()).await;
    assert_eq!(outcome.status, CallStatus::Failed);
    assert_eq!(
        outcome.text,
        "Deployment shop/cart has changed since it was shown, so the approval of ann does not hold; look again and propose \
         it anew"
    );
    assert_eq!(changes(&double).await, 0);
}

#[tokio::test]
async fn a_status_that_was_written_in_between_does_not_matter() {
    let double = Double::start().await;
    let once = Mock::given(method("GET"))
        .and(path(SCALE))
        .respond_with(ResponseTemplate::new(200).set_body_json(scale("5", 2)));
    once.up_to_n_times(1).with_priority(1).mount(&double.0).await;
    let mut later = scale("6", 2);
    later["status"]["replicas"] = json!(1);
    double.answer(SCALE, 200, &later).await;
    scales(&double, "5", true).await;
    scales(&double, "6", false).await;
    let outcome = bench(&double, true, json!({})).call("kubernetes_scale", three()).await;
    assert_eq!(outcome.status, CallStatus::Ok, "{}", outcome.text);
}

#[tokio::test]
async fn what_would_change_nothing_asks_nobody() {
    let double = Double::start().await;
    double.answer(SCALE, 200, &scale("9", 3)).await;
    scales(&double, "9", true).await;
    let bench = bench(&double, true, json!({}));
    let outcome = bench.call("kubernetes_scale", three()).await;
    assert_eq!(
        outcome.text,
        "scale Deployment shop/cart from 3 to 3: Deployment shop/cart is so already, nothing would change"
    );
    assert!(bench.person.asked.lock().unwrap().is_empty());
}

#[tokio::test]
async fn the_gate_refuses_by_what_the_arguments_come_to_and_before_anything_is_asked_of_the_server() {
    let double = Double::start().await;
    double.answer(SCALE, 200, &scale("5", 2)).await;
    scales(&double, "5", true).await;
    let by_object = json!({"rules": [{"object": {"kind": "Deployment", "namespace": "sho*"}, "decision": "refuse"}]});
    let bench_of = bench(&double, true, by_object);
    let arguments = json!({"kind": "deploy", "namespace": "shop", "name": "cart", "replicas": 3});
    let outcome = bench_of.call("kubernetes_scale", arguments).await;
    assert_eq!(outcome.status, CallStatus::Refused);
    assert!(bench_of.person.asked.lock().unwrap().is_empty());

    let other = Double::start().await;
    let by_name = bench(&other, true, json!({"rules": [{"tool": "kubernetes_scale", "decision": "refuse"}]}));
    assert_eq!(by_name.call("kubernetes_scale", three()).await.status, CallStatus::Refused);
    assert_eq!(other.asked().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_pod_is_deleted_by_its_identity() {
    let double = Double::start().await;
    let pod = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "cart-1", "namespace": "shop", "uid": "u7",
        "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart", "controller": true}]}});
    double.answer(POD, 200, &pod).await;
    let options = |dry: bool| {
        let mut options = json!({"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": "u7"}});
        if dry {
            options["dryRun"] = json!(["All"]);
        }
        options
    };
    for dry in [true, false] {
        let mock = Mock::given(method("DELETE")).and(path(POD)).and(body_json(options(dry)));
        mock.respond_with(ResponseTemplate::new(200).set_body_json(&pod)).expect(1).mount(&double.0).await;
    }
    let outcome = bench(&double, true, json!({}))
        .call("kubernetes_delete_pod", json!({"namespace": "shop", "name": "cart-1"}))
        .await;
    assert_eq!(
        outcome.text,
        "[e1] delete Pod shop/cart-1, approved by ann\nDone.\n- Pod shop/cart-1 (uid u7)\nReplicaSet shop/cart makes another \
         in its place.\n"
    );
}

#[tokio::test]
async fn a_restart_marks_the_template_and_a_node_is_cordoned() {
    let double = Double::start().await;
    let deployment = json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "cart", "namespace": "shop", "uid": "u1",
        "resourceVersion": "5"}, "spec": {"template": {"metadata": {"labels": {"app": "cart"}}}}});
    let at = "/apis/apps/v1/namespaces/shop/deployments/cart";
    double.answer(at, 200, &deployment).await;
    let mark = json!({"kubectl.kubernetes.io/restartedAt": "2026-01-02T03:04:05Z"});
    let mut after = deployment.clone();
    after["spec"]["template"]["metadata"]["annotations"] = mark.clone();
    let body = json!({"spec": {"template": {"metadata": {"annotations": mark}}}, "metadata": {"uid": "u1", "resourceVersion": "5"}});
    let mock = Mock::given(method("PATCH")).and(path(at)).and(body_json(body));
    mock.respond_with(ResponseTemplate::new(200).set_body_json(after)).expect(2).mount(&double.0).await;
    let bench = bench(&double, true, json!({}));
    let arguments = json!({"kind": "Deployment", "namespace": "shop", "name": "cart"});
    let restarted = bench.call("kubernetes_restart", arguments).await;
    assert!(
        restarted.text.contains("+        kubectl.kubernetes.io/restartedAt: 2026-01-02T03:04:05Z"),
        "{}",
        restarted.text
    );

    let node = |unschedulable: Value| json!({"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1", "uid": "u2", "resourceVersion": "7"}, "spec": {"unschedulable": unschedulable}});
    double.answer("/api/v1/nodes/n1", 200, &node(Value::Null)).await;
    let body = json!({"spec": {"unschedulable": true}, "metadata": {"uid": "u2", "resourceVersion": "7"}});
    let mock = Mock::given(method("PATCH")).and(path("/api/v1/nodes/n1")).and(body_json(body));
    mock.respond_with(ResponseTemplate::new(200).set_body_json(node(json!(true)))).expect(2).mount(&double.0).await;
    let cordoned = bench.call("kubernetes_cordon", json!({"node": "n1"})).await;
    assert!(cordoned.text.contains("+  unschedulable: true"), "{}", cordoned.text);
}

#[tokio::test]
async fn a_patch_is_read_strictly_and_never_touches_a_secret() {
    let double = Double::start().await;
    let map = "/api/v1/namespaces/shop/configmaps/flags";
    let before = json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "flags", "namespace": "shop", "uid": "u3", "resourceVersion": "5"}, "data": {"a": "1"}});
    double.answer(map, 200, &before).await;
    let operations = json!([{"op": "test", "path": "/metadata/uid", "value": "u3"},
        {"op": "test", "path": "/metadata/resourceVersion", "value": "5"}, {"op": "replace", "path": "/data/a", "value": "2"}]);
    let mut after = before.clone();
    after["data"]["a"] = json!("2");
    let mock = Mock::given(method("PATCH")).and(path(map)).and(header("content-type", "application/json-patch+json"));
    mock.and(body_json(operations))
        .respond_with(ResponseTemplate::new(200).set_body_json(after))
        .expect(2)
        .mount(&double.0)
        .await;
    let bench = bench(&double, true, json!({}));
    let patch = |kind: &str, patch: &str, form: &str| json!({"kind": kind, "namespace": "shop", "name": "flags", "patch": patch, "form": form});
    let json_patch = r#"[{"op": "replace", "path": "/data/a", "value": "2"}]"#;
    assert_eq!(bench.call("kubernetes_patch", patch("cm", json_patch, "json")).await.status, CallStatus::Ok);

    let refused = bench.call("kubernetes_patch", patch("v1/Secret", "{}", "merge")).await;
    assert_eq!(refused.text, "Secrets are never changed; propose it as a remedy");
    let list = bench.call("kubernetes_patch", patch("cm", "[]", "merge")).await;
    assert_eq!(list.text, "`patch` is no JSON object; for a list of operations set `form` to json");
    let unknown =
        Mock::given(method("PATCH")).and(path(map)).and(header("content-type", "application/merge-patch+json"));
    let why = failure(400, "BadRequest", "unknown field \"dat\"");
    unknown.respond_with(ResponseTemplate::new(400).set_body_json(why)).mount(&double.0).await;
    let strict = bench.call("kubernetes_patch", patch("cm", r#"{"dat": {}}"#, "merge")).await;
    assert_eq!((strict.status, strict.text.as_str()), (CallStatus::Failed, "unknown field \"dat\""));
}

#[tokio::test]
async fn a_change_that_was_begun_is_carried_out_though_who_asked_has_gone() {
    let double = Double::start().await;
    double.answer(SCALE, 200, &scale("5", 2)).await;
    scales(&double, "5", true).await;
    let body = json!({"spec": {"replicas": 3}, "metadata": {"uid": "u1", "resourceVersion": "5"}});
    let (reached, mut reaching) = tokio::sync::mpsc::unbounded_channel();
    let slow = Mock::given(method("PATCH")).and(path(SCALE)).and(query_param_is_missing("dryRun")).and(body_json(body));
    slow.respond_with(move |_: &wiremock::Request| {
        reached.send(()).unwrap();
        ResponseTemplate::new(200).set_body_json(scale("9", 3)).set_delay(Duration::from_millis(200))
    })
    .mount(&double.0)
    .await;
    let bench = bench(&double, true, json!({}));
    let toolbox = bench.toolbox.clone();
    let calling = tokio::spawn(async move { toolbox.call("kubernetes_scale", three(), &look()).await });
    reaching.recv().await.unwrap();
    calling.abort();
    assert!(calling.await.is_err());
    let ended = async {
        while bench.recorded().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), ended).await.unwrap();
    assert_eq!(bench.recorded()[1].1, Some(CallStatus::Ok));
}

#[tokio::test]
async fn nothing_is_offered_that_is_not_enabled_and_all_of_it_is_cheap() {
    assert!(tools(&ActConfig::default(), None).unwrap().is_empty());
    let counter = tiktoken_rs::o200k_base().unwrap();
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = kube::Client::try_from(kube::Config::new("http://127.0.0.1:9".parse().unwrap()));
    let cluster = Cluster::new(client.unwrap());
    let config: ActConfig = serde_json::from_value(json!({
        "enabled": ["delete_pod", "restart", "scale", "cordon", "uncordon", "patch", "silence"],
        "alertmanager": {"url": "http://127.0.0.1:9"}
    }))
    .unwrap();
    let specs: Vec<Value> = tools(&config, Some(&cluster))
        .unwrap()
        .iter()
        .map(|tool| tool.spec())
        .map(|spec| json!({"type": "function", "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters}}))
        .collect();
    let tokens: Vec<usize> = specs.iter().map(|spec| counter.encode_ordinary(&spec.to_string()).len()).collect();
    assert_eq!(tokens.len(), 7);
    assert!(tokens.iter().sum::<usize>() <= 600, "{tokens:?}");
}
