//! A log store that answers from a script, for tests.

#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use wiremock::matchers::{header, method, path};
use wiremock::{Match, Mock, MockServer, Request, ResponseTemplate};

use super::{LogStore, LogStoreConfig};

/// A log store that answers from a script. Who isn't logged in, and what the script doesn't have, gets a 404.
pub(super) struct Double(pub(super) MockServer);

/// A request with these parameters among others, in its query or its form.
struct Asked(Vec<(String, String)>);

impl Match for Asked {
    fn matches(&self, request: &Request) -> bool {
        let parameters = parameters(request);
        self.0.iter().all(|wanted| parameters.contains(wanted))
    }
}

impl Double {
    pub(super) async fn start() -> Self {
        Self(MockServer::start().await)
    }

    /// A client of it, as a store of this kind.
    pub(super) fn store(&self, kind: &str) -> LogStore {
        rustls::crypto::ring::default_provider().install_default().ok();
        let index = kind.contains("search").then_some("logs-*");
        let endpoint = json!({"url": format!("{}/base", self.0.uri()), "tenant": "shop", "auth": {"bearer": "tok-12345678"}, "timeout": "1s"});
        let config: LogStoreConfig =
            serde_json::from_value(json!({"store": kind, "index": index, "endpoint": endpoint})).unwrap();
        LogStore::new(&config).unwrap()
    }

    pub(super) async fn answer(&self, verb: &str, at: &str, parameters: &[(&str, &str)], answer: ResponseTemplate) {
        let owned = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Mock::given(method(verb))
            .and(path(format!("/base/{at}")))
            .and(header("authorization", "Bearer tok-12345678"))
            .and(header("x-scope-orgid", "shop"))
            .and(Asked(owned))
            .respond_with(answer)
            .mount(&self.0)
            .await;
    }

    /// Every request: method, path, and parameters or body.
    pub(super) async fn asked(&self) -> Vec<String> {
        let told = |request: &Request| {
            let at = request.url.path().trim_start_matches("/base/");
            let parameters: Vec<String> =
                parameters(request).iter().map(|(name, value)| format!("{name}={value}")).collect();
            let parameters = parameters.join(" & ");
            format!("{} {at} {parameters} {}", request.method, body(request)).trim_end().to_owned()
        };
        self.0.received_requests().await.unwrap().iter().map(told).collect()
    }

    /// The JSON bodies of its requests.
    pub(super) async fn bodies(&self) -> Vec<Value> {
        self.0
            .received_requests()
            .await
            .unwrap()
            .iter()
            .map(|request| serde_json::from_slice(&request.body).unwrap())
            .collect()
    }
}

fn is_form(request: &Request) -> bool {
    request.headers.get("content-type").is_some_and(|kind| kind == "application/x-www-form-urlencoded")
}

fn body(request: &Request) -> String {
    if is_form(request) { String::new() } else { String::from_utf8(request.body.clone()).unwrap() }
}

fn parameters(request: &Request) -> Vec<(String, String)> {
    let mut url = request.url.clone();
    if is_form(request) {
        url.set_query(Some(std::str::from_utf8(&request.body).unwrap()));
    }
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

pub(super) fn json_answer(value: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(value)
}
