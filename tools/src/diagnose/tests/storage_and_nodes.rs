use super::*;

const CART: &str = "Deployment shop/cart";

fn unschedulable(message: &str, spec: &Value) -> Value {
    let pending = json!({"spec": {"nodeName": null}, "status": {"phase": "Pending", "containerStatuses": [], "conditions": [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]}});
    let mut value = with(pod("shop", "cart"), &pending);
    merge(&mut value["spec"], spec);
    value
}

fn node(patch: &Value) -> Value {
    let base = json!({"kind": "Node", "metadata": {"name": "worker-1", "creationTimestamp": OLD},
        "status": {"allocatable": {"cpu": "2", "memory": "4Gi"}, "conditions": [{"type": "Ready", "status": "True"}]}});
    with(base, patch)
}

fn of(pod: Value, node: Value) -> Scene {
    let mut objects = workload("shop", "cart", pod);
    objects.push(node);
    scene(objects, &[], vec![])
}

#[test]
fn each_predicate_that_no_node_passes_has_its_condition_and_culprit() {
    let with_node = |reason: &str, node: Value| {
        found(&of(
            unschedulable(
                &format!(
                    "0/1 nodes are available: {reason}. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod."
                ),
                &json!({}),
            ),
            node,
        ))
    };
    let of = |reason: &str| with_node(reason, node(&json!({})));
    assert_eq!(of("1 Insufficient cpu"), one("unschedulable-resources", CART));
    assert_eq!(of("1 node(s) had untolerated taint {dedicated: gpu}"), one("unschedulable-taint", CART));
    assert_eq!(of("1 node(s) didn't match Pod's node affinity/selector"), one("unschedulable-affinity", CART));
    assert_eq!(
        of("1 node(s) didn't have free ports for the requested pod ports"),
        one("unschedulable-host-port", CART)
    );
    assert_eq!(of("1 Too many pods"), one("unschedulable-too-many-pods", CART));
    let cordoned = with_node("1 node(s) were unschedulable", node(&json!({"spec": {"unschedulable": true}})));
    assert_eq!(cordoned, [one("node-cordoned", ""), one("unschedulable-cordoned", "Node worker-1")].concat());
    let tainted =
        node(&json!({"spec": {"taints": [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]}}));
    assert_eq!(
        with_node("1 node(s) had untolerated taint {node.kubernetes.io/disk-pressure: }", tainted),
        one("unschedulable-taint", "Node worker-1")
    );
}

#[test]
fn a_node_that_fails_or_is_cordoned_is_told_before_what_follows_from_it() {
    let of = |reasons: &str, patch: Value| {
        let message = format!("0/3 nodes are available: {reasons}. preemption: none");
        found(&of(unschedulable(&message, &json!({})), node(&patch)))
    };
    let gone = json!({"spec": {"taints": [{"key": "node.kubernetes.io/unreachable", "effect": "NoSchedule"}]}});
    assert_eq!(
        of("1 Insufficient memory, 2 node(s) had untolerated taint {node.kubernetes.io/unreachable: }", gone),
        one("unschedulable-taint", "Node worker-1")
    );
    assert_eq!(
        of("2 Insufficient cpu, 1 node(s) were unschedulable", json!({"spec": {"unschedulable": true}})),
        [one("node-cordoned", ""), one("unschedulable-cordoned", "Node worker-1")].concat()
    );
    let plane = "1 node(s) had untolerated taint {node-role.kubernetes.io/control-plane: }";
    assert_eq!(
        of(&format!("{plane}, 2 node(s) didn't match Pod's node affinity/selector"), json!({})),
        one("unschedulable-affinity", CART)
    );
    assert_eq!(of(plane, json!({})), one("unschedulable-taint", CART));
}

#[test]
fn short_resources_are_told_in_numbers() {
    let asks = json!({"containers": [{"name": "app", "resources": {"requests": {"cpu": "64"}}}]});
    let scene =
        of(unschedulable("0/1 nodes are available: 1 Insufficient cpu. preemption: none", &asks), node(&json!({})));
    assert_eq!(
        statement(&scene, "unschedulable-resources"),
        "Pod shop/cart-5d-a fits no node: 0/1 nodes are available: 1 Insufficient cpu.; it asks for cpu 64, the largest node has 2 in all"
    );
}

#[test]
fn a_claim_that_waits_for_its_class_blames_the_class() {
    let claim = object(
        "PersistentVolumeClaim",
        "shop",
        "data",
        &json!({"spec": {"storageClassName": "fast"}, "status": {"phase": "Pending"}}),
    );
    let of = |reason: &str, message: &str| {
        found(&scene(vec![claim.clone()], &[event("PersistentVolumeClaim", "shop", "data", reason, message)], vec![]))
    };
    assert_eq!(
        of("ProvisioningFailed", "storageclass.storage.k8s.io \"fast\" not found"),
        one("storage-class-missing", "StorageClass fast")
    );
    assert_eq!(
        of("ProvisioningFailed", "failed to provision volume: quota of disks reached"),
        one("provisioning-failed", "PersistentVolumeClaim shop/data")
    );
    assert_eq!(
        of(
            "ExternalProvisioning",
            "Waiting for a volume to be created either by the external provisioner 'disk.example' or manually by the system administrator."
        ),
        one("provisioner-absent", "StorageClass fast")
    );
    assert_eq!(of("WaitForFirstConsumer", "waiting for first consumer to be created before binding"), []);
    let bound = with(claim, &json!({"status": {"phase": "Bound"}}));
    assert_eq!(found(&scene(vec![bound], &[], vec![])), []);
}

#[test]
fn a_claim_without_class_or_volume_is_told() {
    let claim = |phase: &str| {
        object(
            "PersistentVolumeClaim",
            "shop",
            "data",
            &json!({"spec": {"volumeName": "pv-1"}, "status": {"phase": phase}}),
        )
    };
    let none = "no persistent volumes available for this claim and no storage class is set";
    let events = [event("PersistentVolumeClaim", "shop", "data", "FailedBinding", none)];
    assert_eq!(
        found(&scene(vec![claim("Pending")], &events, vec![])),
        one("claim-without-class", "PersistentVolumeClaim shop/data")
    );
    assert_eq!(found(&scene(vec![claim("Lost")], &[], vec![])), one("claim-lost", "PersistentVolumeClaim shop/data"));
}

#[test]
fn a_pod_that_waits_for_a_claim_blames_the_claim() {
    let volumes = json!({"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]});
    let pod = unschedulable(
        "0/1 nodes are available: pod has unbound immediate PersistentVolumeClaims. preemption: none",
        &volumes,
    );
    assert_eq!(
        found(&of(pod.clone(), node(&json!({})))),
        one("unschedulable-volume", "PersistentVolumeClaim shop/data")
    );
    let mut scene = of(pod, node(&json!({})));
    scene.missing.insert(ObjectRef::namespaced("PersistentVolumeClaim", "shop", "data"));
    assert_eq!(
        found(&scene),
        [
            one("claim-missing", "PersistentVolumeClaim shop/data"),
            one("unschedulable-volume", "PersistentVolumeClaim shop/data")
        ]
        .concat()
    );
}

#[test]
fn a_volume_that_is_attached_elsewhere_blames_the_claim() {
    let volumes = json!({"spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}, "status": {"phase": "Pending"}});
    let pod = with_container(with(pod("shop", "cart"), &volumes), &json!({}), &waiting("ContainerCreating", ""));
    let of = |reason: &str, message: &str| {
        found(&scene(workload("shop", "cart", pod.clone()), &[pod_event("cart", reason, message)], vec![]))
    };
    assert_eq!(
        of("FailedAttachVolume", "Multi-Attach error for volume \"pvc-1\" Volume is already used by pod(s) cart-5d-z"),
        one("volume-in-use-elsewhere", "PersistentVolumeClaim shop/data")
    );
    assert_eq!(
        of(
            "FailedMount",
            "MountVolume.SetUp failed for volume \"cache\" : hostPath type check failed: /cache is not a directory"
        ),
        one("volume-not-mounted", CART)
    );
    assert_eq!(of("FailedMount", "Unable to attach or mount volumes: unmounted volumes=[data]"), []);
}

#[test]
fn a_node_in_trouble_is_the_culprit() {
    let of = |condition: Value| found(&scene(vec![node(&json!({"status": {"conditions": [condition]}}))], &[], vec![]));
    let condition = |kind: &str, status: &str, reason: &str| json!({"type": kind, "status": status, "reason": reason, "message": "the kubelet says so", "lastTransitionTime": "2026-01-02T11:40:00Z"});
    assert_eq!(of(condition("Ready", "Unknown", "NodeStatusUnknown")), one("node-not-ready", "Node worker-1"));
    assert_eq!(of(condition("Ready", "False", "KubeletNotReady")), one("node-not-ready", "Node worker-1"));
    assert_eq!(of(condition("DiskPressure", "True", "KubeletHasDiskPressure")), one("node-pressure", "Node worker-1"));
    assert_eq!(of(condition("DiskPressure", "False", "KubeletHasNoDiskPressure")), []);
    assert_eq!(of(condition("Ready", "True", "KubeletReady")), []);
}

#[test]
fn an_eviction_blames_the_node_or_the_pods_own_usage() {
    let of = |message: &str| {
        let evicted =
            json!({"status": {"phase": "Failed", "reason": "Evicted", "message": message, "containerStatuses": []}});
        found(&scene(workload("shop", "cart", with(pod("shop", "cart"), &evicted)), &[], vec![]))
    };
    assert_eq!(
        of("The node was low on resource: memory. Threshold quantity: 100Mi, available: 80Mi."),
        one("pod-evicted-by-node-pressure", "Node worker-1")
    );
    assert_eq!(
        of("Pod ephemeral local storage usage exceeds the total limit of containers 100Mi."),
        one("pod-evicted-for-its-usage", CART)
    );
}

#[test]
fn a_sandbox_that_the_node_cannot_make_points_at_the_node() {
    let pod = with_container(
        with(pod("shop", "cart"), &json!({"status": {"phase": "Pending"}})),
        &json!({}),
        &waiting("ContainerCreating", ""),
    );
    let message = "Failed to create pod sandbox: rpc error: code = Unknown desc = failed to setup network for sandbox: plugin type=\"bridge\" failed (add): no IP addresses available";
    let objects = workload("shop", "cart", pod);
    assert_eq!(
        found(&scene(objects.clone(), &[pod_event("cart", "FailedCreatePodSandBox", message)], vec![])),
        one("pod-sandbox-failed", "Node worker-1")
    );
    assert_eq!(found(&scene(objects, &[], vec![])), []);
}

#[test]
fn a_pod_that_does_not_go_is_told_and_one_that_is_going_is_not() {
    let of = |at: &str| {
        names(&run(&scene(
            vec![with(pod("shop", "cart"), &json!({"metadata": {"deletionTimestamp": at}}))],
            &[],
            vec![],
        )))
        .len()
    };
    assert_eq!((of("2026-01-02T11:00:00Z"), of("2026-01-02T11:59:50Z")), (1, 0));
}

#[test]
fn a_claim_that_asks_for_more_than_any_free_volume_of_its_class_has_is_told_so() {
    let claim = object(
        "PersistentVolumeClaim",
        "shop",
        "data",
        &json!({"spec": {"storageClassName": "local", "resources": {"requests": {"storage": "20Gi"}}},
            "status": {"phase": "Pending"}}),
    );
    let says = |sizes: &[&str]| {
        let volume = |(number, size): (usize, &&str)| {
            let spec = json!({"storageClassName": "local", "capacity": {"storage": size}});
            json!({"kind": "PersistentVolume", "metadata": {"name": format!("disk-{number}"), "creationTimestamp": OLD},
                "spec": spec, "status": {"phase": "Available"}})
        };
        let objects = sizes.iter().enumerate().map(volume).chain([claim.clone()]).collect();
        let message = "no volume plugin matched name: kubernetes.io/no-provisioner";
        let events = [event("PersistentVolumeClaim", "shop", "data", "ProvisioningFailed", message)];
        statement(&scene(objects, &events, vec![]), "provisioning-failed")
    };
    let small =
        "It asks for 20Gi, and the largest free volume of its class, PersistentVolume disk-1, has 8Gi. The volume";
    assert!(says(&["5Gi", "8Gi"]).starts_with(small), "{}", says(&["5Gi", "8Gi"]));
    assert!(says(&["5Gi", "30Gi"]).starts_with("The volume"));
    assert!(says(&[]).starts_with("The volume"));
}
