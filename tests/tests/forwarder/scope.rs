//! What a forwarder may see, and what is another's.

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::Client;
use marple_core::{Fingerprint, ObjectRef, Signal, SignalStatus};
use serde_json::json;

use crate::pods::pod;
use crate::stage::{Stage, delete, run};

#[tokio::test]
async fn what_ended_while_the_forwarder_was_down_is_resolved_and_what_did_not_is_not_told_again() {
    let Some(mut stage) = Stage::open("restart").await else { return };
    for name in ["cart", "till"] {
        stage.apply(&pod(name, r#"image: "localhost:1/none:1""#)).await;
        stage.firing("PodImagePullFailing", &format!("Pod {name}")).await;
    }
    stage.cancel.cancel();
    (&mut stage.running).await.unwrap();
    delete(&stage.api::<Pod>(), "cart").await;
    let told = stage.inbox.headlines(stage.space.name()).len();
    (stage.cancel, stage.running) = run(&stage.client, stage.space.name(), &stage.inbox, &json!({}));
    stage.resolved("PodImagePullFailing", "Pod cart").await;
    let now = stage.inbox.headlines(stage.space.name());
    assert_eq!(now.len(), told + 1, "{now:#?}");
    stage.close().await;
}

#[tokio::test]
async fn two_forwarders_of_different_namespaces_leave_each_others_conditions_alone() {
    let Some(shop) = Stage::open("scope-shop").await else { return };
    let Some(till) = Stage::open("scope-till").await else { return };
    shop.apply(&pod("cart", r#"image: "localhost:1/none:1""#)).await;
    let held = shop.firing("PodImagePullFailing", "Pod cart").await;
    // What the runner holds of both namespaces; of the second one the pod is gone.
    let ghost = ObjectRef::namespaced("Pod", till.space.name(), "ghost");
    let gone = Signal { subject: Some(ghost), fingerprint: Fingerprint::from_bits(1), ..held.clone() };
    shop.inbox.signals.lock().unwrap().push((gone, Timestamp::now()));
    let (cancel, running) = run(&till.client, till.space.name(), &shop.inbox, &json!({}));
    shop.inbox.wait("PodImagePullFailing", &till.subject("Pod ghost"), SignalStatus::Resolved).await;
    assert_eq!(shop.inbox.firing(), [held]);
    cancel.cancel();
    running.await.unwrap();
    till.close().await;
    shop.close().await;
}

#[tokio::test]
async fn without_permission_to_watch_pods_their_events_still_tell() {
    let Some(mut stage) = Stage::open("rbac").await else { return };
    stage
        .apply(
            &"
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: events }
rules: [{ apiGroups: [''], resources: [events], verbs: [list, watch] }]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: { name: events }
roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: events }
subjects: [{ apiGroup: rbac.authorization.k8s.io, kind: User, name: NAME }]"
                .replace("NAME", stage.space.name()),
        )
        .await;
    stage.cancel.cancel();
    (&mut stage.running).await.unwrap();
    let mut config = stage.cluster.config().clone();
    config.auth_info.impersonate = Some(stage.space.name().to_owned());
    let limited = Client::try_from(config).unwrap();
    (stage.cancel, stage.running) = run(&limited, stage.space.name(), &stage.inbox, &json!({}));
    stage.apply(&pod("cart", "image: 'localhost/busybox:1', command: ['false']")).await;
    let signal = stage.firing("PodCrashLooping", "Pod cart").await;
    assert_eq!(signal.labels.get("container"), Some("app"));
    assert_eq!(signal.labels.get("reason"), Some("BackOff"));
    stage.close().await;
}
