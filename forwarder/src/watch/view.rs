//! The kinds that are watched.

use std::fmt::Debug;

use kube::Resource;
use serde::de::DeserializeOwned;

use crate::object::{
    Claim, DaemonSet, Deployment, Event, Job, Kind, Node, Object, Pod, ReplicaSet, StatefulSet, StorageClass,
};

/// What of an object is read.
pub(super) trait View:
    Resource<DynamicType = ()> + Clone + Debug + DeserializeOwned + Send + Sync + 'static
{
    /// Its kind.
    const KIND: Kind;

    /// Which of them are asked for.
    const FIELDS: Option<&'static str> = None;

    /// It, as any kind.
    fn object(self) -> Object;
}

/// `View Kind "field selector"`: the view is the variant of its name of `Object`.
macro_rules! views {
    ($($view:ident $kind:ident $($fields:literal)?,)*) => {
        $(impl View for $view {
            const KIND: Kind = Kind::$kind;
            $(const FIELDS: Option<&'static str> = Some($fields);)?

            fn object(self) -> Object {
                Object::$view(Box::new(self))
            }
        })*
    };
}

views! {
    Pod Pod,
    Deployment Deployment,
    StatefulSet StatefulSet,
    DaemonSet DaemonSet,
    ReplicaSet ReplicaSet,
    Job Job,
    Node Node,
    Claim PersistentVolumeClaim,
    StorageClass StorageClass,
    Event Event "type=Warning",
}
