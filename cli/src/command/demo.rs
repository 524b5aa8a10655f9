//! `marple demo`: a recorded outage goes through the whole program.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, ensure};
use marple_core::{IncidentStatus, Period};
use marple_evals::{Bundle, Replay, ReplayOptions, demo_bundle};
use marple_runner::clock::Clock;
use marple_runner::config::Config;
use marple_runner::dispatch::StoredViews;
use marple_runner::outbox::Views;
use marple_runner::render::{self, Links, Stage, View};
use marple_runner::sinks::Payload;
use marple_runner::store::{IncidentFilter, Incidents, SqliteStore};
use serde_json::json;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{investigate, serve};
use crate::arguments::Demo;
use crate::exit::Exit;
use crate::{connect, environment};

/// The wait for what belongs together: the recorded webhooks come all at once.
const GROUP_WAIT: Duration = Duration::from_secs(2);

/// How long the demo may take without a model, and with one.
const PATIENCE: Duration = Duration::from_mins(1);
const PATIENCE_WITH_MODEL: Duration = Duration::from_mins(10);

/// How often it is looked whether the incident is explained.
const GLANCE: Duration = Duration::from_millis(50);

pub(super) async fn run(arguments: Demo, cancel: CancellationToken) -> Exit {
    // It holds the whole configuration.
    match Box::pin(replayed(&cancel)).await {
        Ok(views) => {
            for view in &views {
                if arguments.json {
                    match serde_json::to_string_pretty(&Payload::of(view, "demo")) {
                        Ok(text) => println!("{text}"),
                        Err(error) => return Exit::Failed(error.into()),
                    }
                } else {
                    println!("{}\n", render::terminal(view, environment::width(), environment::colour()));
                }
            }
            Exit::Done
        }
        Err(_) if cancel.is_cancelled() => Exit::Interrupted,
        Err(error) => Exit::Failed(error),
    }
}

/// Serves the recording, runs the program over it, posts what Alertmanager posted, and waits for the explanation.
async fn replayed(cancel: &CancellationToken) -> anyhow::Result<Vec<View>> {
    let bundle = Arc::new(demo_bundle()?);
    let stop = cancel.child_token();
    let replay = Replay::serve(Arc::clone(&bundle), ReplayOptions::default(), stop.clone()).await?;
    let folder = tempfile::TempDir::with_prefix("marple-demo-").context("a folder for the demo")?;
    let config = config(&replay, &folder, &bundle)?;
    let model = config.model.is_some();
    let sight = connect::sight(&config).await?;
    let clock = Clock::set_to(replay.now());
    let group_wait = config.investigation.group_wait.duration();
    let (_, reloads) = mpsc::channel(1);
    let service = serve::service(serve::setup(config, sight)?, clock, reloads).await?;
    let store = service.store.clone();
    let url = format!("http://{}/api/alerts", service.listener.local_addr()?);
    let running = tokio::spawn(service.run(stop.clone()));
    let told = explained(&store, &url, &replay, model, group_wait, cancel).await;
    stop.cancel();
    running.await.context("the demo")??;
    told
}

/// A configuration of the recording, with a store that goes with the demo.
fn config(replay: &Replay, folder: &tempfile::TempDir, bundle: &Bundle) -> anyhow::Result<Config> {
    let kubeconfig = folder.path().join("kubeconfig");
    std::fs::write(&kubeconfig, replay.kubeconfig()).context("write the kubeconfig of the recording")?;
    let mut config = Config::default();
    config.cluster.name.clone_from(&bundle.manifest.cluster);
    config.cluster.kubeconfig = Some(kubeconfig);
    config.server.listen.set_port(0);
    config.store.path = folder.path().join("marple.db");
    config.prometheus = Some(serde_json::from_value(json!({ "url": replay.prometheus_url() }))?);
    config.forwarder.enabled = false;
    config.investigation.group_wait = Period::from(GROUP_WAIT);
    config.model = investigate::model_of_environment()?;
    Ok(config)
}

async fn explained(
    store: &SqliteStore,
    url: &str,
    replay: &Replay,
    model: bool,
    group_wait: Duration,
    cancel: &CancellationToken,
) -> anyhow::Result<Vec<View>> {
    let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build()?;
    let mut alerts = BTreeSet::new();
    for payload in replay.payloads() {
        let answer = client.post(url).json(&payload.body).send().await?;
        ensure!(answer.status().is_success(), "the intake answered {}: {}", answer.status(), answer.text().await?);
        let posted = payload.body.get("alerts").and_then(serde_json::Value::as_array).into_iter().flatten();
        alerts.extend(posted.filter_map(|alert| alert.get("labels")).map(ToString::to_string));
    }
    eprintln!(
        "Replaying an outage recorded on {}: {} alerts in {} webhooks, a Kubernetes API and a Prometheus.",
        replay.now().strftime("%Y-%m-%d"),
        alerts.len(),
        replay.payloads().len()
    );
    if model {
        eprintln!("A model investigates; without OPENAI_API_KEY the rules conclude alone.");
    }
    let views = StoredViews {
        store: Arc::new(store.clone()),
        cluster: replay.bundle().manifest.cluster.clone(),
        links: Links::default(),
        model,
    };
    let began = std::time::Instant::now();
    let patience = if model { PATIENCE_WITH_MODEL } else { PATIENCE };
    loop {
        ensure!(began.elapsed() < patience, "the demo was not explained in {} s", patience.as_secs());
        if cancel.run_until_cancelled(tokio::time::sleep(GLANCE)).await.is_none() {
            anyhow::bail!("interrupted");
        }
        // What arrives in the group wait may still join or merge.
        if began.elapsed() < group_wait {
            continue;
        }
        let behind = store.incidents_needing_work(1).await?;
        let mut told = Vec::new();
        for incident in store.incidents(&IncidentFilter { limit: 20, ..IncidentFilter::default() }).await? {
            if incident.status != IncidentStatus::Merged {
                told.push(views.view(incident.id).await?);
            }
        }
        let done = |view: &View| matches!(view.stage, Stage::RulesOnly | Stage::Concluded);
        if behind.is_empty() && !told.is_empty() && told.iter().all(done) {
            told.sort_by_key(|view| std::cmp::Reverse(view.incident.signals));
            return Ok(told);
        }
    }
}
