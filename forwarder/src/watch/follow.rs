//! Lists, then watches, and says how far the watch has come.
//!
//! `kube::runtime`'s watcher keeps the resourceVersion that it has reached to itself, and a process that doesn't know it
//! can only list: what was altered twice in between would look as if it were altered once.

use std::time::Duration;

use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt};
use kube::Api;
use kube::api::{WatchEvent, WatchParams};
use kube::runtime::watcher::{self, Error, Event, watcher};

use super::source::{Step, Steps, Watchable};
use super::stream::WATCH_SECONDS;
use super::version::{self, number};

/// How much longer than it was asked for a watch may take to end.
const GRACE: Duration = Duration::from_secs(5);

/// Watches from where an earlier watch came to, or lists first.
pub(super) fn read<K: Watchable>(api: Api<K>, config: watcher::Config, from: Option<String>) -> Steps<K> {
    stream::unfold((api, config, Reading::Start { from }), |(api, config, reading)| async {
        let (step, reading) = reading.next(&api, &config).await?;
        Some((step, (api, config, reading)))
    })
    .boxed()
}

/// How far the reading is.
enum Reading<K> {
    /// Nothing is read; an earlier watch may have come to a version.
    Start { from: Option<String> },
    /// A list is read that began after this version.
    Listing { after: String, list: BoxStream<'static, watcher::Result<Event<K>>> },
    /// A list is complete that began after this version; it is not known yet how far it reaches.
    Listed { after: String },
    /// The list is complete, or there was none.
    Watching(Steps<K>),
}

impl<K: Watchable> Reading<K> {
    fn from(api: Api<K>, version: String) -> Self {
        Self::Watching(watch(api, version).boxed())
    }

    async fn next(self, api: &Api<K>, config: &watcher::Config) -> Option<(watcher::Result<Step<K>>, Self)> {
        let mut reading = self;
        loop {
            reading = match reading {
                Self::Start { from } => match version::now(api).await {
                    Err(error) => return Some((Err(Error::InitialListFailed(error)), Self::Start { from })),
                    Ok(now) => {
                        match from {
                            Some(from) if is_ahead(&from, &now) => tracing::warn!(
                                from,
                                now,
                                "the cluster's store was set back, or another cluster has this name now: all is listed anew"
                            ),
                            Some(from) => return Some((Ok(Step::Behind(now)), Self::from(api.clone(), from))),
                            None => {}
                        }
                        // What is written while the list is read is seen again by the watch, which begins before it.
                        Self::Listing { after: now, list: watcher(api.clone(), config.clone()).boxed() }
                    }
                },
                Self::Listing { after, mut list } => {
                    let event = list.next().await?;
                    let reading = match &event {
                        Ok(Event::InitDone) if !after.is_empty() => Self::Listed { after },
                        _ => Self::Listing { after, list },
                    };
                    return Some((event.map(Step::Event), reading));
                }
                Self::Listed { after } => match version::now(api).await {
                    Err(error) => return Some((Err(Error::WatchStartFailed(error)), Self::Listed { after })),
                    // Up to here the watch may show again what the list has shown, or has shown to be gone.
                    Ok(now) => return Some((Ok(Step::Behind(now)), Self::from(api.clone(), after))),
                },
                Self::Watching(mut steps) => {
                    let step = steps.next().await?;
                    return Some((step, Self::Watching(steps)));
                }
            }
        }
    }
}

/// Whether a version is one that the cluster has not come to.
fn is_ahead(version: &str, now: &str) -> bool {
    number(version).zip(number(now)).is_some_and(|(version, now)| version > now)
}

/// Watches from a version on; after an error from where it was.
fn watch<K: Watchable>(api: Api<K>, version: String) -> impl Stream<Item = watcher::Result<Step<K>>> + Send {
    type Open<K> = BoxStream<'static, kube::Result<WatchEvent<K>>>;
    let first = stream::once(std::future::ready(Ok(Step::At(version.clone()))));
    let rest = stream::unfold((api, version, None::<Open<K>>), |(api, mut version, mut open)| async move {
        loop {
            let mut events = match open.take() {
                Some(events) => events,
                None => match api.watch(&WatchParams::default().timeout(WATCH_SECONDS), &version).await {
                    Ok(events) => events.boxed(),
                    Err(error) => return Some((Err(Error::WatchStartFailed(error)), (api, version, None))),
                },
            };
            let longest = Duration::from_secs(u64::from(WATCH_SECONDS)) + GRACE;
            let next = tokio::time::timeout(longest, events.next()).await;
            let step = match next {
                // The server ended it in its time, or the connection has died in silence.
                Err(_) | Ok(None) => continue,
                Ok(Some(Err(error))) => return Some((Err(Error::WatchFailed(error)), (api, version, None))),
                Ok(Some(Ok(WatchEvent::Error(status)))) => {
                    return Some((Err(Error::WatchError(status)), (api, version, None)));
                }
                Ok(Some(Ok(WatchEvent::Bookmark(mark)))) => {
                    version = mark.metadata.resource_version;
                    Step::At(version.clone())
                }
                Ok(Some(Ok(WatchEvent::Added(object) | WatchEvent::Modified(object)))) => {
                    version = object.meta().resource_version.clone().unwrap_or(version);
                    Step::Event(Event::Apply(object))
                }
                Ok(Some(Ok(WatchEvent::Deleted(object)))) => {
                    version = object.meta().resource_version.clone().unwrap_or(version);
                    Step::Event(Event::Delete(object))
                }
            };
            return Some((Ok(step), (api, version, Some(events))));
        }
    });
    first.chain(rest)
}

#[cfg(test)]
mod tests;
