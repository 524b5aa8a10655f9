//! Reading an answer, as a stream or whole.

use std::time::Duration;

use eventsource_stream::{EventStreamError, Eventsource};
use futures::{Stream, StreamExt, TryStreamExt, stream};
use marple_core::Period;
use reqwest::Response;
use serde_json::Value;
use tokio::sync::mpsc;

use super::super::{Delta, ModelAnswer};
use super::assembly::{Assembly, Piece};
use super::endpoint::Endpoint;
use super::fault::{self, Fault};

/// The longest answer that comes whole, in bytes.
const LONGEST: usize = 8 * 1024 * 1024;

/// Shows pieces, and takes them back when the answer breaks off.
pub(super) struct Shown<'a> {
    deltas: &'a mpsc::Sender<Delta>,
    /// Whether the attempt that is under way has begun its answer.
    begun: bool,
    /// Whether anything was shown of it.
    any: bool,
}

impl<'a> Shown<'a> {
    pub(super) fn to(deltas: &'a mpsc::Sender<Delta>) -> Self {
        Self { deltas, begun: false, any: false }
    }

    async fn show(&mut self, piece: Piece) {
        if piece.begins && !std::mem::replace(&mut self.begun, true) {
            self.deltas.send(Delta::Begun).await.ok();
        }
        for delta in [Delta::Thinking(piece.thinking), Delta::Text(piece.text)] {
            if matches!(&delta, Delta::Thinking(text) | Delta::Text(text) if !text.is_empty()) {
                // Nobody watches when the receiver is gone, and that doesn't matter.
                self.any |= self.deltas.send(delta).await.is_ok();
            }
        }
    }

    /// What was shown is void. Says whether the answer had begun.
    pub(super) async fn void(&mut self) -> bool {
        let begun = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.any) {
            self.deltas.send(Delta::Restarted).await.ok();
        }
        begun
    }
}

/// Why a body ended early.
enum Broken {
    Connection(String),
    Idle(Period),
}

/// The body's bytes, each awaited for so long at most. Comments that keep a stream alive count.
fn bytes(response: Response, idle: Period) -> impl Stream<Item = Result<Vec<u8>, Broken>> + Unpin {
    let within: Duration = idle.duration();
    Box::pin(stream::try_unfold(response, move |mut response| async move {
        match tokio::time::timeout(within, response.chunk()).await {
            Err(_) => Err(Broken::Idle(idle)),
            Ok(Err(error)) => Err(Broken::Connection(error.without_url().to_string())),
            Ok(Ok(None)) => Ok(None),
            Ok(Ok(Some(chunk))) => Ok(Some((chunk.to_vec(), response))),
        }
    }))
}

fn broken(endpoint: &Endpoint, broken: &Broken) -> Fault {
    match broken {
        Broken::Connection(why) => {
            Fault::later(format!("{endpoint} broke off in its answer ({})", endpoint.harmless(why)))
        }
        Broken::Idle(idle) => {
            Fault::Late(format!("{endpoint} paused for {idle} in its answer; raise idle_timeout if it needs longer"))
        }
    }
}

/// Reads a stream of events. Only an answer that the server ended counts, by a reason or by `[DONE]`.
pub(super) async fn streamed(
    response: Response,
    endpoint: &Endpoint,
    idle: Period,
    mut assembly: Assembly,
    shown: &mut Shown<'_>,
) -> Result<ModelAnswer, Fault> {
    let mut events = bytes(response, idle).eventsource();
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            // The answer was whole already; what is missing is a count.
            Err(_) if assembly.is_finished() => return Ok(assembly.into_answer()),
            Err(EventStreamError::Transport(fault)) => return Err(broken(endpoint, &fault)),
            Err(EventStreamError::Utf8(_) | EventStreamError::Parser(_)) => {
                return Err(Fault::later(format!("{endpoint} sent a stream that is none")));
            }
        };
        if event.data.trim() == "[DONE]" {
            return Ok(assembly.into_answer());
        }
        take(&event.data, &mut assembly, endpoint, shown).await?;
    }
    if assembly.is_finished() {
        return Ok(assembly.into_answer());
    }
    Err(Fault::later(format!("{endpoint} ended its answer in the middle")))
}

async fn take(data: &str, assembly: &mut Assembly, endpoint: &Endpoint, shown: &mut Shown<'_>) -> Result<(), Fault> {
    if data.trim().is_empty() {
        return Ok(());
    }
    let chunk: Value = serde_json::from_str(data)
        .map_err(|error| Fault::later(format!("{endpoint} sent a piece that is no JSON ({error})")))?;
    if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
        return Err(fault::within(endpoint, error));
    }
    let piece = assembly.take(&chunk);
    if assembly.is_too_long() {
        return Err(Fault::later(format!("{endpoint} sends an answer without end")));
    }
    shown.show(piece).await;
    Ok(())
}

/// Reads an answer of a server that doesn't stream, or streams under another name.
pub(super) async fn whole(
    response: Response,
    endpoint: &Endpoint,
    idle: Period,
    mut assembly: Assembly,
    shown: &mut Shown<'_>,
) -> Result<ModelAnswer, Fault> {
    let mut body: Vec<u8> = Vec::new();
    let mut bytes = bytes(response, idle);
    while let Some(chunk) = bytes.try_next().await.map_err(|fault| broken(endpoint, &fault))? {
        body.extend_from_slice(&chunk);
        if body.len() > LONGEST {
            return Err(Fault::later(format!("{endpoint} sends an answer without end")));
        }
    }
    let body = String::from_utf8_lossy(&body);
    if body.trim_start().starts_with("data:") {
        for data in body.lines().filter_map(|line| line.strip_prefix("data:")) {
            if data.trim() == "[DONE]" {
                return Ok(assembly.into_answer());
            }
            take(data, &mut assembly, endpoint, shown).await?;
        }
        if assembly.is_finished() {
            return Ok(assembly.into_answer());
        }
        return Err(Fault::later(format!("{endpoint} ended its answer in the middle")));
    }
    let answer: Value = serde_json::from_str(&body).map_err(|_| {
        let beginning: String = body.chars().take(80).collect();
        Fault::later(format!("{endpoint} answered what is no chat completion: {}", endpoint.harmless(&beginning)))
    })?;
    if answer.get("choices").and_then(|choices| choices.get(0)).is_none() && answer.get("error").is_none() {
        return Err(Fault::later(format!("{endpoint} answered without a choice")));
    }
    take(&body, &mut assembly, endpoint, shown).await?;
    Ok(assembly.into_answer())
}
