#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::{Duration, Instant};

use kube::{Client, Config};
use marple_core::ObjectRef;
use marple_tools::kubernetes::Cluster;
use serde_json::{Value, json};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::ClusterOwners;
use crate::correlate::{Known, Owners as _, Related};

/// An API server that answers from a script; what the script doesn't have is not found.
struct ApiServer(MockServer);

impl ApiServer {
    async fn start() -> Self {
        let server = Self(MockServer::start().await);
        let resource = |kind: &str, plural: &str| {
            json!({"resource": plural, "singularResource": kind.to_lowercase(), "responseKind": {"kind": kind},
                "scope": "Namespaced", "verbs": ["get", "list"]})
        };
        let group = |name: &str, resources: Vec<Value>| json!({"metadata": {"name": name}, "versions": [{"version": "v1", "resources": resources}]});
        let core = group("", vec![resource("Pod", "pods")]);
        let apps = vec![resource("Deployment", "deployments"), resource("ReplicaSet", "replicasets")];
        server.answer("/api", &json!({"kind": "APIGroupDiscoveryList", "items": [core]})).await;
        server.answer("/apis", &json!({"kind": "APIGroupDiscoveryList", "items": [group("apps", apps)]})).await;
        server
    }

    async fn answer(&self, at: &str, body: &Value) {
        let answer = ResponseTemplate::new(200).set_body_json(body);
        Mock::given(method("GET")).and(path(at)).respond_with(answer).mount(&self.0).await;
    }

    fn owners(&self) -> ClusterOwners {
        rustls::crypto::ring::default_provider().install_default().ok();
        let client = Client::try_from(Config::new(self.0.uri().parse().unwrap())).unwrap();
        ClusterOwners::new(Cluster::new(client))
    }

    /// Paths of all requests but those of discovery.
    async fn asked(&self) -> Vec<String> {
        let requests = self.0.received_requests().await.unwrap();
        let paths = requests.iter().map(|request| request.url.path().to_owned());
        paths.filter(|path| !matches!(path.as_str(), "/api" | "/apis")).collect()
    }
}

fn owned(name: &str, owner: &str, kind: &str) -> Value {
    let owner = json!({"apiVersion": "apps/v1", "kind": kind, "name": owner, "uid": "u", "controller": true});
    json!({"metadata": {"name": name, "namespace": "shop", "ownerReferences": [owner]}, "spec": {"nodeName": "n1"}})
}

fn pod(name: &str) -> ObjectRef {
    ObjectRef::namespaced("Pod", "shop", name)
}

fn of_cart() -> Related {
    Related {
        owner: Some(ObjectRef::namespaced("Deployment", "shop", "cart")),
        node: Some(ObjectRef::cluster("Node", "n1")),
        known: Known::Owners,
    }
}

/// Deployment `cart` with its ReplicaSet.
async fn with_cart(server: &ApiServer) {
    server.answer("/apis/apps/v1/namespaces/shop/replicasets/cart-7d9", &owned("cart-7d9", "cart", "Deployment")).await;
    let cart = json!({"metadata": {"name": "cart", "namespace": "shop"}, "spec": {}});
    server.answer("/apis/apps/v1/namespaces/shop/deployments/cart", &cart).await;
}

#[tokio::test]
async fn the_chain_of_owners_is_followed_to_the_top_and_asked_for_once() {
    let server = ApiServer::start().await;
    with_cart(&server).await;
    server.answer("/api/v1/namespaces/shop/pods/a", &owned("a", "cart-7d9", "ReplicaSet")).await;
    server.answer("/api/v1/namespaces/shop/pods/b", &owned("b", "cart-7d9", "ReplicaSet")).await;
    let owners = server.owners();
    let node = ObjectRef::cluster("Node", "n1");
    let related = owners.related(&[pod("a"), node.clone(), pod("b"), pod("a")]).await;
    assert_eq!(related, [of_cart(), Related::alone(node), of_cart(), of_cart()].map(Some));
    assert_eq!(owners.related(&[pod("b")]).await, [Some(of_cart())]);
    let mut asked = server.asked().await;
    asked.sort();
    let expected = [
        "/api/v1/namespaces/shop/pods/a",
        "/api/v1/namespaces/shop/pods/b",
        "/apis/apps/v1/namespaces/shop/deployments/cart",
        "/apis/apps/v1/namespaces/shop/replicasets/cart-7d9",
    ];
    assert_eq!(asked, expected);
}

#[tokio::test]
async fn in_a_storm_one_list_tells_all_pods_of_a_namespace() {
    let server = ApiServer::start().await;
    with_cart(&server).await;
    let names: Vec<String> = (0..40).map(|index| format!("p{index}")).collect();
    let items: Vec<Value> = names.iter().map(|name| owned(name, "cart-7d9", "ReplicaSet")).collect();
    server.answer("/api/v1/namespaces/shop/pods", &json!({"metadata": {}, "items": items})).await;
    let mut asked_for: Vec<ObjectRef> = names.iter().map(|name| pod(name)).collect();
    asked_for.push(pod("gone"));
    let related = server.owners().related(&asked_for).await;
    assert!(related[..40].iter().all(|one| *one == Some(of_cart())));
    assert_eq!(related[40], Some(Related { owner: None, node: None, known: Known::Gone }));
    assert_eq!(server.asked().await.len(), 3, "a list, a ReplicaSet and a Deployment");
}

#[tokio::test]
async fn what_controlled_a_pod_is_remembered_when_it_is_gone_and_the_api_server_with_it() {
    let server = ApiServer::start().await;
    with_cart(&server).await;
    server.answer("/api/v1/namespaces/shop/pods/a", &owned("a", "cart-7d9", "ReplicaSet")).await;
    let owners = server.owners();
    owners.related(&[pod("a")]).await;
    server.0.reset().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(503)).mount(&server.0).await;
    assert_eq!(owners.related(&[pod("a"), pod("b")]).await, [Some(of_cart()), None]);
}

#[tokio::test]
async fn while_the_api_server_hangs_it_is_waited_for_once_and_then_left_alone() {
    let server = ApiServer::start().await;
    let hangs = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    Mock::given(method("GET")).and(path("/api/v1/namespaces/shop/pods/a")).respond_with(hangs).mount(&server.0).await;
    let owners = server.owners();
    let began = Instant::now();
    assert_eq!(owners.related(&[pod("a")]).await, [None]);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    let began = Instant::now();
    assert_eq!(owners.related(&[pod("b")]).await, [None]);
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_static_pod_is_its_own_top_and_an_owner_of_a_kind_unknown_here_is_the_top() {
    let server = ApiServer::start().await;
    server.answer("/api/v1/namespaces/shop/pods/static", &owned("static", "n1", "Node")).await;
    server.answer("/api/v1/namespaces/shop/pods/custom", &owned("custom", "x", "Widget")).await;
    let related = server.owners().related(&[pod("static"), pod("custom")]).await;
    let top = |owner: ObjectRef| {
        Some(Related { owner: Some(owner), node: Some(ObjectRef::cluster("Node", "n1")), known: Known::Owners })
    };
    assert_eq!(related, [top(pod("static")), top(ObjectRef::namespaced("Widget", "shop", "x"))]);
}
