//! The runner, put together: every task has an owner here, and the end of one is the end of all.

mod audit;
mod forwarding;
mod learn;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::Arc;

use marple_agent::Investigator;
use marple_core::Secret;
use marple_forwarder::Forwarder;
use marple_tools::Tool;
use marple_tools::gate::Gate;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::api::{self, ApiState, Telemetry};
use crate::clock::Clock;
use crate::config::Config;
use crate::correlate::{ClusterOwners, Correlator, NoOwners, Owners};
use crate::dispatch::{Detective, Dispatcher, Lookout, StoredViews};
use crate::outbox::Deliveries;
use crate::render::Links;
use crate::route::Routes;
use crate::sinks::Sink;
use crate::store::{Outbox, Signals, SqliteStore, Store, Upkeep};

/// A part without which the program can't go on has ended.
#[derive(Debug, thiserror::Error)]
#[error("{part} ended: {reason}")]
pub struct ServiceError {
    /// Which.
    pub part: &'static str,
    /// Why.
    pub reason: String,
}

/// What the service is made of.
pub struct Service {
    /// The configuration.
    pub config: Config,
    /// Where everything is kept.
    pub store: SqliteStore,
    /// Where signals come in.
    pub listener: TcpListener,
    /// What is looked at.
    pub lookout: Lookout,
    /// Ways to look.
    pub tools: Vec<Arc<dyn Tool>>,
    /// Asks a model, where one is set.
    pub investigator: Option<Investigator>,
    /// Watches the cluster for the forwarder, where it runs here.
    pub watched: Option<kube::Client>,
    /// Who is told, by the receivers' names.
    pub sinks: BTreeMap<String, Arc<dyn Sink>>,
    /// Which of them is told of what.
    pub routes: Routes,
    /// What is measured.
    pub telemetry: Telemetry,
    /// The time.
    pub clock: Clock,
}

type Ended = (&'static str, Result<(), String>);

impl Service {
    /// Runs until cancelled, then lets each part end what it does. An error names the part that ended before.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), ServiceError> {
        let stop = cancel.child_token();
        let store = self.store.clone();
        let mut parts = self.start(&stop);
        let mut failed = None;
        while let Some(ended) = parts.join_next().await {
            let (part, result) = match ended {
                Ok(ended) => ended,
                Err(error) => ("a task", Err(error.to_string())),
            };
            let reason = match result {
                Ok(()) if stop.is_cancelled() => continue,
                Ok(()) => "without being asked to".to_owned(),
                Err(reason) => reason,
            };
            failed.get_or_insert(ServiceError { part, reason });
            stop.cancel();
        }
        store.close().await;
        failed.map_or(Ok(()), Err)
    }

    fn start(self, stop: &CancellationToken) -> JoinSet<Ended> {
        let Self { config, store, listener, lookout, tools, investigator, watched, sinks, routes, telemetry, clock } =
            self;
        let store: Arc<dyn Store> = Arc::new(store);
        let changed = Arc::new(Notify::new());
        let mut parts = JoinSet::new();

        let owners: Arc<dyn Owners> = match &lookout.cluster {
            Some(cluster) => Arc::new(ClusterOwners::new(cluster.clone())),
            None => Arc::new(NoOwners),
        };
        let (correlator, teacher) =
            Correlator::new(Arc::clone(&store), owners, config.incidents.clone(), Arc::clone(&changed), clock);
        let alive = correlator.alive();
        spawn(&mut parts, "correlation", correlator.run(stop.clone()));

        let redact = Arc::clone(&lookout.redact);
        let signals: Arc<dyn Signals> = store.clone();
        if let Some(client) = watched {
            let here = Arc::new(forwarding::InProcess { signals, redact: Arc::clone(&redact), clock });
            let forwarder = Forwarder::new(client, config.forwarder.clone(), here.clone(), Some(here));
            spawn(&mut parts, "the forwarder", forwarder.run(stop.clone()));
        }

        let model = investigator.is_some();
        let detective = investigator.map(|investigator| {
            Arc::new(Detective {
                store: Arc::clone(&store),
                investigator,
                tools,
                redact: Arc::clone(&lookout.redact),
                gate: Gate::new(config.gate.clone()),
                audit: Arc::new(audit::StoredAudit(store.clone())),
                tool_timeout: config.investigation.tool_timeout.duration(),
                cluster_name: config.cluster.name.clone(),
                clock,
            })
        });
        let dispatcher = Dispatcher {
            store: Arc::clone(&store),
            lookout,
            detective,
            routes,
            learn: Arc::new(teacher),
            config: config.investigation.clone(),
            changed,
            clock,
        };
        spawn(&mut parts, "the work on incidents", dispatcher.run(stop.clone()));

        let links = Links { base_url: config.server.base_url.clone() };
        let views = StoredViews { store: Arc::clone(&store), cluster: config.cluster.name.clone(), links, model };
        let outbox: Arc<dyn Outbox> = store.clone();
        let deliveries = Deliveries::new(outbox, sinks, Arc::new(views), config.delivery.clone());
        spawn(&mut parts, "delivery", deliveries.run(stop.clone()));

        let kept: Arc<dyn Upkeep> = store.clone();
        spawn(&mut parts, "retention", upkeep::run(kept, config.store.retention, clock, stop.clone()));

        let token: Option<&Secret> = config.server.token.as_ref();
        let state = ApiState::new(store, token, telemetry, redact, [("correlation", alive)]);
        spawn(&mut parts, "the listener", api::serve(listener, state, stop.clone()));
        parts
    }
}

fn spawn<E: std::fmt::Display + Send + 'static>(
    parts: &mut JoinSet<Ended>,
    part: &'static str,
    run: impl Future<Output = Result<(), E>> + Send + 'static,
) {
    parts.spawn(async move { (part, run.await.map_err(|error| error.to_string())) });
}
