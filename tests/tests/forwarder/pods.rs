//! Pods that break.

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::node::v1::RuntimeClass;
use kube::api::{Patch, PatchParams};
use marple_core::{Signal, SignalStatus};
use serde_json::json;

use crate::stage::{Stage, and_then_clear, delete, patch};

#[tokio::test]
async fn each_fault_of_pods_is_told_and_resolved() {
    let more = |_: &str| json!({"conditions": {"warning_event": {"enabled": true, "include": ["absent-volume"]}}});
    let Some(stage) = Stage::open_with("pods", more).await else { return };
    tokio::join!(
        crash_loop(&stage),
        image(&stage),
        memory(&stage),
        schedule(&stage),
        configuration(&stage),
        volume(&stage),
        first_container(&stage),
        readiness(&stage),
        eviction(&stage),
        sandbox(&stage),
        terminating(&stage),
    );
    stage.close().await;
}

/// Told of the pod and its Deployment; ends with the pod.
async fn crash_loop(stage: &Stage) {
    let command = r#"["sh", "-c", "echo no; exit 3"]"#;
    stage.apply(&deployment("crash", &format!("image: localhost/busybox:1, command: {command}"))).await;
    let signal = stage.firing("PodCrashLooping", "Pod crash-").await;
    assert_eq!(signal.labels.get("deployment"), Some("crash"));
    assert_eq!(signal.labels.get("container"), Some("app"));
    assert!(signal.headline().contains("exit code 3 (Error)"), "{}", signal.headline());
    patch(&stage.api::<Deployment>(), "crash", json!({"spec": {"replicas": 0}})).await;
    let ended = stage.resolved("PodCrashLooping", "Pod crash-").await;
    assert_eq!((ended.fingerprint, ended.starts_at), (signal.fingerprint, signal.starts_at));
}

/// Ends when the image is mended.
async fn image(stage: &Stage) {
    stage.apply(&pod("image", r#"image: "localhost:1/none:1""#)).await;
    let signal = stage.firing("PodImagePullFailing", "Pod image").await;
    assert!(signal.headline().starts_with("Image localhost:1/none:1 of container app"), "{}", signal.headline());
    let mended = json!({"spec": {"containers": [{"name": "app", "image": "localhost/pause:1"}]}});
    let pods = stage.api::<Pod>();
    pods.patch("image", &PatchParams::default(), &Patch::Strategic(&mended)).await.unwrap();
    stage.resolved("PodImagePullFailing", "Pod image").await;
}

async fn memory(stage: &Stage) {
    let container =
        r#"image: "localhost/workload:1", env: [{ name: LEAK, value: "64" }], resources: { limits: { memory: 48Mi } }"#;
    stage.apply(&pod("memory", container)).await;
    let signal = stage.firing("PodOOMKilled", "Pod memory").await;
    assert!(signal.headline().contains("its limit is 48Mi"), "{}", signal.headline());
    delete(&stage.api::<Pod>(), "memory").await;
    stage.resolved("PodOOMKilled", "Pod memory").await;
}

async fn schedule(stage: &Stage) {
    stage.apply(&pod("schedule", r#"image: "localhost/pause:1", resources: { requests: { cpu: "1000" } }"#)).await;
    let signal = stage.firing("PodUnschedulable", "Pod schedule").await;
    assert!(signal.headline().contains("Insufficient cpu"), "{}", signal.headline());
    delete(&stage.api::<Pod>(), "schedule").await;
    stage.resolved("PodUnschedulable", "Pod schedule").await;
}

/// Ends when the ConfigMap is there.
async fn configuration(stage: &Stage) {
    let container = r#"image: "localhost/pause:1", envFrom: [{ configMapRef: { name: absent-settings } }]"#;
    stage.apply(&pod("configuration", container)).await;
    let signal = stage.firing("PodContainerStartFailing", "Pod configuration").await;
    assert!(signal.headline().contains("configmap \"absent-settings\" not found"), "{}", signal.headline());
    stage.apply("{ apiVersion: v1, kind: ConfigMap, metadata: { name: absent-settings } }").await;
    stage.resolved("PodContainerStartFailing", "Pod configuration").await;
}

/// A volume that can't be mounted is told by its events, as a warning where these are asked for, and as a start that
/// doesn't come; all end when the pod is ready.
async fn volume(stage: &Stage) {
    stage
        .apply(
            "
apiVersion: v1
kind: Pod
metadata: { name: volume }
spec:
  terminationGracePeriodSeconds: 0
  containers: [{ name: app, image: 'localhost/pause:1', volumeMounts: [{ name: v, mountPath: /v }] }]
  volumes: [{ name: v, configMap: { name: absent-volume } }]",
        )
        .await;
    let (failing, stuck, warning) = tokio::join!(
        stage.firing("PodVolumeFailing", "Pod volume"),
        stage.firing("PodStartStuck", "Pod volume"),
        stage.firing("KubernetesWarningEvent", "Pod volume"),
    );
    assert!(failing.headline().contains("configmap \"absent-volume\" not found"), "{}", failing.headline());
    assert_eq!(stuck.labels.get("reason"), Some("ContainerCreating"));
    assert_eq!(warning.labels.get("condition"), Some("FailedMount"));
    stage.apply("{ apiVersion: v1, kind: ConfigMap, metadata: { name: absent-volume } }").await;
    tokio::join!(
        stage.resolved("PodVolumeFailing", "Pod volume"),
        stage.resolved("PodStartStuck", "Pod volume"),
        stage.resolved("KubernetesWarningEvent", "Pod volume"),
    );
}

/// It waits for what comes after some seconds.
async fn first_container(stage: &Stage) {
    stage
        .apply(
            "
apiVersion: v1
kind: Pod
metadata: { name: first }
spec:
  terminationGracePeriodSeconds: 0
  initContainers: [{ name: wait, image: 'localhost/busybox:1', command: [sleep, '8'] }]
  containers: [{ name: app, image: 'localhost/pause:1' }]",
        )
        .await;
    let of_first = |status| {
        move |signal: &Signal| {
            (signal.name.as_str(), signal.status) == ("PodStartStuck", status)
                && signal.labels.get("pod") == Some("first")
                && signal.labels.get("container") == Some("wait")
        }
    };
    let (told, _) = stage.inbox.wait_for(of_first(SignalStatus::Firing)).await.expect("it is told");
    assert!(told.headline().ends_with("its first container wait has not ended"), "{}", told.headline());
    stage.inbox.wait_for(of_first(SignalStatus::Resolved)).await.expect("it is resolved");
}

/// A program that is ready only some time after it runs.
async fn readiness(stage: &Stage) {
    let command = r#"["sh", "-c", "sleep 15; touch /tmp/ready; sleep 600"]"#;
    let probe = "{ exec: { command: [test, -f, /tmp/ready] }, periodSeconds: 1 }";
    let container = format!("image: localhost/busybox:1, command: {command}, readinessProbe: {probe}");
    stage.apply(&deployment("readiness", &container)).await;
    let (unready, probe) =
        tokio::join!(stage.firing("PodNotReady", "Pod readiness-"), stage.firing("PodProbeFailing", "Pod readiness-"));
    assert_eq!(unready.labels.get("deployment"), Some("readiness"));
    assert_eq!(probe.labels.get("container"), Some("app"));
    tokio::join!(stage.resolved("PodNotReady", "Pod readiness-"), stage.resolved("PodProbeFailing", "Pod readiness-"));
}

/// The kubelet ends what writes more than its volume may hold.
async fn eviction(stage: &Stage) {
    stage
        .apply(
            r#"
apiVersion: v1
kind: Pod
metadata: { name: eviction }
spec:
  terminationGracePeriodSeconds: 0
  restartPolicy: Never
  containers:
    - name: app
      image: localhost/busybox:1
      command: [sh, -c, "dd if=/dev/zero of=/v/full bs=1M count=8; sleep 600"]
      volumeMounts: [{ name: v, mountPath: /v }]
  volumes: [{ name: v, emptyDir: { sizeLimit: 1Mi } }]"#,
        )
        .await;
    let signal = stage.firing("PodEvicted", "Pod eviction").await;
    assert!(signal.headline().contains("exceeds the limit"), "{}", signal.headline());
    delete(&stage.api::<Pod>(), "eviction").await;
    stage.resolved("PodEvicted", "Pod eviction").await;
}

/// No runtime has the handler that the pod wants.
async fn sandbox(stage: &Stage) {
    let class = stage.unique("none");
    stage
        .apply(&format!(
            "
{{ apiVersion: node.k8s.io/v1, kind: RuntimeClass, metadata: {{ name: {class} }}, handler: none-such }}
---
apiVersion: v1
kind: Pod
metadata: {{ name: sandbox }}
spec: {{ terminationGracePeriodSeconds: 0, runtimeClassName: {class}, containers: [{{ name: app, image: 'localhost/pause:1' }}] }}"
        ))
        .await;
    let staged = async {
        let signal = stage.firing("PodSandboxFailing", "Pod sandbox").await;
        assert!(signal.headline().contains("none-such"), "{}", signal.headline());
        delete(&stage.api::<Pod>(), "sandbox").await;
        stage.resolved("PodSandboxFailing", "Pod sandbox").await;
    };
    and_then_clear(staged, delete(&stage.api_of_cluster::<RuntimeClass>(), &class)).await;
}

/// Ends when nobody holds the pod any more.
async fn terminating(stage: &Stage) {
    stage.apply(&pod("terminating", r#"image: "localhost/pause:1""#)).await;
    let pods = stage.api::<Pod>();
    patch(&pods, "terminating", json!({"metadata": {"finalizers": ["example.com/hold"]}})).await;
    delete(&pods, "terminating").await;
    let signal = stage.firing("PodStuckTerminating", "Pod terminating").await;
    assert!(signal.headline().ends_with("it waits for example.com/hold"), "{}", signal.headline());
    patch(&pods, "terminating", json!({"metadata": {"finalizers": null}})).await;
    stage.resolved("PodStuckTerminating", "Pod terminating").await;
}

/// A pod with one container.
pub(crate) fn pod(name: &str, container: &str) -> String {
    format!(
        "
apiVersion: v1
kind: Pod
metadata: {{ name: {name} }}
spec: {{ terminationGracePeriodSeconds: 0, containers: [{{ name: app, {container} }}] }}"
    )
}

/// A Deployment of one pod with one container.
pub(crate) fn deployment(name: &str, container: &str) -> String {
    format!(
        "
apiVersion: apps/v1
kind: Deployment
metadata: {{ name: {name} }}
spec:
  selector: {{ matchLabels: {{ app: {name} }} }}
  template:
    metadata: {{ labels: {{ app: {name} }} }}
    spec: {{ terminationGracePeriodSeconds: 0, containers: [{{ name: app, {container} }}] }}"
    )
}
