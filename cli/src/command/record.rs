//! `marple record`: keeps an incident of the cluster as a bundle.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use marple_evals::record::Limits;
use marple_evals::{RecordOptions, record};
use tokio_util::sync::CancellationToken;

use super::investigate::configured;
use crate::arguments::Record;
use crate::connect;
use crate::exit::Exit;

pub(super) async fn run(arguments: Record, cancel: CancellationToken) -> Exit {
    let config = match configured(&arguments.reach) {
        Ok(config) => config,
        Err(error) => return Exit::Configuration(error),
    };
    let recorded = async {
        let sight = connect::sight(&config).await?;
        let now = Timestamp::now();
        let since = SignedDuration::try_from(arguments.since.duration()).context("--since")?;
        let options = RecordOptions {
            client: sight.client.context("no cluster is configured (`cluster.enabled`)")?,
            cluster: config.cluster.name.clone(),
            prometheus_url: config.prometheus.as_ref().map(|prometheus| prometheus.url.to_string()),
            alertmanager_url: arguments.alertmanager.clone(),
            namespaces: arguments.namespaces.iter().cloned().collect::<BTreeSet<_>>(),
            since: now.checked_sub(since).context("--since")?,
            now,
            payloads: Vec::new(),
            changes: Vec::new(),
            limits: Limits::default(),
        };
        let bundle = record(options, sight.redact.as_ref(), &|what| eprintln!("  … {what}"), &cancel).await?;
        bundle.write(&arguments.file)?;
        anyhow::Ok(bundle.kubernetes.missing())
    };
    match recorded.await {
        Ok(missing) => {
            println!("{}: {} bytes", arguments.file.display(), size(&arguments.file));
            if !missing.is_empty() {
                println!("Not recorded, for the API server refuses it: {}.", missing.join("; "));
            }
            Exit::Done
        }
        Err(_) if cancel.is_cancelled() => Exit::Interrupted,
        Err(error) => Exit::Failed(error),
    }
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map(|data| data.len()).unwrap_or_default()
}
