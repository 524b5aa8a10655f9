//! Reads objects as streams.
//!
//! Each kind is listed once, as a stream where the API server can (else in pages), then watched. A watch that is cut goes on
//! from where it was; one that is too far behind lists again, and what vanished meanwhile is seen as gone.

mod custom;
mod deadline;
mod discover;
mod fault;
mod follow;
mod lag;
mod permission;
mod phase;
#[cfg(test)]
mod script;
mod setback;
mod source;
mod stream;
pub(crate) mod version;
mod view;
mod whole;

use tokio::sync::mpsc::Sender;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use custom::CustomViews;
pub(crate) use deadline::bounded;
pub(crate) use discover::Wanted;
pub(crate) use phase::{PATIENCE, Phase, Phases};
pub(crate) use setback::{Reached, Setback};
use source::{Source, namespaced};
use stream::Watch;
pub(crate) use view::object_of;
use view::{View, Views};
pub(crate) use whole::HistoryWatches;

use crate::ForwarderConfig;
use crate::config::Scope;
use crate::object::{
    ApiService, Autoscaler, Budget, Claim, CronJob, DaemonSet, Deployment, Event, Job, Kind, Namespace, Node, Pod,
    Policy, ReplicaSet, RevisionSecret, Service, StatefulSet, StorageClass, Volume,
};
use crate::picture::Observation;

/// The watches of a cluster, to be started.
pub(crate) struct Watches<'a> {
    pub(crate) client: kube::Client,
    pub(crate) config: &'a ForwarderConfig,
    pub(crate) sender: Sender<Observation>,
    pub(crate) phase: Receiver<Phase>,
    /// Says when all is to be listed again.
    pub(crate) again: Receiver<()>,
    /// Where it is noted how far they have seen.
    pub(crate) reached: Reached,
    pub(crate) cancel: CancellationToken,
    pub(crate) phases: Phases,
}

impl Watches<'_> {
    /// Starts them all as tasks, and gives what has to be listed in which phase. A task ends by cancellation only.
    pub(crate) fn start(mut self, tasks: &mut JoinSet<&'static str>) -> Phases {
        self.cluster::<StorageClass>(tasks);
        self.cluster::<Node>(tasks);
        self.cluster::<Namespace>(tasks);
        self.cluster::<Volume>(tasks);
        self.cluster::<ApiService>(tasks);
        for scope in self.config.namespaces.scopes() {
            self.namespaced::<ReplicaSet>(&scope, tasks);
            self.namespaced::<Job>(&scope, tasks);
            self.namespaced::<Pod>(&scope, tasks);
            self.namespaced::<Deployment>(&scope, tasks);
            self.namespaced::<StatefulSet>(&scope, tasks);
            self.namespaced::<DaemonSet>(&scope, tasks);
            self.namespaced::<Claim>(&scope, tasks);
            self.namespaced::<CronJob>(&scope, tasks);
            self.namespaced::<Service>(&scope, tasks);
            self.namespaced::<Autoscaler>(&scope, tasks);
            self.namespaced::<Budget>(&scope, tasks);
            self.namespaced::<Policy>(&scope, tasks);
            if self.config.conditions.helm_release.enabled {
                self.namespaced::<RevisionSecret>(&scope, tasks);
            }
            self.namespaced::<Event>(&scope, tasks);
        }
        if self.config.conditions.custom_failing.enabled {
            self.custom(tasks);
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
        self.spawn::<V>(namespaced(self.client.clone(), scope), scope.clone(), tasks);
    }

    fn custom(&mut self, tasks: &mut JoinSet<&'static str>) {
        for resource in &self.config.custom {
            let scopes = if resource.namespaced { self.config.namespaces.scopes() } else { vec![Scope::Cluster] };
            for scope in scopes {
                let views = CustomViews::new(self.client.clone(), resource.clone(), scope.clone());
                self.open(views, resource.kind(), "custom resources", scope, tasks);
            }
        }
    }

    fn spawn<V: View>(&mut self, api: kube::Api<V>, scope: Scope, tasks: &mut JoinSet<&'static str>) {
        self.open(Views(api), V::KIND, V::NAME, scope, tasks);
    }

    /// Starts the watch of this kind once its phase has come.
    fn open<S: Source<Told = Observation>>(
        &mut self,
        source: S,
        kind: Kind,
        name: &'static str,
        scope: Scope,
        tasks: &mut JoinSet<&'static str>,
    ) {
        let begins = Phase::of(&kind);
        self.phases.expect(kind, scope.clone());
        let (mut phase, cancel) = (self.phase.clone(), self.cancel.clone());
        let forbidden_retry = self.config.forbidden_retry.duration();
        let watch = Watch::new(source, scope, self.sender.clone(), forbidden_retry, cancel.clone());
        let watch = watch.again_on(self.again.clone()).noting(self.reached.clone());
        tasks.spawn(async move {
            // The sender lives as long as the forwarder: an error means that it ends.
            let opened = async { phase.wait_for(|phase| *phase >= begins).await.is_ok() };
            let opened = tokio::select! {
                () = cancel.cancelled() => false,
                opened = opened => opened,
            };
            if opened {
                watch.run().await;
            }
            name
        });
    }
}
