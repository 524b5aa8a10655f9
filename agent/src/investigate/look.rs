//! The calls of one turn, several at a time.
//!
//! While one of them waits for a person, their time stands still: the person was told how long there is to answer.

use std::time::Duration;

use futures::StreamExt;
use marple_tools::{CallOutcome, CallStatus, Look, Toolbox};
use serde_json::Value;
use tokio::time::Instant;
use tracing::Instrument as _;

use super::clock::Clock;
use super::span;
use crate::run::Event;
use crate::{Progress, Told, ToolCall};

/// Calls that run at a time: enough to hide their latency, few enough not to press on an API server.
const AT_A_TIME: usize = 6;

/// Makes the calls; gives those that ended within the time, in which the wait for people does not count.
pub(super) async fn look(
    toolbox: &Toolbox,
    calls: Vec<ToolCall>,
    within: Duration,
    look: &Look,
    progress: &dyn Progress,
    clock: &Clock,
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
    let mut people = toolbox.waiting();
    let mut since: Option<Instant> = None;
    let cancelled = loop {
        let waits = *people.borrow_and_update() > 0;
        if waits {
            since.get_or_insert_with(Instant::now);
        } else if let Some(stood) = since.take().map(|since| since.elapsed()) {
            clock.leave_out(stood);
            let later = deadline.deadline() + stood;
            deadline.as_mut().reset(later);
        }
        tokio::select! {
            biased;
            () = look.cancel.cancelled() => break true,
            next = running.next() => match next {
                Some(ended) => outcomes.push(ended),
                None => break false,
            },
            Ok(()) = people.changed() => {}
            () = &mut deadline, if !waits => break false,
        }
    };
    if let Some(since) = since {
        clock.leave_out(since.elapsed());
    }
    drop(running);
    for call in calls.into_iter().filter(|call| outcomes.iter().all(|(id, _)| *id != call.id)) {
        let outcome = CallOutcome {
            status: CallStatus::Cancelled,
            evidence: None,
            title: call.name.clone(),
            text: if cancelled { "cancelled".to_owned() } else { "the time was over".to_owned() },
            empty: false,
            unseen: None,
        };
        progress.told(Told::CallEnded { call, outcome }).await;
    }
    if cancelled { Event::Cancelled } else { Event::ToolsAnswered { outcomes, at: clock.now() } }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::sync::Arc;

    use async_trait::async_trait;
    use jiff::Timestamp;
    use marple_tools::gate::{Approval, Approve, ApproveError, Request};
    use marple_tools::{Effect, MemoryEvidence, Output, Redact, Tool, ToolError, ToolSpec};
    use serde_json::{Map, json};
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::SaveError;
    use crate::run::Run;

    /// Takes as many seconds as it is called with, and asks a person beforehand where it is to.
    struct Takes(ToolSpec, bool);

    #[async_trait]
    impl Tool for Takes {
        fn spec(&self) -> &ToolSpec {
            &self.0
        }

        fn asks(&self) -> bool {
            self.1
        }

        async fn call(&self, arguments: Value, _: &Look) -> Result<Output, ToolError> {
            tokio::time::sleep(Duration::from_secs(arguments["seconds"].as_u64().unwrap())).await;
            Ok(Output { title: "took".to_owned(), content: "done".to_owned(), ..Output::default() })
        }
    }

    /// Says yes after four minutes.
    struct Slow;

    #[async_trait]
    impl Approve for Slow {
        async fn approve(&self, _: &Request) -> Result<Approval, ApproveError> {
            tokio::time::sleep(Duration::from_mins(4)).await;
            Ok(Approval::Approved { by: "ann".to_owned() })
        }
    }

    struct Plain;

    impl Redact for Plain {
        fn redact(&self, text: &str) -> String {
            text.to_owned()
        }
    }

    struct Nowhere;

    #[async_trait]
    impl Progress for Nowhere {
        async fn save(&self, _: &Run) -> Result<(), SaveError> {
            Ok(())
        }

        async fn told(&self, _: Told) {}
    }

    fn call(id: &str, name: &str, seconds: u64) -> ToolCall {
        let arguments = Map::from_iter([("seconds".to_owned(), json!(seconds))]);
        ToolCall { id: id.to_owned(), name: name.to_owned(), arguments }
    }

    /// Makes these calls within ten seconds; gives the statuses of those that ended, and how long that took by the clock.
    async fn looked(calls: Vec<ToolCall>) -> (Vec<(String, CallStatus)>, i64) {
        let tool = |name: &'static str, asks| -> Arc<dyn Tool> {
            let parameters = json!({"type": "object"});
            Arc::new(Takes(
                ToolSpec { name: name.into(), description: "Takes time.".into(), parameters, effect: Effect::Read },
                asks,
            ))
        };
        let tools = [tool("at_once", false), tool("asked", true)];
        let toolbox = Toolbox::new(tools, Arc::new(MemoryEvidence::default()), Arc::new(Plain), Duration::from_mins(1));
        let toolbox = toolbox.with_approval(Arc::new(Slow));
        let look = Look { incident_start: None, now: Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
        let clock = Clock::from(look.now);
        match super::look(&toolbox, calls, Duration::from_secs(10), &look, &Nowhere, &clock).await {
            Event::ToolsAnswered { outcomes, at } => {
                (outcomes.into_iter().map(|(id, outcome)| (id, outcome.status)).collect(), at.as_second())
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_stands_still_while_a_person_is_waited_for() {
        let (outcomes, spent) = looked(vec![call("a", "asked", 3)]).await;
        assert_eq!((outcomes, spent), (vec![("a".to_owned(), CallStatus::Ok)], 3));
    }

    #[tokio::test(start_paused = true)]
    async fn it_goes_on_where_the_person_has_answered() {
        let (outcomes, spent) = looked(vec![call("a", "asked", 30)]).await;
        assert_eq!((outcomes, spent), (Vec::new(), 10));
        let (outcomes, spent) = looked(vec![call("a", "at_once", 30)]).await;
        assert_eq!((outcomes, spent), (Vec::new(), 10));
    }
}
