//! `marple forward`: only watches, and delivers to a marple that serves elsewhere.

use std::sync::Arc;

use anyhow::Context;
use marple_core::Period;
use marple_forwarder::{Courier, Election, Forwarder, HttpDeliver, Known, RunnerEndpoint};
use marple_runner::api::{Telemetry, serve_probes};
use marple_runner::config::Config;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::arguments::Forward;
use crate::connect;
use crate::environment::{self, Read};
use crate::exit::{Exit, words};
use crate::reload::Watched;

/// How long one post to the runner may take.
const POST_TIMEOUT: Period = Period::seconds(10);

pub(super) async fn run(arguments: Forward, cancel: CancellationToken) -> Exit {
    let file = arguments.config.as_deref();
    let Read { config, digest } = match environment::read(file) {
        Ok(read) => read,
        Err(error) => return Exit::Configuration(error),
    };
    let token = match environment::token(arguments.token_file.as_deref()) {
        Ok(token) => token,
        Err(error) => return Exit::Configuration(error),
    };
    let url = arguments.to.clone();
    let runner = match HttpDeliver::new(&RunnerEndpoint { url, token, timeout: POST_TIMEOUT }) {
        Ok(runner) => runner,
        Err(error) => return Exit::Configuration(anyhow::Error::new(error).context("--to")),
    };
    let ended = async {
        let watched = Watched::new(file, digest)?;
        let client = connect::kubernetes(&config.cluster).await?.0;
        let courier = match &arguments.spool {
            Some(file) => Courier::spooling(runner, file, arguments.spool_max).await.context("--spool")?,
            None => Courier::direct(runner),
        };
        let election = arguments.lease.as_deref().map(|name| {
            let namespace = arguments.lease_namespace.as_deref().unwrap_or_else(|| client.default_namespace());
            Election::new(client.clone(), namespace, name, identity())
        });
        // Ends after the forwarder: what that leaves at its end goes by the courier too.
        let stop = CancellationToken::new();
        let probes = probes(&arguments, stop.clone()).await?;
        let courier = Arc::new(courier);
        let emptying = tokio::spawn({
            let (courier, stop) = (Arc::clone(&courier), stop.clone());
            async move { courier.run(stop).await }
        });
        let forwarding = Forwarding { config, client, courier, watched };
        let forwarding = async {
            match election {
                Some(election) => Box::pin(elected(election, forwarding, cancel)).await,
                None => Box::pin(forwarding.run(cancel)).await.map(|_| ()).context("forwarder"),
            }
        };
        let ended = tokio::select! {
            ended = forwarding => ended,
            ended = probes => ended.context("--listen"),
        };
        stop.cancel();
        emptying.await.context("the spool")?;
        ended
    };
    match Box::pin(ended).await {
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}

/// A name that no other process has: of a pod its own, with what tells its restarts apart.
fn identity() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "marple".to_owned());
    format!("{host}_{}", Uuid::now_v7().simple())
}

/// Serves what the process shows of itself, where that is wanted.
async fn probes(
    arguments: &Forward,
    cancel: CancellationToken,
) -> anyhow::Result<impl Future<Output = std::io::Result<()>>> {
    let serving = match arguments.listen {
        Some(address) => {
            let listener = TcpListener::bind(address).await.with_context(|| format!("--listen {address}"))?;
            Some((listener, Telemetry::install()))
        }
        None => None,
    };
    Ok(async move {
        match serving {
            Some((listener, telemetry)) => serve_probes(listener, telemetry, cancel).await,
            None => std::future::pending().await,
        }
    })
}

/// Forwards while it leads, and stands by while another does.
async fn elected(mut election: Election, mut forwarding: Forwarding, cancel: CancellationToken) -> anyhow::Result<()> {
    while election.win(&cancel).await {
        let stop = cancel.child_token();
        let mut running = Box::pin(forwarding.run(stop.clone()));
        let ended = tokio::select! {
            ended = &mut running => ended,
            () = election.hold(&stop) => {
                stop.cancel();
                running.await
            }
        };
        forwarding = ended.context("forwarder")?;
    }
    election.resign().await;
    Ok(())
}

/// A forwarder and what it needs.
struct Forwarding {
    config: Config,
    client: kube::Client,
    courier: Arc<Courier>,
    watched: Watched,
}

impl Forwarding {
    /// Forwards until cancelled; with another configuration it begins anew.
    async fn run(mut self, cancel: CancellationToken) -> anyhow::Result<Self> {
        let make = async |config: Config| {
            let client = connect::kubernetes(&config.cluster).await?.0;
            Ok((config, client))
        };
        loop {
            let stop = cancel.child_token();
            let known = Some(Arc::clone(&self.courier) as Arc<dyn Known>);
            let (config, client, courier) = (self.config.clone(), self.client.clone(), Arc::clone(&self.courier));
            let forwarder = Forwarder::new(client, config.cluster.name, config.forwarder, courier, known)
                .with_history(self.courier.clone())
                .with_topology(self.courier.clone());
            let mut running = std::pin::pin!(forwarder.run(stop.clone()));
            loop {
                tokio::select! {
                    ended = &mut running => {
                        ended?;
                        return Ok(self);
                    }
                    next = self.watched.next(&make) => match next {
                        Ok(next) => {
                            (self.config, self.client) = next;
                            break;
                        }
                        Err(error) => tracing::error!("the new configuration can't be used; the one before stays: {}", words(&error)),
                    },
                }
            }
            stop.cancel();
            running.await?;
            tracing::info!("another configuration is used from now on");
        }
    }
}
