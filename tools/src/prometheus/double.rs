//! A Prometheus that answers from a script, for tests.

#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use wiremock::{Match, Mock, MockServer, Request, ResponseTemplate};

use super::Prometheus;
use crate::endpoint::EndpointConfig;

/// A Prometheus that answers from a script. What the script doesn't have is an error of its own.
pub(super) struct Double(pub(super) MockServer);

/// A request of this method and path that has these parameters, in its query or its form.
struct Asked(&'static str, String, Vec<(String, String)>);

impl Match for Asked {
    fn matches(&self, request: &Request) -> bool {
        let parameters = parameters(request);
        request.method.as_str() == self.0
            && request.url.path() == self.1
            && self.2.iter().all(|wanted| parameters.contains(wanted))
    }
}

impl Double {
    pub(super) async fn start() -> Self {
        Self(MockServer::start().await)
    }

    pub(super) fn prometheus(&self) -> Prometheus {
        prometheus(&self.0.uri())
    }

    /// Answers the request of the API's path, under `/api/v1/`, with these parameters among others.
    pub(super) async fn answer(&self, method: &'static str, path: &str, parameters: &[(&str, &str)], data: &Value) {
        let owned = parameters.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Mock::given(Asked(method, format!("/api/v1/{path}"), owned))
            .respond_with(ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data})))
            .mount(&self.0)
            .await;
    }

    /// Answers an instant query with these series: labels and a value.
    pub(super) async fn vector(&self, query: &str, series: &[(Value, &str)]) {
        let result: Vec<Value> =
            series.iter().map(|(labels, value)| json!({"metric": labels, "value": [1_767_323_400, value]})).collect();
        let data = json!({"resultType": "vector", "result": result});
        self.answer("POST", "query", &[("query", query)], &data).await;
    }

    /// Answers a range query with these series: labels, and values each minute from a time on.
    pub(super) async fn matrix(&self, query: &str, series: &[(Value, &str, &[f64])]) {
        let values = |from: &str, values: &[f64]| -> Vec<Value> {
            let from = from.parse::<jiff::Timestamp>().unwrap().as_second();
            let each = (0_i64..).zip(values);
            each.map(|(minute, value)| json!([from + 60 * minute, value.to_string()])).collect()
        };
        let result: Vec<Value> =
            series.iter().map(|(labels, from, of)| json!({"metric": labels, "values": values(from, of)})).collect();
        let data = json!({"resultType": "matrix", "result": result});
        self.answer("POST", "query_range", &[("query", query)], &data).await;
    }

    /// Answers every other query with no series.
    pub(super) async fn nothing_else(&self) {
        for (path, kind) in [("query", "vector"), ("query_range", "matrix")] {
            let data = json!({"resultType": kind, "result": []});
            let answer = ResponseTemplate::new(200).set_body_json(json!({"status": "success", "data": data}));
            let any = Asked("POST", format!("/api/v1/{path}"), Vec::new());
            Mock::given(any).respond_with(answer).with_priority(9).mount(&self.0).await;
        }
    }

    /// Every request: method, path and parameters.
    pub(super) async fn asked(&self) -> Vec<String> {
        let told = |request: &Request| {
            let parameters: Vec<String> =
                parameters(request).iter().map(|(name, value)| format!("{name}={value}")).collect();
            let path = request.url.path().trim_start_matches("/api/v1/");
            format!("{} {path} {}", request.method, parameters.join(" & ")).trim_end().to_owned()
        };
        self.0.received_requests().await.unwrap().iter().map(told).collect()
    }

    /// The `query` of each request that has one.
    pub(super) async fn queries(&self) -> Vec<String> {
        let requests = self.0.received_requests().await.unwrap();
        let all = requests.iter().flat_map(parameters);
        all.filter(|(name, _)| name == "query").map(|(_, query)| query).collect()
    }
}

pub(super) fn prometheus(url: &str) -> Prometheus {
    rustls::crypto::ring::default_provider().install_default().ok();
    Prometheus::new(&EndpointConfig::at(url.parse().unwrap())).unwrap()
}

fn parameters(request: &Request) -> Vec<(String, String)> {
    let form = String::from_utf8(request.body.clone()).unwrap();
    let mut url = request.url.clone();
    if !form.is_empty() {
        assert_eq!(request.headers["content-type"], "application/x-www-form-urlencoded");
        url.set_query(Some(&form));
    }
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
