//! The double as tests see it.

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State as Shared};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use axum::routing::{any, post};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::AbortHandle;

use super::methods;
use super::request::{self, Refused};
use super::state::{Call, Fault, SlackFile, SlackMessage, State};

/// The token that the double takes.
const TOKEN: &str = "xoxb-0000000000-double";
/// The channel that it has at the start.
const CHANNEL: &str = "C0MARPLE01";

/// Slack, as far as marple uses it. Ends when it is dropped.
pub struct SlackDouble {
    /// The address of its API, to be configured as `api_url`.
    pub url: String,
    /// The bot token that it takes.
    pub token: String,
    /// A channel that the bot is a member of.
    pub channel: String,
    inner: Arc<Inner>,
    server: AbortHandle,
}

struct Inner {
    state: Mutex<State>,
    changed: Notify,
    came: Notify,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SlackDouble {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl SlackDouble {
    /// Starts one on a free port of the loopback.
    pub async fn start() -> Self {
        let inner = Arc::new(Inner {
            state: Mutex::new(State::new(TOKEN, CHANNEL)),
            changed: Notify::new(),
            came: Notify::new(),
        });
        let mut router = Router::new();
        let calls = [Call::Post, Call::Update, Call::History, Call::Replies, Call::UploadUrl, Call::CompleteUpload];
        for call in calls {
            let serve =
                move |shared: Shared<Arc<Inner>>,
                      method: Method,
                      headers: HeaderMap,
                      query: Query<Vec<(String, String)>>,
                      body: Bytes| answer(shared.0, call, method, headers, query.0, body);
            router = router.route(&format!("/api/{}", call.method()), any(serve));
        }
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        inner.lock().upload = format!("http://{}/upload", listener.local_addr().unwrap());
        let router = router.route("/upload/{id}", post(upload));
        let router = router.with_state(Arc::clone(&inner));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() }).abort_handle();
        Self { url, token: TOKEN.to_owned(), channel: CHANNEL.to_owned(), inner, server }
    }

    /// Adds a channel. The bot may speak there where it is a member.
    pub fn add_channel(&self, id: &str, member: bool) {
        self.inner.lock().channels.insert(id.to_owned(), member);
    }

    /// Whether the bot has the scope to read a channel's history; it has at the start.
    pub fn allow_history(&self, allowed: bool) {
        self.inner.lock().history_allowed = allowed;
    }

    /// Whether the bot has the scope to upload files; it has at the start.
    pub fn allow_files(&self, allowed: bool) {
        self.inner.lock().files_allowed = allowed;
    }

    /// The files that were uploaded.
    pub fn files(&self) -> Vec<SlackFile> {
        self.inner.lock().files.clone()
    }

    /// Takes another token from now on, as after a rotation.
    pub fn rotate_token(&self, token: &str) {
        token.clone_into(&mut self.inner.lock().token);
    }

    /// Takes a post to a channel no sooner than this after the one before, and answers 429 otherwise.
    pub fn limit_posts(&self, interval: Duration) {
        self.inner.lock().interval = Some(interval);
    }

    /// Has the next request of this method (of any where it is absent) fail. Faults are used up in their order.
    pub fn fail(&self, call: Option<Call>, fault: Fault) {
        self.inner.lock().faults.push_back((call, fault));
    }

    /// Forgets faults that no request has had.
    pub fn heal(&self) {
        self.inner.lock().faults.clear();
    }

    /// A person deletes a message, and with it its thread.
    pub fn delete(&self, ts: &str) {
        self.inner.lock().messages.retain(|message| message.ts != ts && message.thread_ts.as_deref() != Some(ts));
    }

    /// A message becomes somebody else's, as when the app was made anew.
    pub fn disown(&self, ts: &str) {
        self.inner
            .lock()
            .messages
            .iter_mut()
            .filter(|message| message.ts == ts)
            .for_each(|message| message.ours = false);
    }

    /// All messages, in the order in which they were posted.
    pub fn messages(&self) -> Vec<SlackMessage> {
        self.inner.lock().messages.clone()
    }

    /// The messages in channels, without threads.
    pub fn posts(&self) -> Vec<SlackMessage> {
        self.messages().into_iter().filter(|message| message.thread_ts.is_none()).collect()
    }

    /// How many requests of a method came, failed ones among them.
    pub fn calls(&self, call: Call) -> usize {
        self.inner.lock().calls.get(&call).copied().unwrap_or_default()
    }

    /// Waits until the messages are such, and gives them. Panics after `deadline` with what is there.
    pub async fn until(&self, deadline: Duration, are_such: impl Fn(&[SlackMessage]) -> bool) -> Vec<SlackMessage> {
        let such = async {
            loop {
                let changed = self.inner.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                let messages = self.messages();
                if are_such(&messages) {
                    return messages;
                }
                changed.await;
            }
        };
        if let Ok(messages) = tokio::time::timeout(deadline, such).await {
            messages
        } else {
            let mut there = String::new();
            for message in self.messages() {
                writeln!(there, "{} {:?}: {}", message.ts, message.thread_ts, message.text).unwrap();
            }
            panic!("not within {deadline:?}; the messages are\n{there}")
        }
    }

    /// Waits until so many more requests have come, or until none has for so long.
    pub async fn requests(&self, count: usize, idle: Duration) {
        let total = || self.inner.lock().calls.values().sum::<usize>();
        let wanted = total() + count;
        loop {
            let came = self.inner.came.notified();
            tokio::pin!(came);
            came.as_mut().enable();
            if total() >= wanted || tokio::time::timeout(idle, came).await.is_err() {
                return;
            }
        }
    }

    /// What was wrong with requests so far.
    pub fn violations(&self) -> Vec<String> {
        self.inner.lock().violations.clone()
    }

    /// Panics where any request was wrong.
    pub fn assert_clean(&self) {
        let violations = self.violations();
        assert!(violations.is_empty(), "requests that Slack would refuse, or marple should not make:\n{violations:#?}");
    }
}

async fn answer(
    inner: Arc<Inner>,
    call: Call,
    method: Method,
    headers: HeaderMap,
    query: Vec<(String, String)>,
    body: Bytes,
) -> Response {
    inner.came.notify_waiters();
    let (answer, fault) = {
        let mut state = inner.lock();
        *state.calls.entry(call).or_default() += 1;
        let fault = state.fault(call);
        match fault {
            Some(Fault::TooMany(seconds)) => return too_many(seconds),
            Some(Fault::Status(status)) => return plain(status),
            Some(Fault::Refuse(error)) => return json_answer(&json!({ "ok": false, "error": error })),
            Some(Fault::Hang | Fault::Cut) => (Value::Null, fault),
            None | Some(Fault::LoseAnswer | Fault::DoThenHang | Fault::DoThenStatus(_)) => {
                match serve(&mut state, call, &method, &headers, &query, &body) {
                    Served::TooSoon(seconds) => return too_many(seconds),
                    Served::Answer(answer) => (answer, fault),
                }
            }
        }
    };
    inner.changed.notify_waiters();
    match fault {
        Some(Fault::Hang | Fault::DoThenHang) => std::future::pending().await,
        Some(Fault::Cut | Fault::LoseAnswer) => cut(),
        Some(Fault::DoThenStatus(status)) => plain(status),
        _ => json_answer(&answer),
    }
}

/// Takes the bytes of a file, once its address was asked for.
async fn upload(Shared(inner): Shared<Arc<Inner>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    let mut state = inner.lock();
    match state.files.iter_mut().find(|file| file.id == id) {
        Some(file) => {
            file.content = body.to_vec();
            StatusCode::OK
        }
        None => StatusCode::NOT_FOUND,
    }
}

enum Served {
    TooSoon(u64),
    Answer(Value),
}

fn serve(
    state: &mut State,
    call: Call,
    method: &Method,
    headers: &HeaderMap,
    query: &[(String, String)],
    body: &[u8],
) -> Served {
    let fields: Result<Map<String, Value>, Refused> = request::authorised(state, headers)
        .and_then(|()| match call {
            Call::Post | Call::Update => request::body(method, headers, body),
            Call::History | Call::Replies => request::query(method, query),
            Call::UploadUrl | Call::CompleteUpload => request::form(method, headers, body),
        })
        .and_then(|fields| request::known(call, &fields).map(|()| fields));
    if let (Call::Post, Ok(fields)) = (call, &fields)
        && let Some(seconds) = methods::too_soon(state, fields)
    {
        return Served::TooSoon(seconds);
    }
    let answer = fields.and_then(|fields| match call {
        Call::Post => methods::post(state, &fields),
        Call::Update => methods::update(state, &fields),
        Call::History => methods::read(state, &fields, false),
        Call::Replies => methods::read(state, &fields, true),
        Call::UploadUrl => methods::upload_url(state, &fields),
        Call::CompleteUpload => methods::complete_upload(state, &fields),
    });
    Served::Answer(answer.unwrap_or_else(|(error, what)| refuse(state, call, error, &what)))
}

/// Slack's refusal. What the test itself brought about is no fault of the caller.
fn refuse(state: &mut State, call: Call, error: &str, what: &str) -> Value {
    let brought_about = [
        "channel_not_found",
        "not_in_channel",
        "invalid_auth",
        "missing_scope",
        "message_not_found",
        "cant_update_message",
        "thread_not_found",
    ];
    if !brought_about.contains(&error) {
        state.violations.push(format!("{}: {error}: {what}", call.method()));
    }
    let mut answer = json!({ "ok": false, "error": error });
    match error {
        "missing_scope" => answer["needed"] = json!(if what.is_empty() { "channels:history" } else { what }),
        "invalid_blocks" => answer["response_metadata"] = json!({ "messages": [what] }),
        _ => {}
    }
    answer
}

fn json_answer(value: &Value) -> Response {
    Response::builder()
        .header(CONTENT_TYPE, "application/json; charset=utf-8")
        .body(Body::from(value.to_string()))
        .unwrap()
}

fn plain(status: u16) -> Response {
    Response::builder().status(StatusCode::from_u16(status).unwrap()).body(Body::from("upstream error")).unwrap()
}

fn too_many(seconds: u64) -> Response {
    Response::builder()
        .status(StatusCode::TOO_MANY_REQUESTS)
        .header(RETRY_AFTER, seconds)
        .body(Body::from(json!({ "ok": false, "error": "ratelimited" }).to_string()))
        .unwrap()
}

/// An answer that breaks off: its length is told, and then the connection is cut.
fn cut() -> Response {
    let broken = futures::stream::once(async { Err::<Bytes, _>(std::io::Error::other("cut")) });
    Response::builder().header("content-length", 512).body(Body::from_stream(broken)).unwrap()
}
