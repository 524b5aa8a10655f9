//! An API server that answers from a script, for tests.

#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use kube::{Client, Config};
use serde_json::{Value, json};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::Cluster;

/// An API server that answers from a script. What the script doesn't have is not found.
pub(crate) struct Double(pub(crate) MockServer);

impl Double {
    /// With aggregated discovery of the kinds that tests use.
    pub(crate) async fn start() -> Self {
        let double = Self(MockServer::start().await);
        let resource = |kind: &str, plural: &str, short: &str, scope: &str| {
            json!({"resource": plural, "singularResource": kind.to_lowercase(), "responseKind": {"kind": kind}, "scope": scope,
                "verbs": ["get", "list"], "shortNames": [short]})
        };
        let group = |name: &str, version: &str, resources: Vec<Value>| json!({"metadata": {"name": name}, "versions": [{"version": version, "resources": resources}]});
        let space = "Namespaced";
        let core = group(
            "",
            "v1",
            vec![
                resource("Pod", "pods", "po", space),
                resource("Service", "services", "svc", space),
                resource("Secret", "secrets", "", space),
                resource("ConfigMap", "configmaps", "cm", space),
                resource("Event", "events", "ev", space),
                resource("ServiceAccount", "serviceaccounts", "sa", space),
                resource("Node", "nodes", "no", "Cluster"),
            ],
        );
        let apps = group(
            "apps",
            "v1",
            vec![
                resource("Deployment", "deployments", "deploy", space),
                resource("ReplicaSet", "replicasets", "rs", space),
            ],
        );
        double.answer("/api", 200, &json!({"kind": "APIGroupDiscoveryList", "items": [core]})).await;
        let discovery = group("discovery.k8s.io", "v1", vec![resource("EndpointSlice", "endpointslices", "", space)]);
        double.answer("/apis", 200, &json!({"kind": "APIGroupDiscoveryList", "items": [apps, discovery]})).await;
        double
    }

    pub(crate) fn cluster(&self) -> Cluster {
        Cluster::with_deadline(self.client(), Duration::from_secs(5))
    }

    pub(crate) fn client(&self) -> Client {
        client(&self.0.uri())
    }

    /// Answers each GET of the path, whatever its query.
    pub(crate) async fn answer(&self, at: &str, status: u16, body: &Value) {
        Mock::given(method("GET"))
            .and(path(at))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&self.0)
            .await;
    }

    /// Answers each GET of the path, before any other answer of it.
    pub(crate) async fn answer_first(&self, at: &str, body: &Value) {
        let mock = Mock::given(method("GET")).and(path(at));
        mock.respond_with(ResponseTemplate::new(200).set_body_json(body)).with_priority(1).mount(&self.0).await;
    }

    /// Answers a POST of the path.
    pub(crate) async fn answer_post(&self, at: &str, status: u16, body: &Value) {
        Mock::given(method("POST"))
            .and(path(at))
            .respond_with(ResponseTemplate::new(status).set_body_json(body))
            .mount(&self.0)
            .await;
    }

    /// Answers a GET of the path with these parameters, before any other answer of the path.
    pub(crate) async fn answer_query(&self, at: &str, parameters: &[(&str, &str)], body: &Value) {
        let mut mock = Mock::given(method("GET")).and(path(at));
        for (name, value) in parameters {
            mock = mock.and(query_param(*name, *value));
        }
        mock.respond_with(ResponseTemplate::new(200).set_body_json(body)).with_priority(1).mount(&self.0).await;
    }

    /// Answers a GET of the path that accepts this media type first.
    pub(crate) async fn answer_accept(&self, at: &str, accept: &str, body: &Value) {
        let accept = accept.to_owned();
        let accepts = move |request: &Request| request.headers.get("accept").is_some_and(|sent| *sent == accept);
        let mock = Mock::given(method("GET")).and(path(at)).and(accepts);
        mock.respond_with(ResponseTemplate::new(200).set_body_json(body)).with_priority(1).mount(&self.0).await;
    }

    /// Answers with bytes that may be no text.
    pub(crate) async fn answer_bytes(&self, at: &str, body: Vec<u8>) {
        let mock = Mock::given(method("GET")).and(path(at));
        mock.respond_with(ResponseTemplate::new(200).set_body_bytes(body)).mount(&self.0).await;
    }

    /// Answers with text, as logs are.
    pub(crate) async fn answer_text(&self, at: &str, body: &str) {
        Mock::given(method("GET"))
            .and(path(at))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .mount(&self.0)
            .await;
    }

    /// Paths and queries of all requests but those of discovery.
    pub(crate) async fn asked(&self) -> Vec<String> {
        let requests = self.0.received_requests().await.unwrap();
        let told = |url: &wiremock::http::Url| match url.query() {
            Some(query) => format!("{}?{query}", url.path()),
            None => url.path().to_owned(),
        };
        requests
            .iter()
            .map(|request| told(&request.url))
            .filter(|url| !matches!(url.as_str(), "/api" | "/apis"))
            .collect()
    }
}

/// A client of an API server without encryption.
pub(crate) fn client(url: &str) -> Client {
    rustls::crypto::ring::default_provider().install_default().ok();
    Client::try_from(Config::new(url.parse().unwrap())).unwrap()
}

/// What an API server says of a failure.
pub(crate) fn failure(code: u16, reason: &str, message: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message})
}
