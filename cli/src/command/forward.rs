//! `marple forward`: only watches, and delivers to a marple that serves elsewhere.

use std::path::Path;
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

/// The spool where none is named: beside where `serve` has its store.
const SPOOL: &str = "marple-spool.db";

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
        let courier = courier(&arguments, runner).await?;
        let election = arguments.lease.as_deref().map(|name| {
            let namespace = arguments.lease_namespace.as_deref().unwrap_or_else(|| client.default_namespace());
            Election::new(client.clone(), namespace, name, identity())
        });
        let stop = CancellationToken::new();
        let probes = probes(&arguments, stop.clone()).await?;
        let courier = Arc::new(courier);
        let forwarding = Forwarding { config, client, courier: Arc::clone(&courier), watched };
        let forwarding = async {
            match election {
                Some(election) => Box::pin(elected(election, forwarding, cancel)).await,
                None => Box::pin(forwarding.deliver(cancel)).await.map(|_| ()).context("forwarder"),
            }
        };
        let ended = tokio::select! {
            ended = forwarding => ended,
            ended = probes => ended.context("--listen"),
        };
        stop.cancel();
        courier.close().await;
        ended
    };
    match Box::pin(ended).await {
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}

/// What delivers: by way of the disk unless that is not wanted, or was not asked for and can't be.
async fn courier(arguments: &Forward, runner: HttpDeliver) -> anyhow::Result<Courier> {
    if arguments.no_spool {
        return Ok(Courier::direct(runner));
    }
    if let Some(file) = &arguments.spool {
        return Courier::spooling(runner, file, arguments.spool_max).await.context("--spool");
    }
    let spooling = Courier::spooling(runner.clone(), Path::new(SPOOL), arguments.spool_max).await;
    Ok(spooling.unwrap_or_else(|error| {
        tracing::warn!(%error, "there is no spool: name a file that can be written by --spool, or say --no-spool");
        Courier::direct(runner)
    }))
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
        forwarding.courier.lead().await.context("--spool")?;
        let stop = cancel.child_token();
        let mut running = Box::pin(forwarding.deliver(stop.clone()));
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
    /// Forwards until cancelled, and delivers what is spooled as long: what the forwarder leaves at its end goes by the courier
    /// too.
    async fn deliver(self, cancel: CancellationToken) -> anyhow::Result<Self> {
        let (courier, stop) = (Arc::clone(&self.courier), CancellationToken::new());
        let forwarding = async {
            let ended = Box::pin(self.run(cancel)).await;
            stop.cancel();
            ended
        };
        let (ended, ()) = tokio::join!(forwarding, courier.run(stop.clone()));
        ended
    }

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
