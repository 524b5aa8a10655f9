//! The kinds that conditions are told of.

use futures::StreamExt;
use jiff::Timestamp;
use kube::Resource;
use kube::runtime::watcher::{self, watcher};
use metrics::SharedString;
use serde_json::Value;

use super::permission::missing;
use super::source::{Sight, Source, Step, Steps, Watchable, observation};
use crate::config::Scope;
use crate::object::{
    ApiService, Autoscaler, Budget, Claim, CronJob, DaemonSet, Deployment, Event, Job, Kind, Namespace, Node, Object,
    Pod, Policy, ReplicaSet, RevisionSecret, Service, StatefulSet, StorageClass, Volume, written,
};
use crate::picture::Observation;

/// Objects of one page: of each only some hundred bytes are kept, and those only for a moment.
const PAGE: u32 = 500;

/// What of an object is read.
pub(super) trait View: Watchable + Resource<DynamicType = ()> {
    /// Its kind.
    const KIND: Kind;

    /// Its kind's name.
    const NAME: &'static str;

    /// Which of them are asked for, by their fields.
    const FIELDS: Option<&'static str> = None;

    /// Which of them are asked for, by their labels.
    const LABELS: Option<&'static str> = None;

    /// It, as any kind.
    fn object(self) -> Object;
}

/// The views of a kind.
pub(super) struct Views<V>(pub(super) kube::Api<V>);

impl<V: View> Source for Views<V> {
    type Object = V;
    type Told = Observation;

    fn kind(&self) -> SharedString {
        V::NAME.into()
    }

    fn config(&self) -> watcher::Config {
        let field_selector = V::FIELDS.map(str::to_owned);
        let label_selector = V::LABELS.map(str::to_owned);
        watcher::Config { field_selector, label_selector, page_size: Some(PAGE), ..watcher::Config::default() }
    }

    fn steps(&mut self, config: watcher::Config) -> Steps<V> {
        watcher(self.0.clone(), config).map(|event| event.map(Step::Event)).boxed()
    }

    fn version<'a>(&self, view: &'a V) -> Option<&'a str> {
        view.meta().resource_version.as_deref().filter(|_| V::KIND != Kind::Event)
    }

    fn written(&self, view: &V) -> Option<Timestamp> {
        written(view.meta())
    }

    fn tell(&self, sight: Sight<V>, scope: &Scope) -> Option<Observation> {
        observation(sight, V::KIND, scope, View::object)
    }

    fn missing(&self, scope: &Scope) -> Option<String> {
        Some(missing(&V::group(&()), &V::plural(&()), scope))
    }
}

/// `View Kind`, with the selector of those that are asked for: the view is the variant of its name of `Object`.
macro_rules! views {
    ($($view:ident $kind:ident $($selector:ident $selected:literal)?,)*) => {
        $(impl View for $view {
            const KIND: Kind = Kind::$kind;
            const NAME: &'static str = stringify!($kind);
            $(const $selector: Option<&'static str> = Some($selected);)?

            fn object(self) -> Object {
                Object::$view(Box::new(self))
            }
        })*

        /// An object of a kind of this name, of whatever selection; nothing where conditions are told of no such kind.
        pub(crate) fn object_of(kind: &str, value: Value) -> Option<serde_json::Result<Object>> {
            match kind {
                $(stringify!($kind) => Some(serde_json::from_value::<$view>(value).map(View::object)),)*
                _ => None,
            }
        }
    };
}

views! {
    Pod Pod,
    Deployment Deployment,
    StatefulSet StatefulSet,
    DaemonSet DaemonSet,
    ReplicaSet ReplicaSet,
    Job Job,
    CronJob CronJob,
    Node Node,
    Namespace Namespace,
    Service Service,
    Volume PersistentVolume,
    Claim PersistentVolumeClaim,
    StorageClass StorageClass,
    Autoscaler HorizontalPodAutoscaler,
    Budget PodDisruptionBudget,
    Policy NetworkPolicy,
    ApiService APIService,
    RevisionSecret Secret LABELS "owner=helm",
    Event Event FIELDS "type=Warning",
}
