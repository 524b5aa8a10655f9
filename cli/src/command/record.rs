//! `marple record`: keeps an incident of the cluster as a bundle.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, ensure};
use jiff::{SignedDuration, Timestamp};
use marple_core::{Change, Incident, Member};
use marple_evals::bundle::Omission;
use marple_evals::record::{self, Limits, told};
use marple_evals::{Bundle, RecordOptions};
use marple_runner::recordings::BEFORE;
use marple_runner::store::Concluded;
use reqwest::Method;
use serde::Deserialize;
use tokio_util::sync::CancellationToken;

use super::incident::plain;
use super::investigate::configured;
use crate::arguments::{Record, Server};
use crate::connect;
use crate::exit::Exit;
use crate::server::ask;

/// How far back metrics and changes go where nobody says.
const SINCE: SignedDuration = SignedDuration::from_hours(1);

/// The most changes that are asked for at once.
const CHANGES: usize = 500;

pub(super) async fn run(arguments: Record, cancel: CancellationToken) -> Exit {
    match recorded(&arguments, &cancel).await {
        Ok(bundle) => {
            println!("{}: {} bytes", arguments.out.display(), size(&arguments.out));
            let missing = bundle.kubernetes.missing();
            if !missing.is_empty() {
                println!("Not recorded, for the API server refuses it: {}.", missing.join("; "));
            }
            for Omission { what, why } in &bundle.manifest.omissions {
                println!("Not whole: {what}: {why}.");
            }
            Exit::Done
        }
        Err(_) if cancel.is_cancelled() => Exit::Interrupted,
        Err(error) => Exit::Failed(error),
    }
}

/// Records what the arguments say, into the file that they name.
pub(super) async fn recorded(arguments: &Record, cancel: &CancellationToken) -> anyhow::Result<Bundle> {
    let config = configured(&arguments.reach())?;
    let sight = connect::sight(&config).await?;
    let now = Timestamp::now();
    let mut namespaces: BTreeSet<String> = arguments.namespaces.iter().cloned().collect();
    let server = arguments.server();
    let known = match (&server, &arguments.incident) {
        (Some(server), Some(id)) => Some(Known::of(server, id).await?),
        _ => None,
    };
    if let Some(Known { incident, conclusion, .. }) = &known {
        let conclusion = conclusion.as_ref().map(|concluded| &concluded.conclusion);
        namespaces.extend(incident.namespaces(conclusion));
        ensure!(
            !namespaces.is_empty(),
            "incident {} names no namespace: give those to record with --namespace",
            incident.id.short()
        );
    }
    let client = sight.client.context("no cluster is configured (`cluster.enabled`)")?;
    if namespaces.is_empty() {
        namespaces = record::namespaces(&client).await?;
    }
    let since = match (&arguments.since, &known) {
        (Some(since), _) => now.checked_sub(SignedDuration::try_from(since.duration()).context("--since")?)?,
        (None, Some(known)) => known.incident.starts_at.checked_sub(BEFORE)?,
        (None, None) => now.checked_sub(SINCE)?,
    };
    let changes = match &server {
        Some(server) => changes(server, &namespaces, since, now).await?,
        None => Vec::new(),
    };
    let members = known.map(|known| known.members).unwrap_or_default();
    let options = RecordOptions {
        client,
        cluster: config.cluster.name.clone(),
        prometheus: sight.lookout.prometheus,
        alertmanager_url: arguments.alertmanager.clone(),
        namespaces,
        since,
        watch: arguments.watch.duration(),
        traces: sight.traces,
        payloads: told::payloads(&members),
        signals: told::signals(&members),
        changes,
        limits: Limits { time: arguments.time.duration(), all_logs: arguments.logs << 20, ..Limits::default() },
    };
    let bundle = record::record(options, sight.redact.as_ref(), &|what| eprintln!("  … {what}"), cancel).await?;
    bundle.write(&arguments.out)?;
    Ok(bundle)
}

/// An incident as a marple that serves tells it.
#[derive(Deserialize)]
struct Known {
    incident: Incident,
    members: Vec<Member>,
    conclusion: Option<Concluded>,
}

impl Known {
    async fn of(server: &Server, id: &str) -> anyhow::Result<Self> {
        let told = ask(server, Method::GET, &format!("/api/incidents/{}", plain(id)), None).await?;
        serde_json::from_value(told).context("the answer is no incident")
    }
}

#[derive(Deserialize)]
struct Page {
    changes: Vec<Change>,
    more: bool,
}

/// What changed in the namespaces and in what has none, as the marple that serves has kept it.
async fn changes(
    server: &Server,
    namespaces: &BTreeSet<String>,
    since: Timestamp,
    now: Timestamp,
) -> anyhow::Result<Vec<Change>> {
    let mut all = Vec::new();
    for namespace in namespaces {
        let mut until = now;
        loop {
            let path = format!("/api/changes?namespace={namespace}&since={since}&until={until}&limit={CHANGES}");
            let page = ask(server, Method::GET, &path, None).await?;
            let Page { changes, more } = serde_json::from_value(page).context("the answer is no list of changes")?;
            let earliest = changes.iter().map(|change| change.at).min();
            all.extend(changes);
            match earliest {
                // Those of the same moment are told again, and kept once.
                Some(earliest) if more && earliest < until => until = earliest,
                _ => break,
            }
        }
    }
    Ok(told::history(all))
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map(|data| data.len()).unwrap_or_default()
}
