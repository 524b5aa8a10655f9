//! What marple does while something that it looks through is away: each ends in a message that says what wasn't seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::{Context, Result};
use marple_tests::api_server::ApiServer;
use marple_tests::cluster::{Namespace, TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::program::Program;
use marple_tests::proxy::Proxy;
use marple_tests::slack::{SlackDouble, SlackMessage};
use marple_tests::stage::Fault;

/// From the change to the message.
const TOLD_WITHIN: Duration = Duration::from_mins(1);

/// The most that a healthy rollout may take.
const ROLLED_OUT_WITHIN: Duration = Duration::from_secs(90);

fn receiver(slack: &SlackDouble) -> String {
    format!(
        "investigation: {{ group_wait: 3s }}\n\
         receivers: {{ oncall: {{ slack: {{ api_url: \"{}\", token: \"{}\", channel: {}, interval: 10ms }} }} }}\n",
        slack.url, slack.token, slack.channel
    )
}

/// The message of the channel that names these words, when it has come.
async fn message(slack: &SlackDouble, words: &[&str]) -> Vec<SlackMessage> {
    let fits = |message: &SlackMessage| {
        let shown = message.shown();
        message.thread_ts.is_none() && words.iter().all(|word| shown.contains(word))
    };
    slack.until(TOLD_WITHIN, |messages| messages.iter().any(fits)).await.into_iter().filter(fits).collect()
}

async fn broken(cluster: &TestCluster, prefix: &str) -> Result<Namespace> {
    let namespace = cluster.namespace(prefix).await?;
    Fault::MissingConfiguration.break_after_rollout(cluster, &namespace).await?;
    Ok(namespace)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_workload_reaches_slack_with_no_prometheus_at_all() -> Result<()> {
    let cluster = cluster_or_return!();
    let slack = SlackDouble::start().await;
    let settings = format!("cluster: {{ context: {} }}\n{}", cluster.context(), receiver(&slack));
    let mut program = Program::serve(&settings, &[]).await?;
    let namespace = broken(&cluster, "no-prometheus").await?;
    let cause = format!("ConfigMap {}/cart-settings", namespace.name());
    assert_eq!(message(&slack, &[&cause]).await.len(), 1);
    slack.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prometheus_that_is_away_is_told_as_not_seen() -> Result<()> {
    let cluster = cluster_or_return!();
    let slack = SlackDouble::start().await;
    let settings = format!(
        "cluster: {{ context: {} }}\nprometheus: {{ url: \"http://127.0.0.1:9\" }}\n{}",
        cluster.context(),
        receiver(&slack)
    );
    let mut program = Program::serve(&settings, &[]).await?;
    let namespace = broken(&cluster, "prometheus-away").await?;
    let cause = format!("ConfigMap {}/cart-settings", namespace.name());
    assert_eq!(message(&slack, &[&cause, "Prometheus"]).await.len(), 1);
    slack.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_of_the_api_server_delays_and_loses_nothing() -> Result<()> {
    let cluster = cluster_or_return!();
    let slack = SlackDouble::start().await;
    let url = cluster.config().cluster_url.clone();
    let target = format!("{}:{}", url.host().context("a host")?, url.port_u16().unwrap_or(443));
    let mut proxy = Proxy::to(&target).await?;
    let kubeconfig = Kubeconfig::through(&cluster, &proxy)?;
    let settings = format!("cluster: {{ kubeconfig: {} }}\n{}", kubeconfig.path(), receiver(&slack));
    let mut program = Program::serve(&settings, &[]).await?;
    let namespace = cluster.namespace("restart").await?;
    namespace.apply(Fault::MissingConfiguration.healthy()).await?;
    cluster.rolled_out(namespace.name(), ROLLED_OUT_WITHIN).await?;

    proxy.cut().await?;
    namespace.apply(Fault::MissingConfiguration.change()).await?;
    let alert = marple_tests::webhook::firing("KubeDeploymentReplicasMismatch", namespace.name(), "cart");
    assert!(program.post("/api/alerts", &marple_tests::webhook::webhook(&[alert])).await?.is_success());
    // What can be told without the API server is told, and says so.
    let workload = format!("{}/cart", namespace.name());
    assert_eq!(message(&slack, &[&workload, "API server"]).await.len(), 1);

    proxy.mend().await?;
    let cause = format!("ConfigMap {}/cart-settings", namespace.name());
    assert_eq!(message(&slack, &[&cause]).await.len(), 1);
    slack.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_server_that_is_killed_and_comes_back_is_told_as_not_seen_and_then_the_cause_is() -> Result<()> {
    let cluster = cluster_or_return!();
    let Some(mut server) = ApiServer::start(&cluster).await? else { return Ok(()) };
    let slack = SlackDouble::start().await;
    let kubeconfig = server.kubeconfig();
    let settings = format!("cluster: {{ kubeconfig: {} }}\n{}", kubeconfig.display(), receiver(&slack));
    let mut program = Program::serve(&settings, &[]).await?;
    let namespace = cluster.namespace("runner-killed").await?;
    namespace.apply(Fault::MissingConfiguration.healthy()).await?;
    cluster.rolled_out(namespace.name(), ROLLED_OUT_WITHIN).await?;

    server.kill().await?;
    // The cluster goes on without the server that marple looks through.
    namespace.apply(Fault::MissingConfiguration.change()).await?;
    let alert = marple_tests::webhook::firing("KubeDeploymentReplicasMismatch", namespace.name(), "cart");
    assert!(program.post("/api/alerts", &marple_tests::webhook::webhook(&[alert])).await?.is_success());
    let workload = format!("{}/cart", namespace.name());
    let blind = message(&slack, &[&workload, "Not seen", "API server"]).await;
    let cause = format!("ConfigMap {}/cart-settings", namespace.name());
    assert_eq!(blind.len(), 1);
    assert!(!blind[0].shown().contains(&cause), "{}", blind[0].shown());

    server.begin().await?;
    let seen = message(&slack, &[&cause]).await;
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].ts, blind[0].ts, "the message is updated in its place");
    // The watches go on too: what began meanwhile is told by the forwarder.
    wait_for("a condition of the forwarder", TOLD_WITHIN, || async {
        let held = program.get("/api/signals").await.map_err(|error| error.to_string())?;
        if held.to_string().contains(namespace.name()) { Ok(()) } else { Err(format!("it holds {held}")) }
    })
    .await?;
    slack.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_permission_that_is_missing_is_told_with_its_name() -> Result<()> {
    let cluster = cluster_or_return!();
    let slack = SlackDouble::start().await;
    let namespace = cluster.namespace("forbidden").await?;
    let kubeconfig = Kubeconfig::restricted(&cluster, &namespace).await?;
    let settings = format!(
        "cluster: {{ kubeconfig: {} }}\nforwarder: {{ enabled: false }}\n{}",
        kubeconfig.path(),
        receiver(&slack)
    );
    let mut program = Program::serve(&settings, &[]).await?;
    Fault::MissingConfiguration.break_after_rollout(&cluster, &namespace).await?;
    let alert = marple_tests::webhook::firing("KubeDeploymentReplicasMismatch", namespace.name(), "cart");
    assert!(program.post("/api/alerts", &marple_tests::webhook::webhook(&[alert])).await?.is_success());
    let told = message(&slack, &["Not seen", "configmaps"]).await;
    assert_eq!(told.len(), 1);
    slack.assert_clean();
    program.stop().await
}
