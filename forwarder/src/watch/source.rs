//! What one watch reads, and what it makes of it.

use futures::stream::BoxStream;
use kube::runtime::watcher;

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
    /// The credentials don't allow it, or the kind isn't served.
    Forbidden,
}

/// The stream of a watch.
pub(super) type Events<O> = BoxStream<'static, watcher::Result<watcher::Event<O>>>;

/// What one watch reads, and what it makes of it.
pub(super) trait Source: Send + Sync + 'static {
    /// What of an object is read.
    type Object: Send + 'static;
    /// What is told of it.
    type Told: Send + 'static;

    /// The kind.
    fn kind(&self) -> &'static str;

    /// Which objects are asked for, and how many a page, where lists aren't streamed.
    fn config(&self) -> watcher::Config;

    /// Lists, then watches.
    fn events(&self, config: watcher::Config) -> Events<Self::Object>;

    /// What is told of what was seen, where it matters.
    fn tell(&self, sight: Sight<Self::Object>, scope: &Scope) -> Option<Self::Told>;

    /// Which permission is missing where it is forbidden, for who grants it; nothing where the kind need not be there.
    fn missing(&self, scope: &Scope) -> Option<String>;
}
