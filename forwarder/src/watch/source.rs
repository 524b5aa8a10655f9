//! What one watch reads, and what it makes of it.

use std::fmt::Debug;

use futures::stream::BoxStream;
use kube::Resource;
use kube::runtime::watcher;
use metrics::SharedString;
use serde::de::DeserializeOwned;

use crate::config::Scope;

/// What a watch sees.
#[derive(Debug)]
pub(super) enum Sight<O> {
    /// A listing begins.
    Listing,
    /// An object as it is.
    Seen(O),
    /// An object as it was when it was deleted.
    Gone(O),
    /// The listing is complete.
    Listed,
    /// All up to this resourceVersion was seen: a later watch may begin there.
    At(String),
    /// What comes up to this resourceVersion had happened before the watch began.
    Behind(String),
    /// The credentials don't allow it, or the kind isn't served.
    Forbidden,
}

/// What the stream of a watch brings.
#[derive(Debug)]
pub(super) enum Step<O> {
    /// Something was seen.
    Event(watcher::Event<O>),
    /// All up to this resourceVersion was seen; no listing is under way.
    At(String),
    /// There is no list; what comes up to this resourceVersion had happened before the watch began.
    Behind(String),
}

/// The stream of a watch.
pub(super) type Steps<O> = BoxStream<'static, watcher::Result<Step<O>>>;

/// What can be listed and watched.
pub(super) trait Object: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static {}

impl<O: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static> Object for O {}

/// What one watch reads, and what it makes of it.
pub(super) trait Source: Send + Sync + 'static {
    /// What of an object is read.
    type Object: Send + 'static;
    /// What is told of it.
    type Told: Send + 'static;

    /// The kind.
    fn kind(&self) -> SharedString;

    /// Which objects are asked for, and how many a page, where lists aren't streamed.
    fn config(&self) -> watcher::Config;

    /// Lists, then watches; the first time it may go on from where an earlier watch was.
    fn steps(&mut self, config: watcher::Config) -> Steps<Self::Object>;

    /// What is told of what was seen, where it matters.
    fn tell(&self, sight: Sight<Self::Object>, scope: &Scope) -> Option<Self::Told>;

    /// Which permission is missing where it is forbidden, for who grants it; nothing where the kind need not be there.
    fn missing(&self, scope: &Scope) -> Option<String>;
}
