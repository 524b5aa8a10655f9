//! A scripted language model on loopback that refuses what a strict OpenAI-compatible API would.

mod received;
mod script;
mod strict;
mod wire;

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::post;
use serde_json::Value;
use tokio::task::JoinHandle;

pub use received::Received;
pub use script::{Act, Call, Conclude, Reply};
use strict::Known;

/// The key that the double accepts.
pub const KEY: &str = "sk-test-7f3a9c2d";
/// The model that the double is.
pub const MODEL: &str = "double-1";
/// Tokens that request and answer may have together.
pub const WINDOW: u32 = 32_000;

/// A scripted model. A request that a strict API would refuse is answered 400 and fails the test: at
/// [`ModelDouble::assert_clean`], or when the double is dropped.
pub struct ModelDouble {
    /// Base of the API, for a model's configuration.
    pub url: String,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

struct Desk {
    window: u32,
    notes: Mutex<Notes>,
}

#[derive(Default)]
struct Notes {
    script: VecDeque<Reply>,
    requests: Vec<Value>,
    violations: Vec<String>,
    names: BTreeSet<String>,
}

impl ModelDouble {
    /// A model that gives these answers, one a request. A [`Reply::Forever`] stays.
    pub async fn start(script: impl IntoIterator<Item = Reply>) -> std::io::Result<Self> {
        Self::with_window(script, WINDOW).await
    }

    /// The same with another context window.
    pub async fn with_window(script: impl IntoIterator<Item = Reply>, window: u32) -> std::io::Result<Self> {
        let (known, script): (Vec<Reply>, Vec<Reply>) =
            script.into_iter().partition(|reply| matches!(reply, Reply::Known(_)));
        let names = known.iter().flat_map(Reply::names).collect();
        let notes = Notes { script: script.into(), names, ..Notes::default() };
        let desk = Arc::new(Desk { window, notes: Mutex::new(notes) });
        let app = axum::Router::new()
            .route("/v1/chat/completions", post(complete))
            .fallback(elsewhere)
            .with_state(Arc::clone(&desk));
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let url = format!("http://{}/v1", listener.local_addr()?);
        let server = tokio::spawn(async move {
            // The server ends with the test; how is of no interest.
            axum::serve(listener, app).await.ok();
        });
        Ok(Self { url, desk, server })
    }

    /// The requests so far, in their order.
    pub fn requests(&self) -> Vec<Value> {
        self.desk.notes().requests.clone()
    }

    /// What a strict API would have refused, so far.
    pub fn violations(&self) -> Vec<String> {
        self.desk.notes().violations.clone()
    }

    /// Checks that every request was one that a strict API takes.
    ///
    /// # Panics
    /// Where one was not, with all that was wrong.
    pub fn assert_clean(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "the model was sent what a strict API refuses: {violations:#?}");
    }
}

impl Drop for ModelDouble {
    fn drop(&mut self) {
        self.server.abort();
        if !std::thread::panicking() {
            self.assert_clean();
        }
    }
}

impl Desk {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Checks a request and takes the next reply for it.
    fn take(&self, headers: &HeaderMap, body: &[u8]) -> Result<(Reply, Received), String> {
        let mut notes = self.notes();
        let violation = |notes: &mut Notes, text: String| {
            notes.violations.push(text.clone());
            Err(text)
        };
        let request: Value = match serde_json::from_slice(body) {
            Ok(request) => request,
            Err(error) => return violation(&mut notes, format!("the body is no JSON: {error}")),
        };
        notes.requests.push(request.clone());
        let mut names = Known { model: MODEL, key: KEY, window: self.window, names: &mut notes.names };
        if let Err(fault) = strict::check(headers, &request, &mut names) {
            return violation(&mut notes, fault);
        }
        let reply = match notes.script.front() {
            Some(Reply::Forever(reply)) => Some(reply.as_ref().clone()),
            _ => notes.script.pop_front(),
        };
        let Some(reply) = reply else {
            return violation(&mut notes, "the script has no answer to this request".to_owned());
        };
        notes.names.extend(reply.names());
        Ok((reply, Received::of(request)))
    }
}

async fn complete(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> Response {
    match desk.take(&headers, &body) {
        Ok((reply, received)) => wire::answer(reply, &received).await,
        Err(fault) => wire::refusal(&fault),
    }
}

async fn elsewhere(State(desk): State<Arc<Desk>>, method: axum::http::Method, uri: axum::http::Uri) -> Response {
    let fault = format!("{method} {uri} is no address of the API");
    desk.notes().violations.push(fault.clone());
    wire::refusal(&fault)
}
