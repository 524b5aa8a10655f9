//! The test cluster and what is staged on it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::apps::v1::ReplicaSet;
use kube::Api;
use kube::api::ListParams;
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::stage::Fault;

#[tokio::test]
async fn each_fault_breaks_a_healthy_rollout_and_its_alert_fires() -> Result<()> {
    let cluster = cluster_or_return!();
    let staged = Fault::ALL.map(|fault| {
        let cluster = cluster.clone();
        async move {
            let namespace = cluster.namespace(&format!("stage-{}", fault.name())).await?;
            let staged = fault.stage(&cluster, &namespace).await?;
            assert_eq!(staged.cause, fault.cause(namespace.name()));
            let sets: Api<ReplicaSet> = namespace.api();
            let app = format!("app={}", if fault == Fault::NoEndpoints { "inventory" } else { "cart" });
            let revisions = sets.list(&ListParams::default().labels(&app)).await?.items.len();
            assert_eq!(revisions, 2, "{fault:?} has a revision before and one after the change");
            Ok::<_, anyhow::Error>(())
        }
    });
    futures::future::try_join_all(staged).await?;
    Ok(())
}

#[tokio::test]
async fn a_namespace_is_gone_after_its_test() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("stage-empty").await?;
    let name = namespace.name().to_owned();
    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(cluster.client());
    assert!(namespaces.get_opt(&name).await?.is_some());
    drop(namespace);
    wait_for("the end of the namespace", Duration::from_mins(1), || async {
        match namespaces.get_opt(&name).await {
            Ok(None) => Ok(()),
            Ok(Some(left)) => Err(format!("{:?}", left.status)),
            Err(error) => Err(error.to_string()),
        }
    })
    .await
}

#[tokio::test]
async fn a_condition_that_never_holds_is_told_with_its_last_state() {
    let error = wait_for("dawn", Duration::ZERO, || async { Err::<(), _>("it is night") }).await.unwrap_err();
    assert_eq!(error.to_string(), "dawn did not come within 0 s: it is night");
}
