//! Kinds of which the API server is asked how it has them.

use std::sync::{Arc, OnceLock};

use futures::stream::{self, StreamExt, TryStreamExt};
use kube::Client;
use kube::core::gvk::GroupVersionKind;
use kube::core::{ApiResource, Status};
use kube::discovery::{self, ApiCapabilities};
use kube::runtime::watcher;

use super::fault::Fault;
use super::permission::missing;
use super::source::{Step, Steps};
use crate::config::Scope;

/// A kind of which the API server is asked.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    pub(crate) group: String,
    /// Nothing for the one that the API server prefers.
    pub(crate) version: Option<String>,
    pub(crate) kind: String,
    pub(crate) namespaced: bool,
}

/// A kind of which the API server is asked, and what it has said.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    wanted: Arc<Wanted>,
    /// The name of its resource, once the API server has told it.
    pub(super) plural: Arc<OnceLock<String>>,
}

impl Asked {
    pub(super) fn new(wanted: Wanted) -> Self {
        Self { wanted: Arc::new(wanted), plural: Arc::default() }
    }

    /// What `open` sees of the kind. It is asked for each time, for a definition may come, go or change its version; after a
    /// refusal the stream ends, so that it is asked for again.
    pub(super) fn steps<O: Send + 'static>(
        &self,
        client: Client,
        open: impl FnOnce(Client, &ApiResource) -> Steps<O> + Send + 'static,
    ) -> Steps<O> {
        let Self { wanted, plural } = self.clone();
        let found = async move {
            let found = find(&client, &wanted).await.map_err(watcher::Error::InitialListFailed)?;
            plural.get_or_init(|| found.plural.clone());
            Ok(open(client, &found))
        };
        let steps = stream::once(found).try_flatten().boxed();
        let until_refused = stream::unfold(Some(steps), |steps: Option<Steps<O>>| async {
            let mut steps = steps?;
            let step: watcher::Result<Step<O>> = steps.next().await?;
            let refused = step.as_ref().is_err_and(is_refusal);
            Some((step, (!refused).then_some(steps)))
        });
        until_refused.boxed()
    }

    /// What is missing where it can't be watched, for who mends it; `setting` names where the kind is wanted.
    pub(super) fn missing(&self, setting: &str, scope: &Scope) -> String {
        let Wanted { group, version, kind, namespaced } = &*self.wanted;
        let Some(plural) = self.plural.get() else {
            let version = version.as_deref().map(|version| format!(" in version {version}")).unwrap_or_default();
            return format!(
                "{kind} of {setting} can't be watched: the API server has none in group {group}{version} that is{} in \
                 namespaces; is its definition installed?",
                if *namespaced { "" } else { " not" }
            );
        };
        missing(group, plural, scope)
    }
}

/// How the API server names this kind.
async fn find(client: &Client, wanted: &Wanted) -> kube::Result<ApiResource> {
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
fn absent(wanted: &Wanted) -> kube::Error {
    let message = format!("no {} in {}", wanted.kind, wanted.group);
    kube::Error::Api(Status::failure(&message, "NotFound").with_code(404).boxed())
}

fn is_refusal(error: &watcher::Error) -> bool {
    matches!(Fault::of(error, false), Fault::Forbidden | Fault::NotServed)
}
