//! `marple record` by an account that may not read everything.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::Result;
use marple_evals::Bundle;
use marple_tests::cluster_or_return;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::program::binary;
use marple_tests::stage::Fault;
use tokio::process::Command;

/// The most that recording two small namespaces may take.
const RECORDED_WITHIN: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_read_is_recorded_and_what_may_not_is_recorded_as_refused_and_named() -> Result<()> {
    let cluster = cluster_or_return!();
    let (open, closed) = (cluster.namespace("runner-open").await?, cluster.namespace("runner-closed").await?);
    open.apply(Fault::MissingConfiguration.healthy()).await?;
    cluster.rolled_out(open.name(), RECORDED_WITHIN).await?;
    let kubeconfig = Kubeconfig::restricted(&cluster, &open).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("outage.bundle");
    let record = Command::new(binary()?)
        .args(["record", "--out"])
        .arg(&file)
        .args(["--namespace", &format!("{},{}", open.name(), closed.name())])
        .env("KUBECONFIG", kubeconfig.path())
        .output();
    let ended = tokio::time::timeout(RECORDED_WITHIN, record).await??;
    let said = String::from_utf8(ended.stdout)?;
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("Not recorded, for the API server refuses it: "), "{said}");
    assert!(said.contains(&format!("of namespace {}", closed.name())) && said.contains("nodes"), "{said}");

    let bundle = Bundle::read(&file)?;
    let resource = |name: &str| bundle.kubernetes.resources.iter().find(|one| one.resource == name).unwrap();
    let pods = resource("pods");
    assert!(!pods.objects.is_empty() && pods.objects.iter().all(|pod| pod.namespace() == open.name()));
    assert!(pods.refusal(Some(open.name())).is_none());
    assert_eq!(pods.refusal(Some(closed.name())).unwrap()["reason"], "Forbidden");
    assert_eq!(pods.refusal(None).unwrap()["reason"], "Forbidden", "a list over all namespaces would be a false one");
    assert_eq!(resource("nodes").refusal(None).unwrap()["code"], 403);
    assert!(resource("configmaps").refusal(Some(open.name())).is_some());
    Ok(())
}
