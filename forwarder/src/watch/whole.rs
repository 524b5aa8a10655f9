//! The kinds whose changes are told.

use futures::StreamExt;
use kube::api::DynamicObject;
use kube::core::{ApiResource, DynamicResourceScope, PartialObjectMeta};
use kube::runtime::watcher::{self, Event};
use kube::{Api, Client, Resource};
use metrics::SharedString;
use serde_json::Value;
use tokio::sync::mpsc::Sender;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::follow;
use super::permission::missing;
use super::source::{Sight, Source, Step, Steps, api};
use super::stream::Watch;
use crate::ForwarderConfig;
use crate::change::{Family, Glimpse};
use crate::config::Scope;

/// Objects of one page: they are read whole, and a ConfigMap may have a MiB.
const PAGE: u32 = 20;

/// Whole objects of a kind, each only for as long as what matters is taken of it.
struct Whole {
    family: &'static Family,
    client: Client,
    scope: Scope,
    /// Up to where an earlier process has seen all.
    from: Option<String>,
}

impl Whole {
    fn api<K: Resource<DynamicType = ApiResource, Scope = DynamicResourceScope>>(&self) -> Api<K> {
        api(self.client.clone(), &self.family.resource(), &self.scope)
    }
}

impl Source for Whole {
    type Object = DynamicObject;
    type Told = Glimpse;

    fn kind(&self) -> SharedString {
        self.family.kind.into()
    }

    fn config(&self) -> watcher::Config {
        watcher::Config { page_size: Some(PAGE), ..watcher::Config::default() }
    }

    fn steps(&mut self, config: watcher::Config) -> Steps<DynamicObject> {
        let from = self.from.take();
        if self.family.metadata_only {
            let steps = follow::read(self.api::<PartialObjectMeta<DynamicObject>>(), config, from);
            steps.map(|step| step.map(whole)).boxed()
        } else {
            follow::read(self.api::<DynamicObject>(), config, from)
        }
    }

    fn tell(&self, sight: Sight<DynamicObject>, scope: &Scope) -> Option<Glimpse> {
        let family = self.family;
        match sight {
            Sight::Listing => Some(Glimpse::Listing(family, scope.clone())),
            Sight::Seen(object) => Some(Glimpse::Seen(family, scope.clone(), Box::new(object))),
            Sight::Gone(object) => Some(Glimpse::Gone(family, scope.clone(), Box::new(object))),
            Sight::Listed => Some(Glimpse::Listed(family, scope.clone())),
            Sight::At(version) => Some(Glimpse::At(family, scope.clone(), version)),
            Sight::Behind(version) => Some(Glimpse::Behind(family, scope.clone(), version)),
            Sight::Forbidden => None,
        }
    }

    fn missing(&self, scope: &Scope) -> Option<String> {
        let (group, plural) = self.family.rule();
        (!self.family.optional).then(|| missing(group, plural, scope))
    }
}

/// Metadata as an object of which nothing else is known.
fn whole(step: Step<PartialObjectMeta<DynamicObject>>) -> Step<DynamicObject> {
    let of = |part: PartialObjectMeta<DynamicObject>| DynamicObject {
        types: part.types,
        metadata: part.metadata,
        data: Value::Null,
    };
    let event = match step {
        Step::At(version) => return Step::At(version),
        Step::Behind(version) => return Step::Behind(version),
        Step::Event(event) => event,
    };
    Step::Event(match event {
        Event::Init => Event::Init,
        Event::InitApply(part) => Event::InitApply(of(part)),
        Event::InitDone => Event::InitDone,
        Event::Apply(part) => Event::Apply(of(part)),
        Event::Delete(part) => Event::Delete(of(part)),
    })
}

/// The watches of the change history, to be started.
pub(crate) struct HistoryWatches {
    pub(crate) client: Client,
    pub(crate) config: ForwarderConfig,
    pub(crate) cancel: CancellationToken,
}

impl HistoryWatches {
    /// Starts a watch for each of these kinds and each scope, from where `from` says that an earlier one came to. A task
    /// ends by cancellation only.
    pub(crate) fn start(
        self,
        families: &[&'static Family],
        from: impl Fn(&'static Family, &Scope) -> Option<String>,
        sender: &Sender<Glimpse>,
    ) -> JoinSet<()> {
        let retry = self.config.forbidden_retry.duration();
        let mut tasks = JoinSet::new();
        for family in families {
            let scopes = if family.namespaced { self.config.namespaces.scopes() } else { vec![Scope::Cluster] };
            for scope in scopes {
                let from = from(family, &scope);
                let whole = Whole { family, client: self.client.clone(), scope: scope.clone(), from };
                tasks.spawn(Watch::new(whole, scope, sender.clone(), retry, self.cancel.clone()).run());
            }
        }
        tasks
    }
}
