//! For the kubelet and Prometheus.

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde::Serialize;

use super::ApiState;
use crate::correlate::Alive;
use crate::store::Store;

/// How long a write may take before the program is not ready.
const DEADLINE: Duration = Duration::from_secs(2);

/// How long the result of a write is believed: readiness is asked for without a token, and each write is a sync.
const BELIEVED: Duration = Duration::from_secs(1);

/// What readiness rests on.
pub(super) struct Health {
    store: Arc<dyn Store>,
    alive: RwLock<Vec<(&'static str, Alive)>>,
    written: Mutex<Option<(Instant, Option<String>)>>,
}

/// Something that does not work.
#[derive(Clone, Debug, Serialize)]
struct Failed {
    part: &'static str,
    why: String,
}

#[derive(Debug, Serialize)]
struct Ready {
    #[serde(rename = "ready")]
    all_well: bool,
    failed: Vec<Failed>,
    /// Whether the newest configuration is used: `loaded`, or `refused` while an older one is.
    configuration: &'static str,
}

impl Health {
    pub(super) fn new(store: Arc<dyn Store>, alive: Vec<(&'static str, Alive)>) -> Self {
        Self { store, alive: RwLock::new(alive), written: Mutex::new(None) }
    }

    pub(super) fn rest_on(&self, alive: Vec<(&'static str, Alive)>) {
        *self.alive.write().unwrap_or_else(PoisonError::into_inner) = alive;
    }

    async fn failed(&self) -> Vec<Failed> {
        let store = self.unwritable().await.map(|why| Failed { part: "store", why });
        let alive = self.alive.read().unwrap_or_else(PoisonError::into_inner).clone();
        let dead = alive.iter().filter(|(_, alive)| !alive.is_alive());
        let dead = dead.map(|(part, _)| Failed { part, why: "its task has ended".to_owned() });
        store.into_iter().chain(dead).collect()
    }

    /// Why the store can't be written, if it can't.
    async fn unwritable(&self) -> Option<String> {
        let known = self.written.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((at, fault)) = known
            && at.elapsed() < BELIEVED
        {
            return fault;
        }
        let fault = match tokio::time::timeout(DEADLINE, self.store.writable()).await {
            Ok(written) => written.err().map(|error| error.to_string()),
            Err(_) => Some(format!("a write took longer than {} s", DEADLINE.as_secs())),
        };
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), fault.clone()));
        fault
    }
}

/// Whether the process answers.
pub(super) async fn healthy() -> &'static str {
    "ok\n"
}

/// Whether signals can be taken in and made incidents of.
pub(super) async fn ready(State(state): State<ApiState>) -> Response {
    let failed = state.health.failed().await;
    let status = if failed.is_empty() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(Ready { all_well: failed.is_empty(), failed, configuration: state.standing().word() }))
        .into_response()
}

/// Metrics in Prometheus's text format.
pub(super) async fn metrics(State(state): State<ApiState>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], state.telemetry.render()).into_response()
}
