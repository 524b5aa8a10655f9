//! Stages the outage of `marple demo` on the test cluster and records it: `just record-demo`.
//!
//! A cause in one namespace, alerts in two: the ledger's memory limit is cut below what it holds, and everything that
//! asks it fails. A minute before, something unrelated was shipped in the other namespace.
#![allow(missing_docs)]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, DeleteParams, DynamicObject};
use marple_core::{Labels, ObjectRef};
use marple_evals::record::Limits;
use marple_evals::{Change, Payload, RecordOptions, record};
use marple_tests::cluster::{TestCluster, point_alertmanager, wait_for};
use marple_tools::redact::{RedactConfig, Redactor};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

const NAMESPACES: [&str; 2] = ["payments", "shop"];
/// How long all is well first: the recording shows what usual looks like.
const QUIET: Duration = Duration::from_mins(4);
/// Between the unrelated change and the one that breaks.
const BETWEEN: Duration = Duration::from_mins(1);
/// How long it goes on after the last alert came in.
const AFTER: Duration = Duration::from_secs(30);
const ALERTS: usize = 12;
const ALERTS_WITHIN: Duration = Duration::from_mins(8);

#[tokio::main]
async fn main() -> Result<()> {
    let cluster = TestCluster::from_env().await?.context("it needs the test cluster")?;
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../evals/bundles/ledger-outage.bundle");
    let recorded = stage_and_record(&cluster, &file).await;
    for namespace in NAMESPACES {
        let api: Api<Namespace> = Api::all(cluster.client());
        api.delete(namespace, &DeleteParams::default().grace_period(0)).await?;
    }
    recorded
}

async fn stage_and_record(cluster: &TestCluster, file: &Path) -> Result<()> {
    let (inbox, address) = Inbox::listen().await?;
    let _pointed = point_alertmanager(&address, None)?;
    for namespace in NAMESPACES {
        let object = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}).to_string();
        cluster.apply(namespace, &object).await?;
    }
    let mut changes = Vec::new();
    changes.extend(apply(cluster, "payments", include_str!("../stage/demo/payments.yaml")).await?);
    changes.extend(apply(cluster, "shop", include_str!("../stage/demo/shop.yaml")).await?);
    for namespace in NAMESPACES {
        cluster.rolled_out(namespace, Duration::from_mins(2)).await?;
    }
    let since = Timestamp::now();
    say(&format!("all is well for {} s", QUIET.as_secs()));
    tokio::time::sleep(QUIET).await;
    say("something unrelated is shipped");
    changes.extend(apply(cluster, "shop", include_str!("../stage/demo/unrelated.yaml")).await?);
    tokio::time::sleep(BETWEEN).await;
    inbox.forget();
    say("the ledger's memory limit is cut");
    changes.extend(apply(cluster, "payments", include_str!("../stage/demo/change.yaml")).await?);
    wait_for("the alerts of both namespaces", ALERTS_WITHIN, || async {
        let alerts = inbox.alerts();
        let spaces: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert.get("namespace")).collect();
        if alerts.len() >= ALERTS && spaces.len() == NAMESPACES.len() { Ok(()) } else { Err(format!("{alerts:?}")) }
    })
    .await?;
    tokio::time::sleep(AFTER).await;

    let options = RecordOptions {
        client: cluster.client(),
        cluster: "demo".to_owned(),
        prometheus_url: Some(cluster.prometheus_url().to_owned()),
        alertmanager_url: Some(cluster.alertmanager_url().to_owned()),
        namespaces: NAMESPACES.iter().map(|&namespace| namespace.to_owned()).collect(),
        since: since.checked_sub(SignedDuration::from_mins(1))?,
        now: Timestamp::now(),
        payloads: inbox.payloads(),
        changes,
        limits: Limits::default(),
    };
    let redact = Redactor::new(&RedactConfig::default())?;
    let bundle = record(options, &redact, &say, &CancellationToken::new()).await?;
    bundle.write(file)?;
    let size = std::fs::metadata(file)?.len();
    say(&format!("{}: {size} bytes, {} alerts", file.display(), inbox.alerts().len()));
    ensure!(size <= 1024 * 1024, "the bundle is larger than a mebibyte");
    Ok(())
}

/// Applies YAML, and tells what changed by it.
async fn apply(cluster: &TestCluster, namespace: &str, yaml: &str) -> Result<Vec<Change>> {
    let applied = cluster.apply(namespace, yaml).await?;
    let changes = applied.into_iter().map(|(before, after)| {
        let kind = after.types.as_ref().map(|types| types.kind.clone()).unwrap_or_default();
        let name = after.metadata.name.clone().unwrap_or_default();
        let object = ObjectRef::namespaced(kind, namespace, name);
        Change { at: Timestamp::now(), object, before: before.map(without_status), after: Some(without_status(after)) }
    });
    Ok(changes.collect())
}

fn without_status(mut object: DynamicObject) -> Value {
    object.metadata.managed_fields = None;
    let mut value = json!(object);
    if let Some(fields) = value.as_object_mut() {
        fields.remove("status");
    }
    value
}

/// What Alertmanager posts about the two namespaces.
#[derive(Clone, Default)]
struct Inbox(Arc<Mutex<Vec<Payload>>>);

impl Inbox {
    /// Gives the address to which it listens, too.
    async fn listen() -> Result<(Self, String)> {
        let inbox = Self::default();
        let app = Router::new().route("/", post(Self::receive)).with_state(inbox.clone());
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = format!("http://{}/", listener.local_addr()?);
        // It ends with the process.
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok((inbox, address))
    }

    #[expect(clippy::unused_async, reason = "a handler is asynchronous")]
    async fn receive(State(inbox): State<Self>, Json(body): Json<Value>) {
        let namespace = body.pointer("/groupLabels/namespace").and_then(Value::as_str).unwrap_or_default();
        if NAMESPACES.contains(&namespace) {
            inbox.held().push(Payload { at: Timestamp::now(), body });
        }
    }

    /// Leaves out what came before the outage.
    fn forget(&self) {
        self.held().clear();
    }

    fn payloads(&self) -> Vec<Payload> {
        self.held().clone()
    }

    /// Each alert once.
    fn alerts(&self) -> BTreeSet<Labels> {
        let payloads = self.payloads();
        let alerts = payloads.iter().filter_map(|payload| payload.body.get("alerts")?.as_array());
        let labels = alerts.flatten().filter_map(|alert| alert.get("labels"));
        labels.filter_map(|labels| serde_json::from_value(labels.clone()).ok()).collect()
    }

    fn held(&self) -> std::sync::MutexGuard<'_, Vec<Payload>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::print_stderr, reason = "whoever records waits for minutes and wants to see why")]
fn say(what: &str) {
    eprintln!("{what}");
}
