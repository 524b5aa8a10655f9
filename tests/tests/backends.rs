//! What marple does while something that it looks through is away: each ends in a message that says what wasn't seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use marple_tests::cluster::{Namespace, TestCluster};
use marple_tests::cluster_or_return;
use marple_tests::program::Program;
use marple_tests::proxy::Proxy;
use marple_tests::slack::{SlackDouble, SlackMessage};
use marple_tests::stage::Fault;
use serde_json::json;

/// From the change to the message.
const TOLD_WITHIN: Duration = Duration::from_mins(1);

/// The most that a healthy rollout may take.
const ROLLED_OUT_WITHIN: Duration = Duration::from_secs(90);

fn receiver(slack: &SlackDouble) -> String {
    format!(
        "investigation: {{ group_wait: 1s }}\n\
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

/// A kubeconfig in a folder of its own.
struct Kubeconfig(tempfile::TempDir);

impl Kubeconfig {
    fn path(&self) -> String {
        self.0.path().join("kubeconfig").display().to_string()
    }

    fn write(server: &str, user: &serde_json::Value) -> Result<Self> {
        let folder = tempfile::TempDir::with_prefix("marple-kubeconfig-")?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "clusters": [{ "name": "test", "cluster": { "server": server, "insecure-skip-tls-verify": true } }],
            "users": [{ "name": "test", "user": user }]
        });
        std::fs::write(folder.path().join("kubeconfig"), config.to_string())?;
        Ok(Self(folder))
    }

    /// The tests' own rights, through a proxy.
    fn through(cluster: &TestCluster, proxy: &Proxy) -> Result<Self> {
        let kubeconfig = kube::config::Kubeconfig::read()?;
        let context =
            kubeconfig.contexts.iter().find(|context| context.name == cluster.context()).context("context")?;
        let name = context.context.as_ref().and_then(|context| context.user.clone()).context("user")?;
        let user = kubeconfig.auth_infos.iter().find(|user| user.name == name).context("user")?;
        let mut user = serde_json::to_value(&user.auth_info)?;
        if let Some(auth) =
            kubeconfig.auth_infos.iter().find(|user| user.name == name).and_then(|user| user.auth_info.as_ref())
            && let Some(token) = &auth.token
        {
            user = json!({ "token": secrecy::ExposeSecret::expose_secret(token) });
        }
        Self::write(&format!("https://{}", proxy.address()), &user)
    }

    /// An account that may read Deployments, ReplicaSets and Pods of one namespace, and nothing else.
    async fn restricted(cluster: &TestCluster, namespace: &Namespace) -> Result<Self> {
        namespace
            .apply(
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: narrow }\n---\n\
                 apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: narrow }\n\
                 rules: [{ apiGroups: [\"\", apps], resources: [pods, deployments, replicasets], verbs: [get, list] }]\n---\n\
                 apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: narrow }\n\
                 roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: narrow }\n\
                 subjects: [{ kind: ServiceAccount, name: narrow }]\n",
            )
            .await?;
        let accounts: Api<ServiceAccount> = namespace.api();
        let request: TokenRequest =
            serde_json::from_value(json!({ "spec": { "audiences": [], "expirationSeconds": 3600 } }))?;
        let token = accounts.create_token_request("narrow", &PostParams::default(), &request).await?;
        let token = token.status.context("a token")?.token;
        Self::write(&cluster.config().cluster_url.to_string(), &json!({ "token": token }))
    }
}
