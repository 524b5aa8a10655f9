//! The kinds whose changes are told.

use std::sync::{Arc, Mutex, PoisonError};

use futures::StreamExt;
use jiff::Timestamp;
use kube::Client;
use kube::api::DynamicObject;
use kube::core::ApiResource;
use kube::runtime::watcher::{self, Event};
use metrics::SharedString;
use tokio::sync::mpsc::Sender;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::discover::Asked;
use super::follow;
use super::permission::missing;
use super::setback::Reached;
use super::source::{Sight, Source, Step, Steps, api};
use super::stream::Watch;
use crate::ForwarderConfig;
use crate::change::{Family, Glimpse};
use crate::config::Scope;
use crate::object::raw::{Raw, Reads};
use crate::object::written;

/// Objects of one page: they are read whole, and a ConfigMap may have a MiB.
const PAGE: u32 = 20;

/// Whole objects of a kind, each only for as long as what matters is taken of it.
struct Whole {
    family: Arc<Family>,
    client: Client,
    scope: Scope,
    asked: Asked,
    /// Up to where an earlier process has seen all, until it is gone on from there.
    from: Arc<Mutex<Option<String>>>,
}

impl Source for Whole {
    type Object = DynamicObject;
    type Told = Glimpse;

    fn kind(&self) -> SharedString {
        SharedString::from_owned(self.family.name.to_string())
    }

    fn config(&self) -> watcher::Config {
        watcher::Config { page_size: Some(PAGE), ..watcher::Config::default() }
    }

    fn steps(&mut self, config: watcher::Config) -> Steps<DynamicObject> {
        let (scope, from, reads) = (self.scope.clone(), self.from.clone(), self.family.reads);
        let open = move |client, resource: &ApiResource| {
            // Nothing that holds the lock can leave it half changed.
            let from = from.lock().unwrap_or_else(PoisonError::into_inner).take();
            match reads {
                Reads::Whole => read::<{ Reads::Whole as u8 }>(client, resource, &scope, config, from),
                Reads::Metadata => read::<{ Reads::Metadata as u8 }>(client, resource, &scope, config, from),
                Reads::Alone => read::<{ Reads::Alone as u8 }>(client, resource, &scope, config, from),
            }
        };
        match self.family.resource() {
            Some(resource) => open(self.client.clone(), &resource),
            None => self.asked.steps(self.client.clone(), open),
        }
    }

    fn version<'a>(&self, object: &'a DynamicObject) -> Option<&'a str> {
        self.family.resource().and(object.metadata.resource_version.as_deref())
    }

    fn written(&self, object: &DynamicObject) -> Option<Timestamp> {
        written(&object.metadata)
    }

    fn tell(&self, sight: Sight<DynamicObject>, scope: &Scope) -> Option<Glimpse> {
        let family = self.family.clone();
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
        if self.family.optional {
            return None;
        }
        Some(match self.family.resource() {
            Some(resource) => missing(&resource.group, &resource.plural, scope),
            None => self.asked.missing("forwarder.changes.custom", scope),
        })
    }
}

/// So much of the objects of a kind.
fn read<const READS: u8>(
    client: Client,
    resource: &ApiResource,
    scope: &Scope,
    config: watcher::Config,
    from: Option<String>,
) -> Steps<DynamicObject> {
    let api = api::<Raw<READS>>(client, resource, scope);
    follow::read(api, config, from).map(|step| step.map(whole)).boxed()
}

fn whole<const READS: u8>(step: Step<Raw<READS>>) -> Step<DynamicObject> {
    let event = match step {
        Step::At(version) => return Step::At(version),
        Step::Behind(version) => return Step::Behind(version),
        Step::Event(event) => event,
    };
    Step::Event(match event {
        Event::Init => Event::Init,
        Event::InitApply(Raw(object)) => Event::InitApply(object),
        Event::InitDone => Event::InitDone,
        Event::Apply(Raw(object)) => Event::Apply(object),
        Event::Delete(Raw(object)) => Event::Delete(object),
    })
}

/// The watches of the change history, to be started.
pub(crate) struct HistoryWatches {
    pub(crate) client: Client,
    pub(crate) config: ForwarderConfig,
    /// Says when all is to be listed again.
    pub(crate) again: Receiver<()>,
    /// Where it is noted how far they have seen.
    pub(crate) reached: Reached,
    pub(crate) cancel: CancellationToken,
}

impl HistoryWatches {
    /// Starts a watch for each of these kinds and each scope, from where `from` says that an earlier one came to. A task
    /// ends by cancellation only.
    pub(crate) fn start(
        self,
        families: &[Arc<Family>],
        from: impl Fn(&Family, &Scope) -> Option<String>,
        sender: &Sender<Glimpse>,
    ) -> JoinSet<()> {
        let retry = self.config.forbidden_retry.duration();
        let mut tasks = JoinSet::new();
        for family in families {
            let scopes = if family.namespaced { self.config.namespaces.scopes() } else { vec![Scope::Cluster] };
            for scope in scopes {
                let whole = Whole {
                    family: family.clone(),
                    client: self.client.clone(),
                    scope: scope.clone(),
                    asked: Asked::new(family.wanted()),
                    from: Arc::new(Mutex::new(from(family, &scope))),
                };
                let watch = Watch::new(whole, scope, sender.clone(), retry, self.cancel.clone());
                tasks.spawn(watch.again_on(self.again.clone()).noting(self.reached.clone()).run());
            }
        }
        tasks
    }
}

#[cfg(test)]
mod tests;
