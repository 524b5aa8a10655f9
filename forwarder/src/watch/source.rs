//! What one watch reads, and what it makes of it.

use std::fmt::Debug;

use futures::stream::BoxStream;
use jiff::Timestamp;
use kube::core::{ApiResource, DynamicResourceScope, NamespaceResourceScope};
use kube::runtime::watcher;
use kube::{Api, Client, Resource};
use metrics::SharedString;
use serde::de::DeserializeOwned;

use crate::config::Scope;
use crate::object::{Kind, Object, ObjectKey};
use crate::picture::Observation;

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
pub(super) trait Watchable: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static {}

impl<O: Resource + Clone + Debug + DeserializeOwned + Send + Sync + 'static> Watchable for O {}

/// The objects of a kind that is in namespaces, in a scope.
pub(super) fn namespaced<K>(client: Client, scope: &Scope) -> Api<K>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>,
{
    match scope {
        Scope::Cluster => Api::all(client),
        Scope::Namespace(name) => Api::namespaced(client, name),
    }
}

/// The same of a kind of which the API server was asked.
pub(super) fn api<K>(client: Client, resource: &ApiResource, scope: &Scope) -> Api<K>
where
    K: Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>,
{
    match scope {
        Scope::Cluster => Api::all_with(client, resource),
        Scope::Namespace(name) => Api::namespaced_with(client, name, resource),
    }
}

/// What is told of what the watch of a kind of conditions saw.
pub(super) fn observation<O: Resource>(
    sight: Sight<O>,
    kind: Kind,
    scope: &Scope,
    whole: impl FnOnce(O) -> Object,
) -> Option<Observation> {
    Some(match sight {
        Sight::Listing => Observation::Listing(kind, scope.clone()),
        Sight::Seen(view) => Observation::Seen(whole(view), scope.clone()),
        Sight::Gone(view) => {
            let metadata = view.meta();
            let namespace = metadata.namespace.as_deref().unwrap_or_default();
            Observation::Gone(ObjectKey::new(kind, namespace, metadata.name.as_deref().unwrap_or_default()))
        }
        Sight::Listed => Observation::Listed(kind, scope.clone()),
        Sight::Forbidden => Observation::Forbidden(kind, scope.clone()),
        Sight::At(_) | Sight::Behind(_) => return None,
    })
}

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

    /// In which version an object is, where that is surely one of the store that most kinds are in: events may be in one of
    /// their own, and so may what an API server beside the cluster's own serves.
    fn version<'a>(&self, object: &'a Self::Object) -> Option<&'a str>;

    /// When an object was written last, by the API server's clock.
    fn written(&self, object: &Self::Object) -> Option<Timestamp>;

    /// What is told of what was seen, where it matters.
    fn tell(&self, sight: Sight<Self::Object>, scope: &Scope) -> Option<Self::Told>;

    /// Which permission is missing where it is forbidden, for who grants it; nothing where the kind need not be there.
    fn missing(&self, scope: &Scope) -> Option<String>;
}
