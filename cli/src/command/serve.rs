//! `marple serve`: everything in one process.

use anyhow::Context;
use marple_runner::api::Telemetry;
use marple_runner::clock::Clock;
use marple_runner::config::Config;
use marple_runner::service::Service;
use marple_runner::sinks;
use marple_runner::store::SqliteStore;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::arguments::Serve;
use crate::connect::{self, Sight};
use crate::environment;
use crate::exit::Exit;

pub(super) async fn run(arguments: Serve, cancel: CancellationToken) -> Exit {
    let config = match environment::configuration(arguments.config.as_deref()) {
        Ok(config) => config,
        Err(error) => return Exit::Configuration(error),
    };
    let ended = async {
        let sight = connect::sight(&config).await?;
        let service = service(config, sight, Clock::system()).await?;
        service.run(cancel).await?;
        anyhow::Ok(())
    };
    match ended.await {
        // Being stopped is how serving ends.
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}

/// Wires the service; nothing runs yet, but the listener takes connections from here on.
pub(super) async fn service(config: Config, sight: Sight, clock: Clock) -> anyhow::Result<Service> {
    let store = SqliteStore::open(&config.store.path).await?;
    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("server.listen: {}", config.server.listen))?;
    let http = sinks::client().context("a client of the sinks")?;
    let mut receivers = std::collections::BTreeMap::new();
    for (name, receiver) in &config.receivers {
        receivers.insert(name.clone(), sinks::build(name, receiver, &http)?);
    }
    tracing::info!(listen = %listener.local_addr()?, cluster = config.cluster.name, model = config.model.is_some(), "serving");
    Ok(Service {
        routes: config.routes()?,
        investigator: connect::investigator(&config)?,
        watched: sight.client.filter(|_| config.forwarder.enabled),
        config,
        store,
        listener,
        lookout: sight.lookout,
        tools: sight.tools,
        sinks: receivers,
        telemetry: Telemetry::install(),
        clock,
    })
}
