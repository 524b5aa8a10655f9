//! One request, asked of one model after the other, or of two at once.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use futures::stream::{FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use super::super::{Delta, ModelAnswer, ModelError, ModelRequest, Usage};
use super::fit::fitted;
use super::member::{Leave, Member};
use super::telemetry;
use crate::context::request_tokens;

/// Pieces of an answer that may wait: a few lines of text. When full its stream waits, nothing is lost.
const PIECES: usize = 64;

/// Who is asked, by the place in line.
type Place = usize;
type Ended = (Place, Result<ModelAnswer, ModelError>);

/// Why a model gave no answer.
struct Failure {
    model: String,
    error: ModelError,
}

/// One request on its way to an answer.
pub(super) struct Contest<'a> {
    request: ModelRequest,
    /// What the request has in tokens, once that was counted.
    size: Option<u32>,
    members: Vec<&'a Arc<Member>>,
    /// The place of who is asked next.
    upcoming: Place,
    running: FuturesUnordered<BoxFuture<'a, Ended>>,
    /// Who is at it.
    at_it: Vec<Place>,
    failures: Vec<Failure>,
    deltas: &'a mpsc::Sender<Delta>,
    sender: mpsc::Sender<(Place, Delta)>,
    pieces: mpsc::Receiver<(Place, Delta)>,
    /// Whose pieces are shown.
    shown: Option<Place>,
    begun: bool,
}

impl<'a> Contest<'a> {
    /// A request to these, in this order.
    pub(super) fn new(
        request: ModelRequest,
        members: impl Iterator<Item = &'a Arc<Member>>,
        deltas: &'a mpsc::Sender<Delta>,
    ) -> Self {
        let (sender, pieces) = mpsc::channel(PIECES);
        Self {
            request,
            size: None,
            members: members.collect(),
            upcoming: 0,
            running: FuturesUnordered::new(),
            at_it: Vec::new(),
            failures: Vec::new(),
            deltas,
            sender,
            pieces,
            shown: None,
            begun: false,
        }
    }

    /// The first whole answer; whoever else is still at it is cancelled.
    pub(super) async fn run(mut self, hedge_after: Option<Duration>) -> Result<ModelAnswer, ModelError> {
        let hedge = tokio::time::sleep(hedge_after.unwrap_or_default());
        tokio::pin!(hedge);
        let mut may_hedge = hedge_after.is_some();
        self.next();
        while !self.running.is_empty() {
            tokio::select! {
                biased;
                Some((place, piece)) = self.pieces.recv() => self.show(place, piece).await,
                Some((place, answered)) = self.running.next() => match self.back(place, answered) {
                    Ok(answer) => return Ok(self.won(place, answer).await),
                    // A shorter request is made for the first, whom it is to fit.
                    Err(error @ ModelError::ContextLength(_)) if place == 0 => return Err(error),
                    Err(error) => {
                        self.lost(place, error).await;
                        if self.running.is_empty() {
                            self.next();
                        }
                    }
                },
                () = &mut hedge, if may_hedge && !self.begun && self.upcoming == 1 => {
                    may_hedge = false;
                    if let Some(model) = self.next() {
                        tracing::info!(model, "the model hasn't begun its answer; another is asked too");
                        telemetry::hedged(&model);
                    }
                }
            }
        }
        Err(failed(self.failures))
    }

    /// Asks the next that may be asked; gives its name.
    fn next(&mut self) -> Option<String> {
        while let Some(member) = self.members.get(self.upcoming).copied() {
            let place = self.upcoming;
            self.upcoming += 1;
            match self.prepared(place, member) {
                Ok((leave, request)) => {
                    let name = leave.name().to_owned();
                    if let Some(last) = self.failures.last() {
                        tracing::warn!(model = name, failed = last.model, why = %last.error, "a fallback is asked");
                    }
                    self.at_it.push(place);
                    self.running.push(Box::pin(asked(place, leave, request, self.sender.clone())));
                    return Some(name);
                }
                Err(error) => self.failures.push(Failure { model: member.name().to_owned(), error }),
            }
        }
        None
    }

    fn prepared(&mut self, place: Place, member: &Arc<Member>) -> Result<(Leave, ModelRequest), ModelError> {
        let request = if place == 0 {
            // It was made for the first.
            self.request.clone()
        } else {
            let size = *self.size.get_or_insert_with(|| request_tokens(&self.request));
            fitted(&self.request, size, &member.limits()).map_err(ModelError::ContextLength)?
        };
        Ok((member.admit()?, request))
    }

    /// Shows a piece, where it is of the one whose pieces are shown: the first that shows any.
    async fn show(&mut self, place: Place, piece: Delta) {
        self.begun = piece != Delta::Restarted;
        match &piece {
            Delta::Restarted if self.shown == Some(place) => {
                self.shown = None;
                self.pass(Delta::Restarted).await;
            }
            Delta::Begun | Delta::Restarted => {}
            Delta::Thinking(_) | Delta::Text(_) => {
                if *self.shown.get_or_insert(place) == place {
                    self.pass(piece).await;
                }
            }
        }
    }

    async fn pass(&mut self, piece: Delta) {
        // Nobody watches when the receiver is gone, and that doesn't matter.
        self.deltas.send(piece).await.ok();
    }

    fn back(&mut self, place: Place, answered: Result<ModelAnswer, ModelError>) -> Result<ModelAnswer, ModelError> {
        self.at_it.retain(|other| *other != place);
        answered
    }

    /// What those who are still at it have used: they are cancelled, and tell nothing of it.
    fn lost_to_others(&self, answer: &ModelAnswer) -> Usage {
        let mut lost = Usage::default();
        for member in self.at_it.iter().filter_map(|place| self.members.get(*place)) {
            let limits = member.limits();
            let prompt =
                answer.usage.map_or_else(|| u64::from(limits.vocabulary.request(&self.request)), |it| it.prompt);
            lost.add(Usage { prompt, ..Usage::default() }.priced(&limits.prices));
        }
        lost
    }

    async fn won(&mut self, place: Place, mut answer: ModelAnswer) -> ModelAnswer {
        answer.lost.add(self.lost_to_others(&answer));
        while let Ok((place, piece)) = self.pieces.try_recv() {
            self.show(place, piece).await;
        }
        match self.shown {
            Some(shown) if shown != place => {
                self.pass(Delta::Restarted).await;
                if !answer.content.is_empty() {
                    self.pass(Delta::Text(answer.content.clone())).await;
                }
            }
            _ => {}
        }
        answer
    }

    async fn lost(&mut self, place: Place, error: ModelError) {
        while let Ok((place, piece)) = self.pieces.try_recv() {
            self.show(place, piece).await;
        }
        if self.shown == Some(place) {
            self.shown = None;
            self.pass(Delta::Restarted).await;
        }
        let model = self.members.get(place).map_or_else(String::new, |member| member.name().to_owned());
        self.failures.push(Failure { model, error });
    }
}

/// Asks, and passes on the pieces with the place that they are of.
async fn asked(place: Place, leave: Leave, request: ModelRequest, sender: mpsc::Sender<(Place, Delta)>) -> Ended {
    let (own, mut pieces) = mpsc::channel(PIECES);
    let answered = {
        let asked = leave.ask(request, &own);
        tokio::pin!(asked);
        loop {
            tokio::select! {
                biased;
                Some(piece) = pieces.recv() => drop(sender.send((place, piece)).await),
                answered = &mut asked => break answered,
            }
        }
    };
    while let Ok(piece) = pieces.try_recv() {
        sender.send((place, piece)).await.ok();
    }
    (place, answered)
}

/// Why nobody answered. Where one could not take the request for its length, a shorter one may still be answered.
fn failed(failures: Vec<Failure>) -> ModelError {
    let shorter = failures.iter().any(|failure| matches!(failure.error, ModelError::ContextLength(_)));
    let limited = failures.iter().all(|failure| failure.error.is_limited());
    let mut failures = failures.into_iter();
    let Some(first) = failures.next() else {
        return ModelError::Unavailable("no model is configured".to_owned());
    };
    let others: Vec<String> = failures.map(|failure| format!("{}: {}", failure.model, failure.error)).collect();
    if others.is_empty() {
        return first.error;
    }
    let why = format!("{}: {}; {}", first.model, first.error, others.join("; "));
    match (shorter, limited) {
        (true, _) => ModelError::ContextLength(why),
        (_, true) => ModelError::RateLimited(why),
        _ => ModelError::Unavailable(why),
    }
}
