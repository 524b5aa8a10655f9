//! The watch of one kind.

use std::time::Duration;

use futures::StreamExt;
use jiff::Timestamp;
use kube::runtime::watcher;
use metrics::{Counter, Histogram, counter, gauge, histogram};
use tokio::sync::mpsc::Sender;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::fault::Fault;
use super::lag::Newest;
use super::setback::Reached;
use super::source::{Sight, Source, Step, Steps};
use crate::config::Scope;
use crate::metric;
use crate::pauses::Pauses;

/// Seconds after which the API server ends a watch, and the watch goes on from where it was. A connection that has died in
/// silence is noticed no sooner.
pub(super) const WATCH_SECONDS: u32 = 120;

/// How long a streamed list may pause: an API server that doesn't know of them never ends one.
const STREAM_PAUSE: Duration = Duration::from_secs(30);

/// The watch of one kind in one scope.
pub(super) struct Watch<S: Source> {
    source: S,
    scope: Scope,
    sender: Sender<S::Told>,
    forbidden_retry: Duration,
    cancel: CancellationToken,
    /// Says when all is to be listed again.
    again: watch::Receiver<()>,
    /// The furthest version that this watch and others have seen.
    reached: Reached,
    streaming: bool,
    /// Why nothing is seen, where that stays until somebody changes it.
    refused: Option<Refusal>,
    /// Counts what is seen: it is looked up once and not for each object.
    observations: Counter,
    /// How long after it was written an object is seen.
    lag: Histogram,
    newest: Newest,
    /// Ever longer from the first failure until something is seen again.
    pauses: Pauses,
}

/// Why nothing is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Refusal {
    /// The credentials don't allow it.
    Forbidden,
    /// The API server doesn't serve the kind.
    NotServed,
}

/// Why a stream was left.
enum Left {
    /// To be listed anew.
    Relist,
    /// The forwarder ends.
    Ended,
}

impl<S: Source> Watch<S> {
    pub(super) fn new(
        source: S,
        scope: Scope,
        sender: Sender<S::Told>,
        forbidden_retry: Duration,
        cancel: CancellationToken,
    ) -> Self {
        let observations = counter!(metric::OBSERVATIONS, "kind" => source.kind());
        Self {
            source,
            scope,
            sender,
            forbidden_retry,
            cancel,
            again: watch::channel(()).1,
            reached: Reached::default(),
            streaming: true,
            refused: None,
            observations,
            lag: histogram!(metric::WATCH_LAG_SECONDS),
            newest: Newest::default(),
            pauses: Pauses::default(),
        }
    }

    /// The same, but all is listed again whenever this says so.
    pub(super) fn again_on(self, again: watch::Receiver<()>) -> Self {
        Self { again, ..self }
    }

    /// The same, which notes here how far it has seen.
    pub(super) fn noting(self, reached: Reached) -> Self {
        Self { reached, ..self }
    }

    /// Runs until cancelled, or until nobody hears any more.
    pub(super) async fn run(mut self) {
        loop {
            let config = watcher::Config { timeout: Some(WATCH_SECONDS), ..self.source.config() };
            let config = if self.streaming { config.streaming_lists() } else { config };
            let steps = self.source.steps(config);
            match self.follow(steps).await {
                Left::Relist => {}
                Left::Ended => return,
            }
        }
    }

    async fn follow(&mut self, mut stream: Steps<S::Object>) -> Left {
        let cancel = self.cancel.clone();
        // Until the first list is complete.
        let mut listing = true;
        loop {
            let next = async {
                if listing && self.streaming {
                    tokio::time::timeout(STREAM_PAUSE, stream.next()).await
                } else {
                    Ok(stream.next().await)
                }
            };
            let next = tokio::select! {
                () = cancel.cancelled() => return Left::Ended,
                Ok(()) = self.again.changed() => return Left::Relist,
                next = next => next,
            };
            let sight = match next {
                Err(_) => {
                    tracing::debug!(
                        kind = %self.source.kind(),
                        "the API server doesn't end a streamed list; listing in pages"
                    );
                    self.streaming = false;
                    return Left::Relist;
                }
                Ok(None) => return Left::Relist,
                Ok(Some(Err(error))) => match self.failed(&error, listing).await {
                    Some(left) => return left,
                    None => continue,
                },
                Ok(Some(Ok(Step::Event(event)))) => self.sight(event, &mut listing),
                Ok(Some(Ok(Step::At(version)))) => {
                    self.recovered();
                    Sight::At(version)
                }
                Ok(Some(Ok(Step::Behind(version)))) => {
                    listing = false;
                    self.recovered();
                    Sight::Behind(version)
                }
            };
            if !self.tell(sight).await {
                return Left::Ended;
            }
        }
    }

    /// Tells what was seen. False where nobody hears any more.
    async fn tell(&self, sight: Sight<S::Object>) -> bool {
        let Some(told) = self.source.tell(sight, &self.scope) else { return true };
        tokio::select! {
            () = self.cancel.cancelled() => false,
            sent = self.sender.send(told) => sent.is_ok(),
        }
    }

    fn sight(&mut self, event: watcher::Event<S::Object>, listing: &mut bool) -> Sight<S::Object> {
        match event {
            watcher::Event::Init => {
                *listing = true;
                counter!(metric::LISTINGS, "kind" => self.source.kind()).increment(1);
                Sight::Listing
            }
            watcher::Event::InitDone => {
                *listing = false;
                self.recovered();
                Sight::Listed
            }
            watcher::Event::InitApply(object) | watcher::Event::Apply(object) => {
                self.observations.increment(1);
                self.reached.note(self.source.version(&object));
                self.measure(&object, *listing);
                if !*listing {
                    self.recovered();
                }
                Sight::Seen(object)
            }
            watcher::Event::Delete(object) => {
                self.reached.note(self.source.version(&object));
                Sight::Gone(object)
            }
        }
    }

    /// Measures how late an object is seen that was just written.
    fn measure(&mut self, object: &S::Object, listing: bool) {
        let Some(written) = self.source.written(object) else { return };
        if let (false, Some(lag)) = (listing, self.newest.lag(written, Timestamp::now())) {
            self.lag.record(lag);
        }
    }

    fn recovered(&mut self) {
        self.pauses = Pauses::default();
        if self.refused.is_some() {
            tracing::info!(kind = %self.source.kind(), scope = %self.scope, "seen now");
            self.refuse(None);
        }
    }

    /// Notes why nothing is seen, and shows it. What need not be there is not missed.
    fn refuse(&mut self, refused: Option<Refusal>) {
        if self.source.missing(&self.scope).is_some() {
            let namespace = self.scope.namespace().to_owned();
            for (metric, one) in [(metric::FORBIDDEN, Refusal::Forbidden), (metric::NOT_SERVED, Refusal::NotServed)] {
                if refused == Some(one) || self.refused == Some(one) {
                    let set = f64::from(refused == Some(one));
                    gauge!(metric, "kind" => self.source.kind(), "namespace" => namespace.clone()).set(set);
                }
            }
        }
        self.refused = refused;
    }

    /// Waits as the error calls for. Nothing where the same stream goes on.
    async fn failed(&mut self, error: &watcher::Error, listing: bool) -> Option<Left> {
        let fault = Fault::of(error, self.streaming && listing);
        counter!(metric::WATCH_ERRORS, "kind" => self.source.kind(), "class" => fault.as_str()).increment(1);
        let wait = match fault {
            Fault::NoStreaming => {
                tracing::info!(kind = %self.source.kind(), %error, "the API server can't list as a stream; listing in pages");
                self.streaming = false;
                return Some(Left::Relist);
            }
            Fault::Forbidden | Fault::NotServed => {
                let refusal = if fault == Fault::Forbidden { Refusal::Forbidden } else { Refusal::NotServed };
                if self.refused != Some(refusal) {
                    if let Some(missing) = self.source.missing(&self.scope) {
                        tracing::warn!(%error, retry = ?self.forbidden_retry, "{missing}");
                    } else {
                        tracing::debug!(kind = %self.source.kind(), %error, "not served here, or not allowed");
                    }
                    self.refuse(Some(refusal));
                }
                if !self.tell(Sight::Forbidden).await {
                    return Some(Left::Ended);
                }
                self.forbidden_retry
            }
            Fault::Expired | Fault::Passing => {
                let wait = self.pauses.pause();
                tracing::info!(kind = %self.source.kind(), scope = %self.scope, %error, ?wait, "a watch failed; it goes on");
                wait
            }
        };
        tokio::select! {
            () = self.cancel.cancelled() => Some(Left::Ended),
            () = tokio::time::sleep(wait) => (fault == Fault::Expired).then_some(Left::Relist),
        }
    }
}

#[cfg(test)]
mod tests;
