//! One request to the model, its pieces shown as they come.

use std::time::Duration;

use marple_tools::Look;
use tokio::sync::mpsc;

use super::clock::Clock;
use crate::run::Event;
use crate::{Delta, Model, ModelRequest, Progress, Told};

/// Pieces of an answer that may wait to be shown: a few lines of text. When full the stream waits, nothing is lost.
const PIECES: usize = 64;

/// Asks; gives what came of it.
pub(super) async fn ask(
    model: &dyn Model,
    request: ModelRequest,
    within: Duration,
    look: &Look,
    progress: &dyn Progress,
    clock: &Clock,
) -> Event {
    let (sender, mut pieces) = mpsc::channel(PIECES);
    let deadline = tokio::time::sleep(within);
    let asked = model.complete(request, &sender);
    tokio::pin!(asked, deadline);
    let answered = loop {
        tokio::select! {
            biased;
            () = look.cancel.cancelled() => return Event::Cancelled,
            Some(piece) = pieces.recv() => tell(progress, piece).await,
            answered = &mut asked => break answered,
            () = &mut deadline => return Event::Tick { at: clock.now() },
        }
    };
    while let Ok(piece) = pieces.try_recv() {
        tell(progress, piece).await;
    }
    match answered {
        Ok(answer) => Event::ModelAnswered { answer, at: clock.now() },
        Err(error) => Event::ModelFailed { error, at: clock.now() },
    }
}

async fn tell(progress: &dyn Progress, piece: Delta) {
    progress
        .told(match piece {
            // What it begins with is told, or a call as it is made.
            Delta::Begun => return,
            Delta::Thinking(text) => Told::Thinking(text),
            Delta::Text(text) => Told::Text(text),
            Delta::Restarted => Told::Restarted,
        })
        .await;
}
