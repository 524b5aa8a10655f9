//! An API server that follows a script, for tests.
#![allow(clippy::unwrap_used, clippy::panic)]
#![allow(clippy::needless_pass_by_value, reason = "literals of JSON read better without a borrow")]

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use bytes::Bytes;
use futures::StreamExt;
use http::{Request, Response};
use serde_json::{Value, json};

/// One answer of the API server, and what the request for it must ask.
pub(super) struct Answer {
    wants: &'static str,
    status: u16,
    lines: Box<dyn Iterator<Item = Value> + Send>,
    /// Whether the answer stays open, as a watch does.
    open: bool,
}

pub(super) fn answer(wants: &'static str, status: u16, lines: Vec<Value>) -> Answer {
    Answer { wants, status, lines: Box::new(lines.into_iter()), open: false }
}

pub(super) fn open(wants: &'static str, lines: Vec<Value>) -> Answer {
    Answer::of(wants, lines)
}

impl Answer {
    /// One that stays open, whose lines are made as they are read.
    pub(super) fn of<I>(wants: &'static str, lines: I) -> Self
    where
        I: IntoIterator<Item = Value>,
        I::IntoIter: Send + 'static,
    {
        Self { wants, status: 200, lines: Box::new(lines.into_iter()), open: true }
    }
}

/// A client whose API server gives these answers in turn, and checks what is asked.
pub(super) fn client(script: Vec<Answer>) -> kube::Client {
    let script = Arc::new(Mutex::new(VecDeque::from(script)));
    let service = tower::service_fn(move |request: Request<kube::client::Body>| {
        let script = script.clone();
        async move {
            let asked = request.uri().to_string();
            let answer = script.lock().unwrap().pop_front().unwrap_or_else(|| panic!("not expected: {asked}"));
            for wanted in answer.wants.split(' ') {
                match wanted.strip_prefix('!') {
                    Some(unwanted) => assert!(!asked.contains(unwanted), "{asked} asks {unwanted}"),
                    None => assert!(asked.contains(wanted), "{asked} doesn't ask {wanted}"),
                }
            }
            let lines = answer.lines.map(|line| Ok::<_, Infallible>(Bytes::from(format!("{line}\n"))));
            let rest = if answer.open {
                futures::stream::pending().left_stream()
            } else {
                futures::stream::empty().right_stream()
            };
            let body = Body::from_stream(futures::stream::iter(lines).chain(rest));
            Ok::<_, Infallible>(Response::builder().status(answer.status).body(body).unwrap())
        }
    });
    kube::Client::new(service, "default")
}

pub(super) fn pod(name: &str, version: u32) -> Value {
    json!({"metadata": {"name": name, "namespace": "shop", "resourceVersion": version.to_string()}})
}

pub(super) fn event(type_: &str, object: Value) -> Value {
    json!({"type": type_, "object": object})
}

/// The mark that ends a streamed list.
pub(super) fn listed(version: u32) -> Value {
    let metadata =
        json!({"resourceVersion": version.to_string(), "annotations": {"k8s.io/initial-events-end": "true"}});
    event("BOOKMARK", json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata}))
}

pub(super) fn status(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": "no", "reason": reason, "code": code})
}

pub(super) fn page(pods: Vec<Value>, version: u32, next: &str) -> Value {
    json!({"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": version.to_string(), "continue": next}, "items": pods})
}
