//! What the name of an alert tells of what it measures.

use marple_core::Verdict;

use super::conclusions::{concluded, of, symptom};
use super::*;

#[test]
fn an_alert_on_a_metric_has_not_passed_because_the_objects_are_well() {
    let cart = of("Deployment", "shop", "cart");
    let mut scene = scene(workload("shop", "cart", pod("shop", "cart")), &[], vec![]);
    for name in [
        "ContainerHighMemoryUsage",
        "ContainerHighThrottleRate",
        "PodMemoryUsageHigh",
        "JobDurationHigh",
        "DeploymentLatencyHigh",
        "NodeFilesystemAlmostOutOfSpace",
        "NodeCPUHighUsage",
        "NodeClockNotSynchronising",
        "KubePersistentVolumeFillingUp",
        "KubeStatefulSetUpdateNotRolledOut",
        "KubeNodeReadinessFlapping",
        "KubeHpaMaxedOut",
    ] {
        let conclusion = concluded(&mut scene, &[symptom(name, &cart)]);
        assert_eq!(conclusion.verdict, Verdict::Inconclusive, "{name}");
        assert!(!conclusion.summary.contains("has passed"), "{name}: {}", conclusion.summary);
    }
    for name in ["KubePodNotReady", "KubernetesPodCrashLooping", "PodNotReady", "KubeDeploymentReplicasMismatch"] {
        assert_eq!(concluded(&mut scene, &[symptom(name, &cart)]).verdict, Verdict::NoFault, "{name}");
    }
    let both = [symptom("KubePodNotReady", &cart), symptom("ContainerHighMemoryUsage", &cart)];
    assert_eq!(concluded(&mut scene, &both).verdict, Verdict::Inconclusive);
}

#[test]
fn the_bound_of_what_an_alert_measures_is_named() {
    let limits = json!({"resources": {"limits": {"cpu": "100m", "memory": "64Mi"}}});
    let pod = with_container(pod("shop", "cart"), &limits, &json!({}));
    let mut scene = scene(workload("shop", "cart", pod), &[], vec![]);
    let mut said = |name: &str| concluded(&mut scene, &[symptom(name, &of("Deployment", "shop", "cart"))]).summary;
    let throttled = said("CPUThrottlingHigh");
    assert!(throttled.contains("container app is limited to CPU 100m"), "{throttled}");
    assert!(said("ContainerHighMemoryUsage").contains("limited to memory 64Mi"));
    assert!(!said("HighErrorRate").contains("limited"));
    let claim = json!({"status": {"phase": "Bound", "capacity": {"storage": "1Gi"}}});
    scene.insert(object("PersistentVolumeClaim", "shop", "data", &claim));
    let full = concluded(
        &mut scene,
        &[symptom("KubePersistentVolumeFillingUp", &of("PersistentVolumeClaim", "shop", "data"))],
    );
    assert!(full.summary.contains("PersistentVolumeClaim shop/data has 1Gi"), "{}", full.summary);
}

#[test]
fn an_alert_of_the_node_exporter_is_about_the_node_that_it_runs_on() {
    let mut objects = workload("monitoring", "exporter", pod("monitoring", "exporter"));
    let pressure = |status: &str| {
        json!({"kind": "Node", "metadata": {"name": "worker-1", "creationTimestamp": OLD}, "status": {"conditions": [
            {"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": status, "reason": "x", "message": "the disk is full",
             "lastTransitionTime": "2026-01-02T11:40:00Z"}]}})
    };
    objects.push(pressure("True"));
    let mut full = scene(objects.clone(), &[], vec![]);
    let exporter = of("Pod", "monitoring", "exporter-5d-a");
    let alert = [symptom("NodeFilesystemAlmostOutOfSpace", &exporter)];
    assert_eq!(super::conclusions::cause(&concluded(&mut full, &alert)), "Node worker-1");
    objects.pop();
    objects.push(pressure("False"));
    let well = concluded(&mut scene(objects, &[], vec![]), &alert);
    assert_eq!(well.verdict, Verdict::Inconclusive);
    assert!(well.summary.contains("Node worker-1 is ready") && !well.summary.contains("exporter"), "{}", well.summary);
}

#[test]
fn a_quota_that_is_nearly_full_explains_the_alert_on_it_alone() {
    let quota = |used: &str| {
        object(
            "ResourceQuota",
            "shop",
            "team",
            &json!({"status": {"hard": {"pods": "10", "requests.cpu": "4"}, "used": {"pods": used, "requests.cpu": "500m"}}}),
        )
    };
    let mut full = scene(vec![quota("9")], &[], vec![]);
    let alert = symptom("KubeQuotaAlmostFull", &of("ResourceQuota", "shop", "team"));
    let conclusion = concluded(&mut full, std::slice::from_ref(&alert));
    assert_eq!(super::conclusions::cause(&conclusion), "ResourceQuota shop/team");
    assert!(conclusion.summary.contains("9 of 10 pods"), "{}", conclusion.summary);
    let space = ObjectRef::cluster("Namespace", "shop");
    assert_eq!(concluded(&mut full, &[symptom("HighErrorRate", &space)]).cause, None);
    assert_eq!(concluded(&mut scene(vec![quota("3")], &[], vec![]), &[alert]).cause, None);
}
