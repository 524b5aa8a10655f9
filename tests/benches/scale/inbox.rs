//! What a runner would get.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Instant;

use anyhow::Result;
use axum::extract::{DefaultBodyLimit, State};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};

/// When each pod was first told to crash.
#[derive(Clone, Default)]
pub(crate) struct Inbox(Arc<Mutex<HashMap<String, Instant>>>);

impl Inbox {
    /// Takes posts, and gives where.
    pub(crate) async fn start(&self) -> Result<String> {
        let nothing = || async { Json(json!([])) };
        let kept = || async { Json(json!({"states": [], "listed_at": null})) };
        let router = Router::new()
            .route("/api/signals", post(take).get(nothing))
            .route("/api/signals/told", get(nothing))
            .route("/api/changes", post(|| async {}))
            .route("/api/changes/kept", get(kept))
            .route("/api/topology", post(|| async {}))
            .layer(DefaultBodyLimit::disable())
            .with_state(self.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(url)
    }

    /// What came.
    pub(crate) fn told(&self) -> HashMap<String, Instant> {
        self.0.lock().unwrap().clone()
    }

    /// How many came.
    pub(crate) fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

async fn take(State(inbox): State<Inbox>, Json(signals): Json<Vec<Value>>) {
    let now = Instant::now();
    let mut told = inbox.0.lock().unwrap();
    for signal in signals.iter().filter(|signal| signal["status"] == "firing") {
        told.entry(signal["subject"]["name"].as_str().unwrap_or_default().to_owned()).or_insert(now);
    }
}
