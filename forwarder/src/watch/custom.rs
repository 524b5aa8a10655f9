//! Custom resources, whose API is asked for first.

use std::sync::{Arc, OnceLock};

use futures::stream::{self, StreamExt, TryStreamExt};
use kube::Client;
use kube::core::gvk::GroupVersionKind;
use kube::core::{ApiResource, Status};
use kube::discovery::{self, ApiCapabilities};
use kube::runtime::watcher::{self, watcher};
use metrics::SharedString;

use super::fault::Fault;
use super::permission::missing;
use super::source::{Sight, Source, Step, Steps, api, observation};
use crate::config::{CustomResource, Scope};
use crate::object::{Custom, Kind, Object};
use crate::picture::Observation;

/// Objects of one page: of each only its conditions are read.
const PAGE: u32 = 500;

/// The views of a custom kind.
pub(super) struct CustomViews {
    client: Client,
    resource: Arc<CustomResource>,
    kind: Kind,
    scope: Scope,
    /// The name of its resource, once the API server has told it.
    plural: Arc<OnceLock<String>>,
}

impl CustomViews {
    pub(super) fn new(client: Client, resource: CustomResource, scope: Scope) -> Self {
        let kind = resource.kind();
        Self { client, resource: Arc::new(resource), kind, scope, plural: Arc::default() }
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

    /// Asks for the API each time, for a definition may come, go or change its version.
    fn steps(&mut self, config: watcher::Config) -> Steps<Custom> {
        let (client, resource, scope) = (self.client.clone(), self.resource.clone(), self.scope.clone());
        let plural = self.plural.clone();
        let found = async move {
            let found = find(&client, &resource).await.map_err(watcher::Error::InitialListFailed)?;
            plural.get_or_init(|| found.plural.clone());
            Ok(watcher(api::<Custom>(client, &found, &scope), config))
        };
        let events = stream::once(found).try_flatten().boxed();
        // After a refusal the stream ends, so that the API is asked for again.
        let until_refused = stream::unfold(Some(events), |events| async {
            let mut events = events?;
            let event = events.next().await?;
            let refused = event.as_ref().is_err_and(is_refusal);
            Some((event.map(Step::Event), (!refused).then_some(events)))
        });
        until_refused.boxed()
    }

    fn tell(&self, sight: Sight<Custom>, scope: &Scope) -> Option<Observation> {
        let whole = |view| Object::Custom(self.resource.clone(), Box::new(view));
        observation(sight, self.kind.clone(), scope, whole)
    }

    fn missing(&self, scope: &Scope) -> Option<String> {
        let CustomResource { group, kind, version, .. } = &*self.resource;
        let Some(plural) = self.plural.get() else {
            let version = version.as_deref().map(|version| format!(" in version {version}")).unwrap_or_default();
            return Some(format!(
                "{kind} of forwarder.custom can't be watched: the API server has none in group {group}{version} that \
                 is{} in namespaces; is its definition installed?",
                if self.resource.namespaced { "" } else { " not" }
            ));
        };
        Some(missing(group, plural, scope))
    }
}

/// How the API server names this kind.
async fn find(client: &Client, wanted: &CustomResource) -> kube::Result<ApiResource> {
    let found = match &wanted.version {
        Some(version) => {
            let kind = GroupVersionKind::gvk(&wanted.group, version, &wanted.kind);
            discovery::pinned_kind(client, &kind).await.map(Some)
        }
        None => discovery::group(client, &wanted.group).await.map(|group| group.recommended_kind(&wanted.kind)),
    };
    match found {
        Ok(Some((resource, capabilities))) if is_namespaced(&capabilities) == wanted.namespaced => Ok(resource),
        Ok(_) | Err(kube::Error::Discovery(_)) => Err(absent(wanted)),
        Err(error) => Err(error),
    }
}

fn is_namespaced(capabilities: &ApiCapabilities) -> bool {
    matches!(capabilities.scope, discovery::Scope::Namespaced)
}

/// As the API server itself says it of a kind that it doesn't serve.
fn absent(wanted: &CustomResource) -> kube::Error {
    let message = format!("no {} in {}", wanted.kind, wanted.group);
    kube::Error::Api(Status::failure(&message, "NotFound").with_code(404).boxed())
}

fn is_refusal(error: &watcher::Error) -> bool {
    matches!(Fault::of(error, false), Fault::Forbidden | Fault::NotServed)
}

#[cfg(test)]
mod tests;
