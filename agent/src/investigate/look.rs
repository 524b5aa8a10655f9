//! The calls of one turn, several at a time.

use std::time::Duration;

use futures::StreamExt;
use marple_tools::{CallOutcome, CallStatus, Look, Toolbox};
use serde_json::Value;
use tracing::Instrument as _;

use super::clock::Clock;
use super::span;
use crate::run::Event;
use crate::{Progress, Told, ToolCall};

/// Calls that run at a time: enough to hide their latency, few enough not to press on an API server.
const AT_A_TIME: usize = 6;

/// Makes the calls; gives those that ended within the time.
pub(super) async fn look(
    toolbox: &Toolbox,
    calls: Vec<ToolCall>,
    within: Duration,
    look: &Look,
    progress: &dyn Progress,
    clock: Clock,
) -> Event {
    let deadline = tokio::time::sleep(within);
    tokio::pin!(deadline);
    let mut running = futures::stream::iter(calls.clone())
        .map(async |call| {
            progress.told(Told::CallStarted(call.clone())).await;
            let span = span::call(&call);
            let looked = toolbox.call(&call.name, Value::Object(call.arguments.clone()), look);
            let outcome = looked.instrument(span.clone()).await;
            if !outcome.status.gave() {
                span::failed(&span, outcome.status.as_str());
            }
            progress.told(Told::CallEnded { call: call.clone(), outcome: outcome.clone() }).await;
            (call.id, outcome)
        })
        .buffer_unordered(AT_A_TIME);
    let mut outcomes: Vec<(String, CallOutcome)> = Vec::new();
    let cancelled = loop {
        tokio::select! {
            biased;
            () = look.cancel.cancelled() => break true,
            next = running.next() => match next {
                Some(ended) => outcomes.push(ended),
                None => break false,
            },
            () = &mut deadline => break false,
        }
    };
    drop(running);
    for call in calls.into_iter().filter(|call| outcomes.iter().all(|(id, _)| *id != call.id)) {
        let outcome = CallOutcome {
            status: CallStatus::Cancelled,
            evidence: None,
            title: call.name.clone(),
            text: if cancelled { "cancelled".to_owned() } else { "the time was over".to_owned() },
            unseen: None,
        };
        progress.told(Told::CallEnded { call, outcome }).await;
    }
    if cancelled { Event::Cancelled } else { Event::ToolsAnswered { outcomes, at: clock.now() } }
}
