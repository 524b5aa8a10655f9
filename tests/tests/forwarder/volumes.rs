//! Claims and volumes.

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use kube::api::DeleteParams;
use serde_json::json;

use crate::stage::{PATIENCE, Stage, and_then_clear, delete, patch};

#[tokio::test]
async fn each_fault_of_claims_and_volumes_is_told_and_resolved() {
    let Some(stage) = Stage::open("volumes").await else { return };
    let (lost, failed) = (stage.unique("lost"), stage.unique("failed"));
    let staged = async {
        tokio::join!(Box::pin(claim(&stage, &lost)), Box::pin(volume(&stage, &failed)));
    };
    let volumes = stage.api_of_cluster::<PersistentVolume>();
    let clear = async {
        for name in [&lost, &failed] {
            // It may be gone by now.
            let _ = volumes.delete(name, &DeleteParams::default()).await;
        }
    };
    and_then_clear(staged, clear).await;
    stage.close().await;
}

/// A claim gets no volume until one of its class is there; and loses it when that is taken away.
async fn claim(stage: &Stage, volume: &str) {
    stage.apply(&claim_of("pending", volume)).await;
    let signal = stage.firing("PersistentVolumeClaimPending", "PersistentVolumeClaim pending").await;
    assert_eq!(signal.labels.get("persistentvolumeclaim"), Some("pending"));
    stage.apply(&volume_of(volume, "Retain")).await;
    stage.resolved("PersistentVolumeClaimPending", "PersistentVolumeClaim pending").await;
    let volumes = stage.api_of_cluster::<PersistentVolume>();
    delete(&volumes, volume).await;
    patch(&volumes, volume, json!({"metadata": {"finalizers": null}})).await;
    stage.firing("PersistentVolumeClaimLost", "PersistentVolumeClaim pending").await;
    delete(&stage.api::<PersistentVolumeClaim>(), "pending").await;
    stage.resolved("PersistentVolumeClaimLost", "PersistentVolumeClaim pending").await;
}

/// Kubernetes deletes a folder of the node only below /tmp: the volume can't be reclaimed.
async fn volume(stage: &Stage, volume: &str) {
    stage.apply(&volume_of(volume, "Delete")).await;
    stage.apply(&claim_of("reclaimed", volume)).await;
    let claims = stage.api::<PersistentVolumeClaim>();
    let bound = |claim: Option<&PersistentVolumeClaim>| {
        claim.and_then(|claim| claim.status.as_ref()?.phase.as_deref()) == Some("Bound")
    };
    let wait = kube::runtime::wait::await_condition(claims.clone(), "reclaimed", bound);
    tokio::time::timeout(PATIENCE, wait).await.unwrap().unwrap();
    delete(&claims, "reclaimed").await;
    let subject = format!("PersistentVolume /{volume}");
    let signal = stage.firing("PersistentVolumeFailed", &subject).await;
    assert_eq!(signal.labels.get("persistentvolume"), Some(volume));
    assert!(signal.headline().contains("/reclaimed failed: "), "{}", signal.headline());
    delete(&stage.api_of_cluster::<PersistentVolume>(), volume).await;
    stage.resolved("PersistentVolumeFailed", &subject).await;
}

fn claim_of(name: &str, class: &str) -> String {
    format!(
        "
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{ name: {name} }}
spec: {{ storageClassName: {class}, accessModes: [ReadWriteOnce], resources: {{ requests: {{ storage: 1Mi }} }} }}"
    )
}

fn volume_of(name: &str, policy: &str) -> String {
    format!(
        "
apiVersion: v1
kind: PersistentVolume
metadata: {{ name: {name} }}
spec:
  storageClassName: {name}
  persistentVolumeReclaimPolicy: {policy}
  capacity: {{ storage: 1Mi }}
  accessModes: [ReadWriteOnce]
  hostPath: {{ path: /srv/{name} }}"
    )
}
