//! A wire between a forwarder and a runner on which signals are counted.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use marple_core::Signal;
use tokio::net::TcpListener;

use crate::program::client;

/// The header that numbers deliveries, by which a runner drops what it has.
const NUMBER: &str = "marple-delivery";

/// Passes requests on to a runner, and notes the signals that it takes, each delivery once.
#[derive(Clone)]
pub struct Tap {
    runner: Arc<str>,
    client: reqwest::Client,
    taken: Arc<Mutex<Taken>>,
}

#[derive(Default)]
struct Taken {
    /// The last number of each stream.
    numbers: BTreeMap<String, u64>,
    signals: Vec<Signal>,
}

impl Tap {
    /// One before the runner of this URL, and where it listens.
    pub async fn to(runner: &str) -> anyhow::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let tap = Self { runner: runner.trim_end_matches('/').into(), client: client(), taken: Arc::default() };
        let router = Router::new().fallback(pass).layer(axum::extract::DefaultBodyLimit::disable());
        let router = router.with_state(tap.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok((tap, address))
    }

    /// The signals that the runner has taken, in order.
    pub fn signals(&self) -> Vec<Signal> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).signals.clone()
    }

    async fn pass_on(&self, method: &Method, uri: &Uri, headers: &HeaderMap, body: Bytes) -> reqwest::Result<Response> {
        let mut request = self.client.request(method.clone(), format!("{}{uri}", self.runner));
        for name in ["authorization", "content-type", NUMBER] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        let answer = request.body(body.clone()).send().await?;
        let status = answer.status();
        if status.is_success() && method == Method::POST && uri.path() == "/api/signals" {
            self.note(headers, &body);
        }
        Ok((status, answer.bytes().await?).into_response())
    }

    fn note(&self, headers: &HeaderMap, body: &[u8]) {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let number = headers.get(NUMBER).and_then(|number| number.to_str().ok()?.split_once('/'));
        if let Some((stream, number)) = number {
            let number = number.parse().unwrap_or_default();
            let last = taken.numbers.entry(stream.to_owned()).or_default();
            if number <= *last {
                return;
            }
            *last = number;
        }
        taken.signals.extend(serde_json::from_slice::<Vec<Signal>>(body).unwrap_or_default());
    }
}

async fn pass(State(tap): State<Tap>, method: Method, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let passed = tap.pass_on(&method, &uri, &headers, body).await;
    passed.unwrap_or_else(|_| StatusCode::BAD_GATEWAY.into_response())
}
