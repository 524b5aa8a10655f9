//! The runner, put together: every task has an owner here, and the end of one is the end of all.
//!
//! The store and the listener stay from start to end. What lies between them follows the configuration: with a new one its
//! parts end and begin again, as at a restart, and all that they were at is in the store.

mod audit;
mod chronicle;
mod expiry;
mod forwarding;
mod learn;
mod parts;
mod reload;
mod remembered;
mod upkeep;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use marple_agent::Investigator;
use marple_tools::Toolsets;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::{JoinError, JoinSet};
use tokio_util::sync::CancellationToken;

use crate::api::{self, ApiState, Telemetry};
use crate::chat::Answerers;
use crate::clock::Clock;
use crate::config::Config;
use crate::dispatch::Lookout;
use crate::recordings::Recorder;
use crate::route::Routes;
use crate::sinks::Sink;
use crate::store::{SqliteStore, Store};

use parts::Parts;
pub use reload::Reload;

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
    /// Where everything is kept.
    pub store: SqliteStore,
    /// Where signals come in.
    pub listener: TcpListener,
    /// What is measured.
    pub telemetry: Telemetry,
    /// The time.
    pub clock: Clock,
    /// What follows the configuration.
    pub setup: Setup,
    /// Configurations that come later. Where nobody sends any, the first one stays.
    pub reloads: mpsc::Receiver<Reload>,
}

/// What of the service follows the configuration.
pub struct Setup {
    /// The configuration.
    pub config: Config,
    /// What is looked at.
    pub lookout: Lookout,
    /// Ways to look.
    pub toolsets: Toolsets,
    /// Asks a model, where one is set.
    pub investigator: Option<Investigator>,
    /// The same for what people ask: one for each model.
    pub answerers: Answerers,
    /// Watches the cluster for the forwarder, where it runs here.
    pub watched: Option<kube::Client>,
    /// Records incidents, where that is wanted.
    pub recorder: Option<Arc<dyn Recorder>>,
    /// Who is told, by the receivers' names.
    pub sinks: BTreeMap<String, Arc<dyn Sink>>,
    /// Which of them is told of what.
    pub routes: Routes,
}

/// What stays while the parts change.
struct Ground {
    store: Arc<dyn Store>,
    state: ApiState,
    clock: Clock,
    /// When the process began to hear.
    started: Timestamp,
    /// Ends all.
    stop: CancellationToken,
}

type Ended = (&'static str, Result<(), String>);

impl Service {
    /// Runs until cancelled, then lets each part end what it does. An error names the part that ended before.
    pub async fn run(self, cancel: CancellationToken) -> Result<(), ServiceError> {
        let Self { store: file, listener, telemetry, clock, setup, mut reloads } = self;
        let stop = cancel.child_token();
        let store: Arc<dyn Store> = Arc::new(file.clone());
        let token = setup.config.server.token.as_ref();
        let state = ApiState::new(Arc::clone(&store), token, telemetry, Arc::clone(&setup.lookout.redact), []);
        let ground = Ground { store, state: state.clone(), clock, started: clock.now(), stop: stop.clone() };
        let mut parts = Parts::start(setup, &ground);
        metrics::gauge!("marple_config_last_reload_successful").set(1.0);
        let mut lasting = JoinSet::new();
        spawn(&mut lasting, "the listener", api::serve(listener, state, stop.clone()));
        let mut failed = None;
        loop {
            let ended = tokio::select! {
                Some(ended) = lasting.join_next() => ended,
                Some(ended) = parts.ended() => ended,
                Some(reload) = reloads.recv(), if !stop.is_cancelled() => {
                    parts = reload::apply(reload, parts, &ground).await;
                    continue;
                }
                else => break,
            };
            if let Some(fault) = fault(ended, &stop) {
                failed.get_or_insert(fault);
                stop.cancel();
            }
        }
        file.close().await;
        failed.map_or(Ok(()), Err)
    }
}

/// What is wrong with the end of a part: nothing where all were told to end.
fn fault(ended: Result<Ended, JoinError>, stop: &CancellationToken) -> Option<ServiceError> {
    let (part, result) = ended.unwrap_or_else(|error| ("a task", Err(error.to_string())));
    let reason = match result {
        Ok(()) if stop.is_cancelled() => return None,
        Ok(()) => "without being asked to".to_owned(),
        Err(reason) => reason,
    };
    Some(ServiceError { part, reason })
}

fn spawn<E: std::fmt::Display + Send + 'static>(
    parts: &mut JoinSet<Ended>,
    part: &'static str,
    run: impl Future<Output = Result<(), E>> + Send + 'static,
) {
    parts.spawn(async move { (part, run.await.map_err(|error| error.to_string())) });
}
