//! `marple forward`: only watches, and delivers to a marple that serves elsewhere.

use std::sync::Arc;

use anyhow::Context;
use marple_core::Period;
use marple_forwarder::{Forwarder, HttpDeliver, RunnerEndpoint};
use tokio_util::sync::CancellationToken;

use crate::arguments::Forward;
use crate::exit::Exit;
use crate::{connect, environment};

/// How long one post to the runner may take.
const POST_TIMEOUT: Period = Period::seconds(10);

pub(super) async fn run(arguments: Forward, cancel: CancellationToken) -> Exit {
    let config = match environment::configuration(arguments.config.as_deref()) {
        Ok(config) => config,
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
    let client = match connect::kubernetes(&config.cluster).await {
        Ok((client, _)) => client,
        Err(error) => return Exit::Failed(error),
    };
    match Forwarder::new(client, config.forwarder, deliver.clone(), Some(deliver))
        .run(cancel)
        .await
        .context("forwarder")
    {
        Ok(()) => Exit::Done,
        Err(error) => Exit::Failed(error),
    }
}
