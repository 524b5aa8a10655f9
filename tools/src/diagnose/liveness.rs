//! Liveness probes that leave a program too little time: to begin, or to answer.

use jiff::SignedDuration;
use serde_json::Value;

use super::container::{Container, Ending};
use super::context::Context;
use super::line;
use crate::scene::{Event, field};

/// How long the kubelet leaves a program to end, where its pod doesn't say.
const GRACE: i64 = 30;

/// In what a liveness probe leaves a program too little time.
pub(super) enum Tight {
    /// It was killed, in so many seconds, before it was ever ready; and so many are given.
    ToBegin { lived: i64, given: i64 },
    /// It goes on, and does not answer within so many seconds.
    ToAnswer { given: i64 },
}

/// In what a liveness probe leaves the run that it ended last too little time, where that may be so: nothing in the log
/// says otherwise.
pub(super) fn tight(context: &Context<'_>, container: &Container<'_>, probe: &Value, event: &Event) -> Option<Tight> {
    let ending = container.ending()?;
    let (started, finished) = ending.started.zip(ending.finished)?;
    let lived = finished.duration_since(started).as_secs();
    let number = |path: &str, default| field::number(probe, path).unwrap_or(default);
    let (delay, period) = (number("/initialDelaySeconds", 0), number("/periodSeconds", 10));
    let needed = period * (number("/failureThreshold", 3) - 1).max(0);
    let given = delay + needed + period;
    let grace = field::number(container.value, "/spec/terminationGracePeriodSeconds").unwrap_or(GRACE);
    let waits = ["deadline exceeded", "Client.Timeout", "i/o timeout", "timed out"];
    let waited = waits.iter().any(|words| event.message.contains(words));
    let begins = !container.ready() && (delay + needed..=given + grace + period).contains(&lived);
    let has_startup = container.spec.get("startupProbe").is_some();
    if begins
        && !has_startup
        && (waited || event.message.contains("connection refused"))
        && is_quiet(context, container, ending)
    {
        return Some(Tight::ToBegin { lived, given });
    }
    let answers = waited && lived > given + grace + period && went_on(context, container, ending, given);
    answers.then(|| Tight::ToAnswer { given: number("/timeoutSeconds", 1) })
}

fn log_of<'a>(context: &Context<'a>, container: &Container<'_>, ending: Ending<'_>) -> Option<&'a str> {
    context.scene.log(container.pod, container.name, !ending.present).map(|log| log.text.as_str())
}

/// Whether the run that ended said nothing of an error at its end.
fn is_quiet(context: &Context<'_>, container: &Container<'_>, ending: Ending<'_>) -> bool {
    !log_of(context, container, ending).and_then(line::telling).is_some_and(line::tells)
}

/// Whether the run that ended still wrote within so many seconds of its end: it did not hang.
fn went_on(context: &Context<'_>, container: &Container<'_>, ending: Ending<'_>, within: i64) -> bool {
    let log = log_of(context, container, ending);
    let said = log.and_then(|log| line::latest(log, 1).next()).and_then(|last| line::said_at(last, context.scene.now));
    said.zip(ending.finished)
        .is_some_and(|(said, finished)| finished.duration_since(said) <= SignedDuration::from_secs(within))
}
