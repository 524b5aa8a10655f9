//! `marple serve`: everything in one process.

use std::sync::Arc;

use anyhow::Context;
use marple_runner::api::Telemetry;
use marple_runner::clock::Clock;
use marple_runner::config::Config;
use marple_runner::recordings::Recorder;
use marple_runner::service::{Reload, Service, Setup};
use marple_runner::sinks;
use marple_runner::store::SqliteStore;
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::arguments::Serve;
use crate::connect::{self, Sight};
use crate::environment::{self, Read};
use crate::exit::{Exit, words};
use crate::recorder::Bundles;
use crate::reload::Watched;

pub(super) async fn run(arguments: Serve, cancel: CancellationToken) -> Exit {
    let file = arguments.config.as_deref();
    let Read { config, digest } = match environment::read(file) {
        Ok(read) => read,
        Err(error) => return Exit::Configuration(error),
    };
    let ended = async {
        let watched = Watched::new(file, digest)?;
        let started = config.clone();
        let (sender, reloads) = mpsc::channel(1);
        let setup = setup(config, connect::sight(&started).await?)?;
        let service = service(setup, Clock::system(), reloads).await?;
        tokio::select! {
            ended = service.run(cancel) => ended?,
            () = reload(watched, &started, sender) => {}
        }
        anyhow::Ok(())
    };
    match Box::pin(ended).await {
        // Being stopped is how serving ends.
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}

/// Sends each later configuration, as long as somebody takes them.
async fn reload(mut watched: Watched, started: &Config, sender: mpsc::Sender<Reload>) {
    let make = async |config: Config| {
        let (config, needs_restart) = config.onto(started)?;
        let sight = connect::sight(&config).await?;
        Ok(Reload::Ready { setup: Box::new(setup(config, sight)?), needs_restart })
    };
    loop {
        let next = watched.next(&make).await;
        let next = next.unwrap_or_else(|error| Reload::Refused { why: words(&error) });
        if sender.send(next).await.is_err() {
            // The service is at its end, which it tells itself.
            std::future::pending::<()>().await;
        }
    }
}

/// What follows the configuration.
pub(super) fn setup(config: Config, sight: Sight) -> anyhow::Result<Setup> {
    let http = sinks::client().context("a client of the sinks")?;
    let mut receivers = std::collections::BTreeMap::new();
    for (name, receiver) in &config.receivers {
        receivers.insert(name.clone(), sinks::build(name, receiver, &http)?);
    }
    let investigators = connect::investigators(&config)?;
    let (investigator, answerers) = investigators.map(|all| (all.incidents, all.answerers)).unzip();
    Ok(Setup {
        routes: config.routes()?,
        investigator,
        answerers: answerers.unwrap_or_default(),
        recorder: recorder(&config, &sight),
        watched: sight.client.filter(|_| config.forwarder.enabled),
        config,
        lookout: sight.lookout,
        toolsets: sight.toolsets,
        sinks: receivers,
    })
}

/// Records incidents, where the configuration says so and there is a cluster.
fn recorder(config: &Config, sight: &Sight) -> Option<Arc<dyn Recorder>> {
    let (wanted, client) = (config.recordings.as_ref()?, sight.client.clone()?);
    Some(Arc::new(Bundles {
        client,
        cluster: config.cluster.name.clone(),
        prometheus: sight.lookout.prometheus.clone(),
        alertmanager: wanted.alertmanager.clone(),
        traces: sight.traces.clone(),
        redact: Arc::clone(&sight.redact),
    }))
}

/// Wires the service; nothing runs yet, but the listener takes connections from here on.
pub(super) async fn service(setup: Setup, clock: Clock, reloads: mpsc::Receiver<Reload>) -> anyhow::Result<Service> {
    let config = &setup.config;
    let store = SqliteStore::open(&config.store.path).await?;
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("server.listen: {}", config.server.listen))?;
    tracing::info!(listen = %listener.local_addr()?, cluster = config.cluster.name, model = config.model.is_some(), "serving");
    Ok(Service { store, listener, telemetry: Telemetry::install(), clock, setup, reloads })
}
