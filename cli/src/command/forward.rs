//! `marple forward`: only watches, and delivers to a marple that serves elsewhere.

use std::sync::Arc;

use anyhow::Context;
use marple_core::Period;
use marple_forwarder::{Forwarder, HttpDeliver, Known, RunnerEndpoint};
use marple_runner::config::Config;
use tokio_util::sync::CancellationToken;

use crate::arguments::Forward;
use crate::connect;
use crate::environment::{self, Read};
use crate::exit::Exit;
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
    let deliver = match HttpDeliver::new(&RunnerEndpoint { url: arguments.to, token, timeout: POST_TIMEOUT }) {
        Ok(deliver) => Arc::new(deliver),
        Err(error) => return Exit::Configuration(anyhow::Error::new(error).context("--to")),
    };
    let ended = async {
        let watched = Watched::new(file, digest)?;
        let client = connect::kubernetes(&config.cluster).await?.0;
        Box::pin(forward(config, client, deliver, watched, cancel)).await.context("forwarder")
    };
    match Box::pin(ended).await {
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}

/// Forwards until cancelled; with another configuration it begins anew.
async fn forward(
    config: Config,
    client: kube::Client,
    deliver: Arc<HttpDeliver>,
    mut watched: Watched,
    cancel: CancellationToken,
) -> anyhow::Result<()> {
    let make = async |config: Config| {
        let client = connect::kubernetes(&config.cluster).await?.0;
        Ok((config, client))
    };
    let (mut config, mut client) = (config, client);
    loop {
        let stop = cancel.child_token();
        let known = Some(deliver.clone() as Arc<dyn Known>);
        let forwarder = Forwarder::new(client, config.cluster.name, config.forwarder, deliver.clone(), known)
            .with_history(deliver.clone());
        let mut running = std::pin::pin!(forwarder.run(stop.clone()));
        loop {
            tokio::select! {
                ended = &mut running => return Ok(ended?),
                next = watched.next(&make) => match next {
                    Ok(next) => {
                        (config, client) = next;
                        break;
                    }
                    Err(error) => tracing::error!("the new configuration can't be used; the one before stays: {error:#}"),
                },
            }
        }
        stop.cancel();
        running.await?;
        tracing::info!("another configuration is used from now on");
    }
}
