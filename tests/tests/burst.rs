//! A burst of alerts about real pods: none is lost, and each workload is one incident.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::{TryStreamExt as _, stream};
use k8s_openapi::api::core::v1::Pod;
use kube::ResourceExt as _;
use kube::api::{Api, ListParams};
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::program::Program;
use marple_tests::slack::SlackDouble;
use marple_tests::webhook::{alert, webhook};
use serde_json::{Value, json};

const WORKLOADS: usize = 20;
const PODS: usize = 2;
const NAMES: usize = 50;
const ALERTS: usize = WORKLOADS * PODS * NAMES;
const IN_A_POST: usize = 50;
/// Posts under way at once: more than an Alertmanager has.
const AT_ONCE: usize = 8;

const ROLLED_OUT_WITHIN: Duration = Duration::from_mins(3);
const FOLDED_WITHIN: Duration = Duration::from_mins(1);
const TOLD_WITHIN: Duration = Duration::from_mins(2);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_thousand_alerts_in_posts_of_fifty_are_one_incident_a_workload_and_none_is_lost() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("burst").await?;
    namespace.apply(&workloads()).await?;
    cluster.rolled_out(namespace.name(), ROLLED_OUT_WITHIN).await?;
    let pods: Api<Pod> = namespace.api();
    let pods: Vec<String> = pods.list(&ListParams::default()).await?.iter().map(Pod::name_any).collect();
    ensure!(pods.len() == WORKLOADS * PODS, "the namespace has {} pods", pods.len());

    let slack = SlackDouble::start().await;
    let settings = format!(
        "cluster: {{ name: test, context: {} }}\nforwarder: {{ enabled: false }}\ninvestigation: {{ group_wait: 1s }}\n\
         receivers: {{ oncall: {{ slack: {{ api_url: \"{}\", token: \"{}\", channel: {}, interval: 10ms }} }} }}\n",
        cluster.context(),
        slack.url,
        slack.token,
        slack.channel
    );
    let mut program = Program::serve(&settings, &[]).await?;
    // All alerts of a name, then all of the next: each post is about forty pods of twenty workloads.
    let alerts: Vec<Value> = (0..NAMES)
        .flat_map(|name| pods.iter().map(move |pod| (format!("Burst{name}"), pod)))
        .map(|(name, pod)| {
            let (namespace, severity) = (namespace.name(), "warning");
            alert(&json!({ "alertname": name, "namespace": namespace, "pod": pod, "severity": severity }))
        })
        .collect();
    ensure!(alerts.len() == ALERTS, "{} alerts", alerts.len());
    stream::iter(alerts.chunks(IN_A_POST).map(Ok))
        .try_for_each_concurrent(AT_ONCE, |post| accepted(&program, webhook(post)))
        .await?;

    let folded = || async { one_incident_a_workload(&program).await.map_err(|error| format!("{error:#}")) };
    let incidents = wait_for("one incident a workload", FOLDED_WITHIN, folded).await.with_context(|| program.log())?;
    let told = slack.until(TOLD_WITHIN, |messages| {
        messages.iter().filter(|message| message.thread_ts.is_none()).count() >= WORKLOADS
    });
    let told = told.await.into_iter().filter(|message| message.thread_ts.is_none()).count();
    assert_eq!((incidents, told), (WORKLOADS, WORKLOADS));
    slack.assert_clean();
    program.stop().await
}

fn workloads() -> String {
    let mut yaml = String::new();
    for number in 0..WORKLOADS {
        let name = format!("work-{number}");
        writeln!(
            yaml,
            "---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {{ name: {name} }}\nspec:\n  replicas: {PODS}\n  \
             selector: {{ matchLabels: {{ app: {name} }} }}\n  template:\n    metadata: {{ labels: {{ app: {name} }} }}\n    \
             spec:\n      terminationGracePeriodSeconds: 0\n      \
             containers: [{{ name: app, image: \"localhost/pause:1\", imagePullPolicy: IfNotPresent }}]"
        )
        .unwrap();
    }
    yaml
}

/// Posts until it is accepted, as Alertmanager does.
async fn accepted(program: &Program, body: Value) -> Result<()> {
    for _ in 0..20 {
        let status = program.post("/api/alerts", &body).await?;
        if status.is_success() {
            return Ok(());
        }
        ensure!(status.as_u16() == 503, "the intake answered {status}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    anyhow::bail!("the intake stays full")
}

/// How many incidents there are, once every alert is in one and each is about one workload.
async fn one_incident_a_workload(program: &Program) -> Result<usize> {
    let list = program.get("/api/incidents?limit=200").await?;
    let list = list.as_array().context("a list")?;
    let mut signals = BTreeMap::new();
    for incident in list {
        let subject = incident["subject"]["name"].as_str().context("a subject")?;
        let held = incident["signals"].as_u64().context("signals")?;
        ensure!(signals.insert(subject, held).is_none(), "two incidents of {subject}");
    }
    let all = u64::try_from(PODS * NAMES)?;
    ensure!(signals.len() == WORKLOADS && signals.values().all(|held| *held == all), "{signals:?}");
    Ok(list.len())
}
