//! Workloads that don't come up, and what scales and delivers them.

use k8s_openapi::api::apps::v1::{Deployment, StatefulSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ResourceQuota, Secret};
use serde_json::{Value, json};

use crate::pods::deployment;
use crate::runs::quota;
use crate::stage::{Stage, delete, patch, patch_status};

#[tokio::test]
async fn each_fault_of_workloads_is_told_and_resolved() {
    let Some(stage) = Stage::open("workloads").await else { return };
    let Some(small) = Stage::open("quota").await else { return };
    tokio::join!(
        rollout(&stage),
        ordered_rollout(&stage),
        no_metrics(&stage),
        at_the_limit(&stage),
        release(&stage),
        refused(&small),
    );
    stage.close().await;
    small.close().await;
}

/// A rollout to an image that is not there, of a workload that Helm has made; both end when the image is mended.
async fn rollout(stage: &Stage) {
    let yaml = deployment("rollout", r#"image: "localhost:1/none:1""#)
        .replace("spec:\n  selector", "spec:\n  progressDeadlineSeconds: 2\n  selector")
        .replace("{ name: rollout }", "{ name: rollout, annotations: { meta.helm.sh/release-name: shop } }");
    stage.apply(&yaml).await;
    let (stuck, unhealthy) = tokio::join!(
        stage.firing("RolloutStuck", "Deployment rollout"),
        stage.firing("HelmReleaseUnhealthy", "Deployment rollout"),
    );
    assert_eq!(stuck.labels.get("reason"), Some("ProgressDeadlineExceeded"));
    assert_eq!(unhealthy.labels.get("helm_release"), Some("shop"));
    let mended = json!([{"name": "app", "image": "localhost/pause:1"}]);
    patch(&stage.api::<Deployment>(), "rollout", json!({"spec": {"template": {"spec": {"containers": mended}}}})).await;
    tokio::join!(
        stage.resolved("RolloutStuck", "Deployment rollout"),
        stage.resolved("HelmReleaseUnhealthy", "Deployment rollout"),
    );
}

/// The second pod is made only when the first is ready.
async fn ordered_rollout(stage: &Stage) {
    stage
        .apply(
            r#"
apiVersion: apps/v1
kind: StatefulSet
metadata: { name: ordered }
spec:
  replicas: 2
  selector: { matchLabels: { app: ordered } }
  template:
    metadata: { labels: { app: ordered } }
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: app, image: "localhost:1/none:1" }] }"#,
        )
        .await;
    let signal = stage.firing("RolloutStuck", "StatefulSet ordered").await;
    assert!(signal.headline().ends_with("stands still: 1 of 2 pods updated, 0 ready"), "{}", signal.headline());
    patch(&stage.api::<StatefulSet>(), "ordered", json!({"spec": {"replicas": 1}})).await;
    stage.resolved("RolloutStuck", "StatefulSet ordered").await;
}

/// Nothing in the test cluster serves external metrics; a target of no pods needs none.
async fn no_metrics(stage: &Stage) {
    stage.apply(&deployment("scaled", r#"image: "localhost/pause:1", resources: { requests: { cpu: 1m } }"#)).await;
    stage.apply(&autoscaler("scaled")).await;
    let signal = stage.firing("HorizontalPodAutoscalerFailing", "HorizontalPodAutoscaler scaled").await;
    let label = |name: &str| signal.labels.get(name);
    assert_eq!((label("horizontalpodautoscaler"), label("deployment")), (Some("scaled"), Some("scaled")));
    assert_eq!(label("reason"), Some("FailedGetExternalMetric"));
    patch(&stage.api::<Deployment>(), "scaled", json!({"spec": {"replicas": 0}})).await;
    stage.resolved("HorizontalPodAutoscalerFailing", "HorizontalPodAutoscaler scaled").await;
}

/// Without metrics no autoscaler of the test cluster reaches its limit: its status is written as its controller would.
async fn at_the_limit(stage: &Stage) {
    stage.apply(&autoscaler("limited")).await;
    let autoscalers = stage.api::<HorizontalPodAutoscaler>();
    let limited = |status: &str, reason: &str| {
        let condition: Value = json!({"type": "ScalingLimited", "status": status, "reason": reason,
            "message": "the desired replica count is more than the maximum replica count",
            "lastTransitionTime": "2026-01-01T00:00:00Z"});
        json!({"currentReplicas": 3, "desiredReplicas": 3, "conditions": [condition]})
    };
    patch_status(&autoscalers, "limited", limited("True", "TooManyReplicas")).await;
    let signal = stage.firing("HorizontalPodAutoscalerMaxedOut", "HorizontalPodAutoscaler limited").await;
    assert_eq!(signal.labels.get("deployment"), Some("limited"));
    patch_status(&autoscalers, "limited", limited("False", "DesiredWithinRange")).await;
    stage.resolved("HorizontalPodAutoscalerMaxedOut", "HorizontalPodAutoscaler limited").await;
}

fn autoscaler(name: &str) -> String {
    format!(
        "
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{ name: {name} }}
spec:
  scaleTargetRef: {{ apiVersion: apps/v1, kind: Deployment, name: {name} }}
  maxReplicas: 3
  metrics: [{{ type: External, external: {{ metric: {{ name: queue }}, target: {{ type: Value, value: 5 }} }} }}]"
    )
}

/// The Secrets are written as Helm writes them: an upgrade that failed, another that was interrupted, and its end.
async fn release(stage: &Stage) {
    let revision = |number: u32, status: &str| {
        format!(
            "
apiVersion: v1
kind: Secret
type: helm.sh/release.v1
metadata:
  name: sh.helm.release.v1.shop.v{number}
  labels: {{ owner: helm, name: shop, version: '{number}', status: {status} }}
stringData: {{ release: not-to-be-read }}"
        )
    };
    stage.apply(&revision(1, "failed")).await;
    stage.firing("HelmReleaseFailed", "HelmRelease shop").await;
    stage.apply(&revision(2, "pending-upgrade")).await;
    let signal = stage.firing("HelmReleasePending", "HelmRelease shop").await;
    assert_eq!(signal.labels.get("helm_release"), Some("shop"));
    assert!(!format!("{:?}", stage.inbox.signals.lock().unwrap()).contains("not-to-be-read"));
    patch(
        &stage.api::<Secret>(),
        "sh.helm.release.v1.shop.v2",
        json!({"metadata": {"labels": {"status": "deployed"}}}),
    )
    .await;
    tokio::join!(
        stage.resolved("HelmReleaseFailed", "HelmRelease shop"),
        stage.resolved("HelmReleasePending", "HelmRelease shop"),
    );
}

/// A quota that refuses pods is told of the Deployment, and ends when it is lifted.
async fn refused(stage: &Stage) {
    quota(stage, "pods").await;
    stage.apply(&deployment("cart", "image: 'localhost/pause:1'")).await;
    let signal = stage.firing("ReplicaCreationFailing", "Deployment cart").await;
    assert!(signal.headline().contains("exceeded quota: small"), "{}", signal.headline());
    delete(&stage.api::<ResourceQuota>(), "small").await;
    stage.resolved("ReplicaCreationFailing", "Deployment cart").await;
}
