//! Custom resources whose conditions are told.

use std::sync::Arc;

use futures::StreamExt as _;
use jiff::Timestamp;
use kube::runtime::watcher::{self, watcher};
use kube::{Client, Resource};
use metrics::SharedString;

use super::discover::{Asked, Wanted};
use super::source::{Sight, Source, Step, Steps, api, observation};
use crate::config::{CustomResource, Scope};
use crate::object::{Custom, Kind, Object, written};
use crate::picture::Observation;

/// Objects of one page: of each only its conditions are read.
const PAGE: u32 = 500;

/// The views of a custom kind.
pub(super) struct CustomViews {
    client: Client,
    resource: Arc<CustomResource>,
    kind: Kind,
    scope: Scope,
    asked: Asked,
}

impl CustomViews {
    pub(super) fn new(client: Client, resource: CustomResource, scope: Scope) -> Self {
        let CustomResource { group, version, kind, namespaced, .. } = resource.clone();
        let asked = Asked::new(Wanted { group, version, kind, namespaced });
        let kind = resource.kind();
        Self { client, resource: Arc::new(resource), kind, scope, asked }
    }
}

impl Source for CustomViews {
    type Object = Custom;
    type Told = Observation;

    fn kind(&self) -> SharedString {
        format!("{}.{}", self.resource.kind, self.resource.group).into()
    }

    fn config(&self) -> watcher::Config {
        watcher::Config { page_size: Some(PAGE), ..watcher::Config::default() }
    }

    fn steps(&mut self, config: watcher::Config) -> Steps<Custom> {
        let scope = self.scope.clone();
        self.asked.steps(self.client.clone(), move |client, found| {
            watcher(api::<Custom>(client, found, &scope), config).map(|event| event.map(Step::Event)).boxed()
        })
    }

    fn version<'a>(&self, _: &'a Custom) -> Option<&'a str> {
        None
    }

    fn written(&self, object: &Custom) -> Option<Timestamp> {
        written(object.meta())
    }

    fn tell(&self, sight: Sight<Custom>, scope: &Scope) -> Option<Observation> {
        let whole = |view| Object::Custom(self.resource.clone(), Box::new(view));
        observation(sight, self.kind.clone(), scope, whole)
    }

    fn missing(&self, scope: &Scope) -> Option<String> {
        Some(self.asked.missing("forwarder.custom", scope))
    }
}

#[cfg(test)]
mod tests;
