//! Prints what the forwarder tells of the cluster of the current context, one JSON object a line, until interrupted.
//! Optional arguments are the namespaces to watch.
#![allow(missing_docs)]

use std::sync::Arc;

use anyhow::Context;
use marple_core::Signal;
use marple_forwarder::{Deliver, DeliverError, Forwarder, ForwarderConfig};
use tokio_util::sync::CancellationToken;
use tracing_subscriber::EnvFilter;

struct Stdout;

#[async_trait::async_trait]
impl Deliver for Stdout {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        for signal in signals {
            let line = serde_json::to_string(&signal).map_err(|error| DeliverError::Refused(error.to_string()))?;
            println!("{line}");
        }
        Ok(())
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(EnvFilter::from_default_env()).with_writer(std::io::stderr).init();
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = kube::Client::try_default().await.context("the cluster of the current context")?;
    let namespaces: Vec<String> = std::env::args().skip(1).collect();
    let mut config = ForwarderConfig::default();
    if !namespaces.is_empty() {
        config.namespaces = serde_json::from_value(serde_json::json!({ "include": namespaces }))?;
    }
    let cancel = CancellationToken::new();
    let interrupted = cancel.clone();
    tokio::spawn(async move {
        tokio::signal::ctrl_c().await.ok();
        interrupted.cancel();
    });
    Forwarder::new(client, "kubernetes", config, Arc::new(Stdout), None).run(cancel).await?;
    Ok(())
}
