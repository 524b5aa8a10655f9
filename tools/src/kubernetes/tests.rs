#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use marple_core::ObjectRef;
use serde_json::{Value, json};

use super::double::{Double, client, failure};
use super::request::METADATA;
use super::{Cluster, LogRequest, LookError};

fn pod(name: &str) -> ObjectRef {
    ObjectRef::namespaced("Pod", "shop", name)
}

fn object(kind: &str, name: &str, owner: Option<(&str, &str, &str)>) -> Value {
    let owners =
        owner.map(|(api, kind, name)| json!([{"apiVersion": api, "kind": kind, "name": name, "controller": true}]));
    json!({"apiVersion": "v1", "kind": kind, "metadata": {"namespace": "shop", "name": name, "ownerReferences": owners}})
}

fn metadata(objects: &[(&str, &str)]) -> Value {
    let items: Vec<Value> =
        objects.iter().map(|(namespace, name)| json!({"metadata": {"namespace": namespace, "name": name}})).collect();
    json!({"kind": "PartialObjectMetadataList", "items": items})
}

#[tokio::test]
async fn many_who_need_the_kinds_at_once_ask_for_them_once() {
    let double = Double::start().await;
    let cluster = double.cluster();
    let words = ["Pod", "po", "deploy", "apps/Deployment", "nodes", "nonsense", "Pod", "svc"];
    let kinds = futures::future::join_all(words.map(|word| cluster.kind(word))).await;
    let told: Vec<String> =
        kinds.into_iter().map(|kind| kind.map_or_else(|error| error.to_string(), |kind| kind.resource())).collect();
    assert_eq!(
        told,
        [
            "pods",
            "pods",
            "deployments.apps",
            "deployments.apps",
            "nodes",
            "the cluster serves no kind \"nonsense\"",
            "pods",
            "services"
        ]
    );
    assert_eq!(double.0.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn an_older_server_is_asked_group_by_group() {
    let double = Double(wiremock::MockServer::start().await);
    let resources = json!({"kind": "APIResourceList", "resources": [
        {"name": "deployments", "singularName": "deployment", "namespaced": true, "kind": "Deployment", "verbs": ["get"], "shortNames": ["deploy"]},
        {"name": "deployments/scale", "namespaced": true, "kind": "Scale", "verbs": ["get"]}]});
    double.answer("/api", 200, &json!({"kind": "APIVersions", "versions": ["v1"]})).await;
    double.answer("/apis", 200, &json!({"kind": "APIGroupList", "groups": [
        {"name": "apps", "preferredVersion": {"version": "v1"}}, {"name": "metrics.k8s.io", "preferredVersion": {"version": "v1"}}]})).await;
    double.answer("/apis/apps/v1", 200, &resources).await;
    double.answer("/apis/metrics.k8s.io/v1", 503, &failure(503, "ServiceUnavailable", "away")).await;
    let cluster = Cluster::with_deadline(double.client(), Duration::from_millis(300));
    let kinds = cluster.kinds().await.unwrap();
    let told: Vec<String> = kinds.iter().map(|kind| format!("{} {}", kind.api_version(), kind.kind)).collect();
    assert_eq!(told, ["apps/v1 Deployment"], "a group whose server is away hides no other");
}

#[tokio::test]
async fn a_missing_permission_is_told_with_what_would_grant_it() {
    let double = Double::start().await;
    let refusal = failure(
        403,
        "Forbidden",
        "pods \"cart-1\" is forbidden: User \"system:serviceaccount:marple:marple\" cannot get resource \"pods\"",
    );
    for path in [
        "/api/v1/namespaces/shop/pods/cart-1",
        "/apis/apps/v1/deployments",
        "/api/v1/namespaces/shop/pods/cart-1/log",
        "/api/v1/nodes/n1",
    ] {
        double.answer(path, 403, &refusal).await;
    }
    let cluster = double.cluster();
    let errors = [
        cluster.get(&pod("cart-1")).await.unwrap_err(),
        cluster.list("deploy", None, None, None, 10).await.unwrap_err(),
        cluster.logs(&LogRequest::new("shop", "cart-1")).await.unwrap_err(),
        cluster.get(&ObjectRef::cluster("Node", "n1")).await.unwrap_err(),
    ];
    assert!(errors.iter().all(|error| matches!(error, LookError::Forbidden { .. })));
    insta::assert_snapshot!(errors.map(|error| error.to_string()).join("\n"));
}

#[tokio::test]
async fn a_wrong_namespace_is_told_with_the_right_one_and_a_wrong_name_with_like_ones() {
    let double = Double::start().await;
    double
        .answer("/api/v1/namespaces/shop/pods/cart-1", 404, &failure(404, "NotFound", "pods \"cart-1\" not found"))
        .await;
    double
        .answer_accept("/api/v1/namespaces/shop/pods", METADATA, &metadata(&[("shop", "cart-2"), ("shop", "redis")]))
        .await;
    double
        .answer_query("/api/v1/pods", &[("fieldSelector", "metadata.name=cart-1")], &metadata(&[("prod", "cart-1")]))
        .await;
    let error = double.cluster().get(&pod("cart-1")).await.unwrap_err();
    assert_eq!(error.to_string(), "there is no Pod shop/cart-1; did you mean one of Pod prod/cart-1, Pod shop/cart-2?");
}

#[tokio::test]
async fn without_a_namespace_the_only_object_of_the_name_is_meant() {
    let double = Double::start().await;
    let by_name = |name: &str| [("fieldSelector", format!("metadata.name={name}"))];
    for (name, found) in [("one", vec![("shop", "one")]), ("two", vec![("a", "two"), ("b", "two")]), ("none", vec![])] {
        let query = by_name(name);
        let query: Vec<(&str, &str)> = query.iter().map(|(field, value)| (*field, value.as_str())).collect();
        double.answer_query("/api/v1/pods", &query, &metadata(&found)).await;
    }
    double.answer("/api/v1/pods", 200, &metadata(&[("shop", "nones")])).await;
    double.answer("/api/v1/namespaces/shop/pods/one", 200, &object("Pod", "one", None)).await;
    let cluster = double.cluster();
    let get =
        async |name: &str| cluster.get(&ObjectRef { kind: "pod".into(), namespace: None, name: name.into() }).await;
    assert_eq!(get("one").await.unwrap()["metadata"]["namespace"], "shop");
    assert_eq!(get("two").await.unwrap_err().to_string(), "Pod two is in the namespaces a, b; say which");
    assert_eq!(
        get("none").await.unwrap_err().to_string(),
        "there is no Pod none in any namespace; did you mean Pod shop/nones?"
    );
}

#[tokio::test]
async fn who_may_look_in_some_namespaces_only_is_asked_for_the_namespace() {
    let double = Double::start().await;
    double.answer("/api/v1/pods", 403, &failure(403, "Forbidden", "User \"marple\" cannot list resource")).await;
    let error = double
        .cluster()
        .get(&ObjectRef { kind: "pod".into(), namespace: None, name: "cart".into() })
        .await
        .unwrap_err();
    assert!(
        matches!(&error, LookError::Invalid { what } if what.starts_with("say in which namespace Pod cart is")),
        "{error}"
    );
}

#[tokio::test]
async fn events_are_asked_for_by_kind_and_name_whatever_the_kind_is_called() {
    let double = Double::start().await;
    let event = |at: &str| json!({"metadata": {"name": at}, "lastTimestamp": at});
    let at = "/api/v1/namespaces/shop/events";
    let events = json!({"kind": "EventList", "items": [event("2026-01-02T03:05:00Z"), event("2026-01-02T03:04:00Z")]});
    double.answer(at, 200, &events).await;
    let read = double.cluster().events_of(&ObjectRef::namespaced("deploy", "shop", "cart")).await.unwrap();
    let names: Vec<&str> = read.iter().filter_map(|event| event["metadata"]["name"].as_str()).collect();
    assert_eq!(names, ["2026-01-02T03:04:00Z", "2026-01-02T03:05:00Z"]);
    let selector = "fieldSelector=involvedObject.kind%3DDeployment%2CinvolvedObject.name%3Dcart";
    assert_eq!(double.asked().await, [format!("{at}?limit=500&{selector}")]);
}

#[tokio::test]
async fn a_list_is_read_page_by_page_up_to_its_limit() {
    let double = Double::start().await;
    let page = |names: &[&str], next: &str| {
        let items: Vec<Value> =
            names.iter().map(|name| json!({"metadata": {"name": name}, "data": {"k": "aHVudGVyMg=="}})).collect();
        json!({"kind": "SecretList", "metadata": {"continue": next}, "items": items})
    };
    let at = "/api/v1/namespaces/shop/secrets";
    double.answer(at, 200, &page(&["a", "b"], "more+")).await;
    double.answer_query(at, &[("continue", "more+")], &page(&["c", "d"], "end")).await;
    let read = double.cluster().list("secret", Some("shop"), Some("app=a,tier in (x)"), None, 3).await.unwrap();
    let secret = |name: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "data": {"k": "7 bytes"}});
    assert_eq!(read, [secret("a"), secret("b"), secret("c")]);
    let selector = "labelSelector=app%3Da%2Ctier%20in%20%28x%29";
    assert_eq!(
        double.asked().await,
        [format!("{at}?limit=3&{selector}"), format!("{at}?limit=1&{selector}&continue=more%2B")]
    );
}

#[tokio::test]
async fn the_chain_of_owners_ends_at_the_top_or_where_an_owner_is_gone() {
    let double = Double::start().await;
    let replica_set = Some(("apps/v1", "ReplicaSet", "cart-5d"));
    double.answer("/api/v1/namespaces/shop/pods/cart-1", 200, &object("Pod", "cart-1", replica_set)).await;
    double
        .answer(
            "/api/v1/namespaces/shop/pods/old-1",
            200,
            &object("Pod", "old-1", Some(("apps/v1", "ReplicaSet", "gone"))),
        )
        .await;
    double
        .answer(
            "/apis/apps/v1/namespaces/shop/replicasets/cart-5d",
            200,
            &object("ReplicaSet", "cart-5d", Some(("apps/v1", "Deployment", "cart"))),
        )
        .await;
    double.answer("/apis/apps/v1/namespaces/shop/deployments/cart", 200, &object("Deployment", "cart", None)).await;
    double
        .answer("/api/v1/namespaces/shop/pods/mirror", 200, &object("Pod", "mirror", Some(("v1", "Node", "n1"))))
        .await;
    let cluster = double.cluster();
    let owners = async |name: &str| {
        cluster.owners(&pod(name)).await.unwrap().iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(owners("cart-1").await, ["ReplicaSet shop/cart-5d", "Deployment shop/cart"]);
    assert_eq!(owners("old-1").await, ["ReplicaSet shop/gone"]);
    assert_eq!(owners("mirror").await, ["Node n1"]);
}

#[tokio::test]
async fn a_log_is_asked_for_as_wanted_and_its_end_is_kept() {
    let double = Double::start().await;
    let at = "/api/v1/namespaces/shop/pods/cart-1/log";
    double
        .answer_text(at, &((0..1_000).map(|line| format!("line {line:03}")).collect::<Vec<_>>().join("\n") + "\n"))
        .await;
    let mut request = LogRequest::new("shop", "cart-1");
    request.container = Some("app".to_owned());
    request.previous = true;
    request.tail_lines = Some(50);
    request.since = Some("2026-01-02T03:04:05.6Z".parse().unwrap());
    request.limit_bytes = Some(25);
    assert_eq!(
        double.cluster().logs(&request).await.unwrap(),
        "… 8,982 earlier bytes left out …\nline 998\nline 999\n"
    );
    assert_eq!(
        double.asked().await,
        [format!("{at}?container=app&previous=true&sinceTime=2026-01-02T03%3A04%3A05Z&tailLines=50")]
    );
    assert_eq!(request.title(), "logs of Pod shop/cart-1 container app, previous");
}

#[tokio::test]
async fn a_log_that_is_not_there_says_why() {
    let double = Double::start().await;
    let say = async |name: &str, message: &str| {
        double
            .answer(&format!("/api/v1/namespaces/shop/pods/{name}/log"), 400, &failure(400, "BadRequest", message))
            .await;
    };
    say("a", "container nope is not valid for pod a, choose one of: [app proxy]").await;
    say("b", "a container name must be specified for pod b, choose one of: [app proxy]").await;
    say("c", "previous terminated container \"app\" in pod \"c\" not found").await;
    say("d", "container \"app\" in pod \"d\" is waiting to start: ContainerCreating").await;
    let cluster = double.cluster();
    let mut told = Vec::new();
    for (name, container) in [("a", Some("nope")), ("b", None), ("c", Some("app")), ("d", None)] {
        let request = LogRequest { container: container.map(str::to_owned), ..LogRequest::new("shop", name) };
        told.push(cluster.logs(&request).await.unwrap_err().to_string());
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn a_server_that_fails_hangs_or_answers_nonsense_is_told_apart() {
    let double = Double::start().await;
    double
        .answer(
            "/api/v1/namespaces/shop/pods/broken",
            500,
            &failure(500, "InternalError", "etcdserver: leader changed"),
        )
        .await;
    double.answer_text("/api/v1/namespaces/shop/pods/nonsense", "<html>").await;
    let slow = wiremock::ResponseTemplate::new(200).set_delay(Duration::from_secs(5));
    wiremock::Mock::given(wiremock::matchers::path("/api/v1/namespaces/shop/pods/slow"))
        .respond_with(slow)
        .mount(&double.0)
        .await;
    let cluster = Cluster::with_deadline(double.client(), Duration::from_millis(300));
    let get = async |name: &str| cluster.get(&pod(name)).await.unwrap_err();
    assert_eq!(
        get("broken").await.to_string(),
        "could not get pods broken in namespace shop: etcdserver: leader changed (500)"
    );
    assert!(matches!(get("nonsense").await, LookError::Backend { why, .. } if why.contains("no JSON")));
    assert_eq!(
        get("slow").await,
        LookError::Timeout { what: "get pods slow in namespace shop".into(), after: Duration::from_millis(300) }
    );
}

#[tokio::test]
async fn a_server_that_is_away_is_told_at_once() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let cluster = Cluster::new(client(&format!("http://{address}")));
    let ended = tokio::time::timeout(Duration::from_secs(2), cluster.get(&pod("cart-1")))
        .await
        .expect("no wait for the deadline");
    assert!(matches!(ended, Err(LookError::Backend { why, .. }) if why.to_lowercase().contains("connection refused")));
}

#[tokio::test]
async fn a_name_can_not_lead_elsewhere() {
    let double = Double::start().await;
    let cluster = double.cluster();
    for name in ["../secrets/db", "cart?watch=true", "", "a b", "..", "%2e%2e"] {
        assert!(matches!(cluster.get(&pod(name)).await, Err(LookError::Invalid { .. })), "{name}");
    }
    assert_eq!(double.asked().await, Vec::<String>::new());
}
