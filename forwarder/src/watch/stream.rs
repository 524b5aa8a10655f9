//! The watch of one kind.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures::{Stream, StreamExt};
use kube::runtime::watcher::{self, watcher};
use metrics::{counter, gauge};
use tokio::sync::mpsc::Sender;
use tokio_util::sync::CancellationToken;

use super::View;
use super::fault::Fault;
use super::permission::missing;
use crate::config::Scope;
use crate::metric;
use crate::object::ObjectKey;
use crate::picture::Observation;

/// Objects of one page, where lists aren't streamed.
const PAGE: u32 = 500;

/// Seconds after which the API server ends a watch, and the watch goes on from where it was. A connection that has died in
/// silence is noticed no sooner.
const WATCH_SECONDS: u32 = 120;

/// How long a streamed list may pause: an API server that doesn't know of them never ends one.
const STREAM_PAUSE: Duration = Duration::from_secs(30);

const FIRST_WAIT: Duration = Duration::from_millis(500);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// The watch of one kind in one scope.
pub(super) struct Watch<V> {
    api: kube::Api<V>,
    scope: Scope,
    sender: Sender<Observation>,
    forbidden_retry: Duration,
    cancel: CancellationToken,
    streaming: bool,
    forbidden: bool,
    /// Set from the first failure until something is seen again.
    backoff: Option<ExponentialBackoff>,
}

/// Why a stream was left.
enum Left {
    /// To be listed anew.
    Relist,
    /// The forwarder ends.
    Ended,
}

impl<V: View> Watch<V> {
    pub(super) fn new(
        api: kube::Api<V>,
        scope: Scope,
        sender: Sender<Observation>,
        forbidden_retry: Duration,
        cancel: CancellationToken,
    ) -> Self {
        Self { api, scope, sender, forbidden_retry, cancel, streaming: true, forbidden: false, backoff: None }
    }

    /// Runs until cancelled, or until nobody hears any more.
    pub(super) async fn run(mut self) {
        loop {
            let config = watcher::Config {
                field_selector: V::FIELDS.map(str::to_owned),
                timeout: Some(WATCH_SECONDS),
                page_size: Some(PAGE),
                ..watcher::Config::default()
            };
            let config = if self.streaming { config.streaming_lists() } else { config };
            let stream = watcher(self.api.clone(), config);
            match self.follow(std::pin::pin!(stream)).await {
                Left::Relist => {}
                Left::Ended => return,
            }
        }
    }

    async fn follow<S>(&mut self, mut stream: std::pin::Pin<&mut S>) -> Left
    where
        S: Stream<Item = watcher::Result<watcher::Event<V>>>,
    {
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
                next = next => next,
            };
            let observation = match next {
                Err(_) => {
                    tracing::debug!(kind = %V::KIND, "the API server doesn't end a streamed list; listing in pages");
                    self.streaming = false;
                    return Left::Relist;
                }
                Ok(None) => return Left::Relist,
                Ok(Some(Err(error))) => match self.failed(&error, listing).await {
                    Some(left) => return left,
                    None => continue,
                },
                Ok(Some(Ok(event))) => self.observation(event, &mut listing),
            };
            tokio::select! {
                () = cancel.cancelled() => return Left::Ended,
                sent = self.sender.send(observation) => if sent.is_err() {
                    return Left::Ended;
                }
            }
        }
    }

    fn observation(&mut self, event: watcher::Event<V>, listing: &mut bool) -> Observation {
        match event {
            watcher::Event::Init => {
                *listing = true;
                counter!(metric::LISTINGS, "kind" => V::KIND.as_str()).increment(1);
                Observation::Listing(V::KIND, self.scope.clone())
            }
            watcher::Event::InitDone => {
                *listing = false;
                self.recovered();
                Observation::Listed(V::KIND, self.scope.clone())
            }
            watcher::Event::InitApply(view) | watcher::Event::Apply(view) => {
                counter!(metric::OBSERVATIONS, "kind" => V::KIND.as_str()).increment(1);
                if !*listing {
                    self.recovered();
                }
                Observation::Seen(view.object(), self.scope.clone())
            }
            watcher::Event::Delete(view) => {
                let metadata = view.meta();
                Observation::Gone(ObjectKey::new(
                    V::KIND,
                    metadata.namespace.as_deref().unwrap_or_default(),
                    metadata.name.as_deref().unwrap_or_default(),
                ))
            }
        }
    }

    fn recovered(&mut self) {
        self.backoff = None;
        if std::mem::take(&mut self.forbidden) {
            tracing::info!(kind = %V::KIND, scope = %self.scope, "allowed now");
            self.gauge(0.0);
        }
    }

    fn gauge(&self, forbidden: f64) {
        let namespace = match &self.scope {
            Scope::Cluster => String::new(),
            Scope::Namespace(name) => name.clone(),
        };
        gauge!(metric::FORBIDDEN, "kind" => V::KIND.as_str(), "namespace" => namespace).set(forbidden);
    }

    /// Waits as the error calls for. Nothing where the same stream goes on.
    async fn failed(&mut self, error: &watcher::Error, listing: bool) -> Option<Left> {
        let fault = Fault::of(error, self.streaming && listing);
        counter!(metric::WATCH_ERRORS, "kind" => V::KIND.as_str(), "class" => fault.as_str()).increment(1);
        let wait = match fault {
            Fault::NoStreaming => {
                tracing::info!(kind = %V::KIND, %error, "the API server can't list as a stream; listing in pages");
                self.streaming = false;
                return Some(Left::Relist);
            }
            Fault::Forbidden => {
                if !std::mem::replace(&mut self.forbidden, true) {
                    tracing::warn!(%error, retry = ?self.forbidden_retry, "{}", missing::<V>(&self.scope));
                    self.gauge(1.0);
                }
                let told = Observation::Forbidden(V::KIND, self.scope.clone());
                if self.sender.send(told).await.is_err() {
                    return Some(Left::Ended);
                }
                self.forbidden_retry
            }
            Fault::Expired | Fault::Passing => {
                let wait = self.backoff.get_or_insert_with(backoff).next().unwrap_or(LONGEST_WAIT);
                tracing::info!(kind = %V::KIND, scope = %self.scope, %error, ?wait, "a watch failed; it goes on");
                wait
            }
        };
        tokio::select! {
            () = self.cancel.cancelled() => Some(Left::Ended),
            () = tokio::time::sleep(wait) => (fault == Fault::Expired).then_some(Left::Relist),
        }
    }
}

fn backoff() -> ExponentialBackoff {
    ExponentialBuilder::default()
        .with_min_delay(FIRST_WAIT)
        .with_max_delay(LONGEST_WAIT)
        .with_jitter()
        .without_max_times()
        .build()
}

#[cfg(test)]
mod tests;
