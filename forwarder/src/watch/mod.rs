//! Reads objects as streams.
//!
//! Each kind is listed once, as a stream where the API server can (else in pages), then watched. A watch that is cut goes on
//! from where it was; one that is too far behind lists again, and what vanished meanwhile is seen as gone.

mod fault;
mod follow;
mod permission;
mod phase;
#[cfg(test)]
mod script;
mod source;
mod stream;
mod view;
mod whole;

use tokio::sync::mpsc::Sender;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

pub(crate) use phase::{PATIENCE, Phase, Phases};
use stream::Watch;
use view::{View, Views};
pub(crate) use whole::HistoryWatches;

use crate::ForwarderConfig;
use crate::config::Scope;
use crate::object::{Claim, DaemonSet, Deployment, Event, Job, Node, Pod, ReplicaSet, StatefulSet, StorageClass};
use crate::picture::Observation;

/// The watches of a cluster, to be started.
pub(crate) struct Watches<'a> {
    pub(crate) client: kube::Client,
    pub(crate) config: &'a ForwarderConfig,
    pub(crate) sender: Sender<Observation>,
    pub(crate) phase: Receiver<Phase>,
    pub(crate) cancel: CancellationToken,
    pub(crate) phases: Phases,
}

impl Watches<'_> {
    /// Starts them all as tasks, and gives what has to be listed in which phase. A task ends by cancellation only.
    pub(crate) fn start(mut self, tasks: &mut JoinSet<&'static str>) -> Phases {
        self.cluster::<StorageClass>(tasks);
        self.cluster::<Node>(tasks);
        for scope in self.config.namespaces.scopes() {
            self.namespaced::<ReplicaSet>(&scope, tasks);
            self.namespaced::<Job>(&scope, tasks);
            self.namespaced::<Pod>(&scope, tasks);
            self.namespaced::<Deployment>(&scope, tasks);
            self.namespaced::<StatefulSet>(&scope, tasks);
            self.namespaced::<DaemonSet>(&scope, tasks);
            self.namespaced::<Claim>(&scope, tasks);
            self.namespaced::<Event>(&scope, tasks);
        }
        self.phases
    }

    fn cluster<V: View>(&mut self, tasks: &mut JoinSet<&'static str>) {
        self.spawn::<V>(kube::Api::all(self.client.clone()), Scope::Cluster, tasks);
    }

    fn namespaced<V: View<Scope = kube::core::NamespaceResourceScope>>(
        &mut self,
        scope: &Scope,
        tasks: &mut JoinSet<&'static str>,
    ) {
        let api = match scope {
            Scope::Cluster => kube::Api::all(self.client.clone()),
            Scope::Namespace(namespace) => kube::Api::namespaced(self.client.clone(), namespace),
        };
        self.spawn::<V>(api, scope.clone(), tasks);
    }

    fn spawn<V: View>(&mut self, api: kube::Api<V>, scope: Scope, tasks: &mut JoinSet<&'static str>) {
        self.phases.expect(V::KIND, scope.clone());
        let (mut phase, cancel) = (self.phase.clone(), self.cancel.clone());
        let forbidden_retry = self.config.forbidden_retry.duration();
        let watch = Watch::new(Views(api), scope, self.sender.clone(), forbidden_retry, cancel.clone());
        tasks.spawn(async move {
            // The sender lives as long as the forwarder: an error means that it ends.
            let opened = async { phase.wait_for(|phase| *phase >= Phase::of(V::KIND)).await.is_ok() };
            let opened = tokio::select! {
                () = cancel.cancelled() => false,
                opened = opened => opened,
            };
            if opened {
                watch.run().await;
            }
            V::KIND.as_str()
        });
    }
}
