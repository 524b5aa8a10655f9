//! Takes signals in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{Query, Request, State};
use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use marple_core::{Signal, SignalSource};
use marple_forwarder::{Sequence, Telling};
use serde::{Deserialize, Serialize};
use tokio::sync::OwnedSemaphorePermit;

use super::ApiState;
use super::problem::Problem;
use crate::intake::{Payload, PayloadFault, read_signals, read_webhook};
use crate::store::QuarantineEntry;

/// The longest body, in bytes.
const BODY: usize = 8 << 20;

/// How long a body may take to come.
const DEADLINE: Duration = Duration::from_secs(15);

/// From this length on a body is parsed apart.
const LONG: usize = 256 << 10;

/// How many came.
#[derive(Debug, Serialize)]
pub(super) struct Counts {
    accepted: usize,
    duplicate: usize,
    quarantined: usize,
}

/// Takes Alertmanager's webhook.
pub(super) async fn alerts(State(state): State<ApiState>, request: Request) -> Result<Json<Counts>, Problem> {
    receive(&state, request, "alerts", read_webhook).await
}

/// Takes a forwarder's signals.
pub(super) async fn signals(State(state): State<ApiState>, request: Request) -> Result<Json<Counts>, Problem> {
    receive(&state, request, "signals", read_signals).await
}

/// Shows which of a forwarder's signals are held as firing: a forwarder that begins again goes on from there.
pub(super) async fn firing(State(state): State<ApiState>) -> Result<Json<Vec<Signal>>, Problem> {
    Ok(Json(state.store.firing(SignalSource::Forwarder).await?))
}

/// From when on it is asked what was told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Since {
    since: Timestamp,
}

/// Shows when each of a forwarder's conditions was told that holds, or has ended since: its rate limits go on.
pub(super) async fn told(
    State(state): State<ApiState>,
    Query(asked): Query<Since>,
) -> Result<Json<Vec<Telling>>, Problem> {
    Ok(Json(state.store.told(SignalSource::Forwarder, asked.since).await?))
}

type Read = fn(&[u8]) -> Result<Payload, PayloadFault>;

async fn receive(
    state: &ApiState,
    request: Request,
    endpoint: &'static str,
    read: Read,
) -> Result<Json<Counts>, Problem> {
    counted(endpoint, take(state, request, endpoint, read)).await
}

/// Takes something in, counts it by how it ended, and measures its time.
pub(super) async fn counted<T>(
    endpoint: &'static str,
    take: impl Future<Output = Result<T, Problem>>,
) -> Result<T, Problem> {
    let began = Instant::now();
    let answer = take.await;
    let outcome = if answer.is_ok() { "accepted" } else { "refused" };
    metrics::counter!("marple_intake_requests_total", "endpoint" => endpoint, "outcome" => outcome).increment(1);
    metrics::histogram!("marple_intake_seconds", "endpoint" => endpoint).record(began.elapsed().as_secs_f64());
    answer
}

/// Reads a body as far as there is room for it, which it takes until the permit is dropped.
pub(super) async fn received(state: &ApiState, request: Request) -> Result<(Bytes, OwnedSemaphorePermit), Problem> {
    let length = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    // A body of unknown length may be as long as any.
    let room = length.unwrap_or(BODY).min(BODY);
    let permits = u32::try_from(room).unwrap_or(u32::MAX);
    let Ok(room) = Arc::clone(&state.bodies).try_acquire_many_owned(permits) else {
        return Err(Problem::full("too many bytes are being received; try again in a second"));
    };
    let body = match tokio::time::timeout(DEADLINE, whole(request.into_body(), length)).await {
        Ok(body) => body?,
        Err(_) => return Err(Problem::too_slow(format!("the body took longer than {} s", DEADLINE.as_secs()))),
    };
    Ok((body, room))
}

/// Reads what a body says; one that takes more than a millisecond apart from the others.
pub(super) async fn parsed<T: Send + 'static>(
    body: Bytes,
    read: fn(&[u8]) -> Result<T, PayloadFault>,
) -> Result<T, Problem> {
    if body.len() < LONG {
        return Ok(read(&body)?);
    }
    let read = tokio::task::spawn_blocking(move || read(&body)).await;
    Ok(read.map_err(|error| Problem::internal(error.to_string()))??)
}

async fn take(state: &ApiState, request: Request, endpoint: &'static str, read: Read) -> Result<Json<Counts>, Problem> {
    let sequence = sequence(request.headers())?;
    let (body, _room) = received(state, request).await?;
    let mut payload = parsed(body, read).await?;
    if payload.truncated > 0 {
        metrics::counter!("marple_intake_truncated_total").increment(payload.truncated);
        tracing::warn!(
            truncated = payload.truncated,
            "Alertmanager left alerts out of a webhook; raise or remove `max_alerts` of its receiver"
        );
    }
    payload.redact(state.redact().as_ref());
    let quarantined = payload.quarantined.len();
    let accepted = state.store.accept_once(sequence, payload.signals, payload.quarantined, Timestamp::now()).await?;
    let counts = Counts { accepted: accepted.new, duplicate: accepted.duplicate, quarantined };
    for (outcome, count) in
        [("accepted", counts.accepted), ("duplicate", counts.duplicate), ("quarantined", counts.quarantined)]
    {
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        metrics::counter!("marple_intake_signals_total", "endpoint" => endpoint, "outcome" => outcome).increment(count);
    }
    Ok(Json(counts))
}

/// The number of a forwarder's delivery, where it has one.
pub(super) fn sequence(headers: &HeaderMap) -> Result<Option<Sequence>, Problem> {
    let Some(value) = headers.get(Sequence::HEADER) else { return Ok(None) };
    let text = value.to_str().unwrap_or("(no text)");
    text.parse().map(Some).map_err(|error: marple_forwarder::SequenceError| Problem::bad_request(error.to_string()))
}

/// The whole body. One that is too long is read on for a while and thrown away, so that its sender gets to the answer.
async fn whole(mut body: Body, length: Option<usize>) -> Result<Bytes, Problem> {
    let mut pieces: Vec<Bytes> = Vec::with_capacity(1);
    let mut read = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| Problem::bad_request(format!("the body was cut off: {error}")))?;
        let Ok(piece) = frame.into_data() else { continue };
        read += piece.len();
        if read > 2 * BODY {
            break;
        }
        if read > BODY {
            pieces.clear();
        } else {
            pieces.push(piece);
        }
    }
    if read > BODY || length.is_some_and(|length| length > BODY) {
        let limit = BODY >> 20;
        return Err(Problem::too_large(format!(
            "the body is longer than {limit} MiB; set `max_alerts` of Alertmanager's receiver, or group by more labels"
        )));
    }
    let mut pieces = pieces.into_iter();
    match (pieces.next(), pieces.len()) {
        (None, _) => Ok(Bytes::new()),
        (Some(only), 0) => Ok(only),
        (Some(first), _) => {
            let mut whole = Vec::with_capacity(read);
            whole.extend_from_slice(&first);
            for piece in pieces {
                whole.extend_from_slice(&piece);
            }
            Ok(whole.into())
        }
    }
}

/// How many entries are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Limit {
    pub(super) limit: Option<u32>,
}

impl Limit {
    /// At most 500; 100 unless said otherwise.
    pub(super) fn bounded(&self) -> u32 {
        self.limit.unwrap_or(100).min(500)
    }
}

/// Entries that could not be used.
pub(super) async fn quarantine(
    State(state): State<ApiState>,
    Query(limit): Query<Limit>,
) -> Result<Json<Vec<QuarantineEntry>>, Problem> {
    Ok(Json(state.store.quarantine(limit.bounded()).await?))
}
