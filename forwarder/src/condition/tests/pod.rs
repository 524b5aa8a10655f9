//! Conditions of pods.

use serde_json::{Value, json};

use super::*;

fn pod(status: Value) -> Object {
    pod_with(json!({}), status)
}

fn pod_with(metadata: Value, status: Value) -> Object {
    let mut pod = json!({
        "metadata": {"name": "cart-1", "namespace": "shop", "uid": "u1", "creationTimestamp": "2026-01-01T08:00:00Z",
            "managedFields": [{"manager": "kubelet"}], "labels": {"app": "cart"},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "cart-7d4", "uid": "u0", "controller": true}]},
        "spec": {"nodeName": "worker-1", "containers": [
            {"name": "app", "image": "shop/cart:1", "resources": {"limits": {"memory": "64Mi", "cpu": 1}}}]},
        "status": status,
    });
    for (name, value) in metadata.as_object().unwrap() {
        pod["metadata"][name] = value.clone();
    }
    Object::Pod(view(pod))
}

/// The status of a pod whose one container has restarted twice and is in this state.
fn container(state: Value, last: Value) -> Value {
    json!({
        "phase": "Running",
        "conditions": [{"type": "ContainersReady", "status": "False", "lastTransitionTime": "2026-01-01T09:00:00Z"}],
        "containerStatuses": [{"name": "app", "ready": false, "restartCount": 2, "state": state, "lastState": last}],
    })
}

fn ended(reason: &str, code: i32) -> Value {
    json!({"terminated": {"exitCode": code, "reason": reason, "message": "no\n database", "finishedAt": "2026-01-01T09:59:00Z"}})
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"waiting": {"reason": reason, "message": message}})
}

#[test]
fn a_container_that_backs_off_crash_loops() {
    let seen = one(&pod(container(waiting("CrashLoopBackOff", "back-off 20s"), ended("Error", 1))));
    assert_eq!(
        seen,
        Sighting {
            name: "PodCrashLooping",
            subject: None,
            container: some("app"),
            condition: None,
            workload: None,
            severity: marple_core::Severity::Warning,
            stage: AT_ONCE,
            since: Some(at("2026-01-01T09:59:00Z")),
            last: None,
            until: None,
            progress: None,
            rate_limit: Duration::from_mins(10),
            reason: some("Error"),
            node: some("worker-1"),
            summary: "Container app of Pod shop/cart-1 restarts again and again: exit code 1 (Error), 2 restarts"
                .to_owned(),
            description: some("no database"),
        }
    );
}

#[test]
fn a_container_that_runs_between_crashes_keeps_the_loop_for_ten_minutes_and_begins_none() {
    let running = json!({"running": {"startedAt": "2026-01-01T10:00:00Z"}});
    let seen = see(&pod(container(running, ended("Error", 1))));
    assert_eq!(
        course(&seen),
        [("PodCrashLooping", Stage::Lingers, some("2026-01-01T09:59:00Z"), some("2026-01-01T10:10:00Z"))]
    );
}

#[test]
fn three_restarts_inside_the_window_crash_loop_without_back_off() {
    let running = json!({"running": {"startedAt": "2026-01-01T10:00:00Z"}});
    let pod = pod(container(running, ended("Error", 1)));
    let restarts = ["2026-01-01T09:51:00Z", "2026-01-01T09:55:00Z", "2026-01-01T09:59:00Z"];
    assert_eq!(see_with(&pod, &restarts)[0].stage, AT_ONCE);
    assert_eq!(see_with(&pod, &restarts[1..])[0].stage, Stage::Lingers);
}

#[test]
fn a_first_container_that_ended_well_after_failures_is_done() {
    let status = json!({
        "phase": "Pending",
        "initContainerStatuses": [{"name": "migrate", "restartCount": 3, "lastState": ended("Error", 1),
            "state": {"terminated": {"exitCode": 0, "reason": "Completed", "finishedAt": "2026-01-01T10:00:00Z"}}}],
    });
    let mut object = pod(status);
    if let Object::Pod(pod) = &mut object {
        pod.spec.init_containers = vec![crate::object::Container { name: "migrate".to_owned(), ..Default::default() }];
    }
    assert_eq!(see(&object), []);
}

#[test]
fn an_image_that_can_not_be_pulled_is_told_after_its_hold_and_one_that_is_never_pulled_at_once() {
    let message = "Back-off pulling image \"shop/cart:1\": ErrImagePull: not found";
    let seen = one(&pod(container(waiting("ImagePullBackOff", message), json!({}))));
    let hold = Stage::Lasts(Duration::from_secs(30));
    assert_eq!((seen.stage, seen.since), (hold, Some(at("2026-01-01T09:00:00Z"))));
    assert_eq!(seen.summary, "Image shop/cart:1 of container app of Pod shop/cart-1 can't be pulled: not found");
    let seen = one(&pod(container(waiting("ErrImagePull", "not found"), json!({}))));
    assert_eq!(seen.stage, hold);
    assert_eq!(one(&pod(container(waiting("ErrImageNeverPull", "no"), json!({})))).stage, AT_ONCE);
}

#[test]
fn a_container_that_is_being_made_shows_nothing() {
    assert_eq!(see(&pod(container(waiting("ContainerCreating", ""), json!({})))), []);
}

#[test]
fn a_missing_config_map_is_told_by_the_kubelets_words() {
    let seen = one(&pod(container(waiting("CreateContainerConfigError", "configmap \"cart\" not found"), json!({}))));
    assert_eq!(seen.name, "PodContainerStartFailing");
    assert_eq!(
        seen.summary,
        "Container app of Pod shop/cart-1 can't be started: CreateContainerConfigError: configmap \"cart\" not found"
    );
}

#[test]
fn a_command_that_is_not_in_the_image_is_both_a_failed_start_and_a_crash_loop() {
    let seen = see(&pod(container(waiting("CrashLoopBackOff", ""), ended("StartError", 128))));
    let names: Vec<_> = seen.iter().map(|it| it.name).collect();
    assert_eq!(names, ["PodCrashLooping", "PodContainerStartFailing"]);
    let running = json!({"running": {"startedAt": "2026-01-01T10:00:00Z"}});
    let seen = see(&pod(container(running, ended("StartError", 128))));
    assert_eq!(seen.iter().map(|it| it.name).collect::<Vec<_>>(), ["PodCrashLooping"]);
}

#[test]
fn an_oom_kill_is_told_with_the_limit_and_ends_after_ten_good_minutes() {
    let running = json!({"running": {"startedAt": "2026-01-01T10:00:00Z"}});
    let seen = see(&pod(container(running, ended("OOMKilled", 137))));
    let kill = seen.iter().find(|it| it.name == "PodOOMKilled").unwrap();
    assert_eq!((kill.since, kill.until), (Some(at("2026-01-01T09:59:00Z")), Some(at("2026-01-01T10:10:00Z"))));
    assert_eq!(
        kill.summary,
        "Container app of Pod shop/cart-1 was ended for its memory (OOMKilled, exit code 137), its limit is 64Mi; 2 restarts"
    );
    let seen = see(&pod(container(waiting("CrashLoopBackOff", ""), ended("OOMKilled", 137))));
    assert_eq!(seen.iter().find(|it| it.name == "PodOOMKilled").unwrap().until, None);
}

#[test]
fn an_exit_137_by_another_hand_is_no_oom_kill() {
    let seen = see(&pod(container(waiting("CrashLoopBackOff", ""), ended("Error", 137))));
    assert!(seen.iter().all(|it| it.name != "PodOOMKilled"));
}

#[test]
fn an_evicted_pod_is_told_for_an_hour_from_its_disruption() {
    let seen = see(&pod(json!({
        "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory.",
        "startTime": "2026-01-01T08:00:00Z",
        "conditions": [{"type": "DisruptionTarget", "status": "True", "lastTransitionTime": "2026-01-01T09:30:00Z"}],
    })));
    assert_eq!(course(&seen), [("PodEvicted", AT_ONCE, some("2026-01-01T09:30:00Z"), some("2026-01-01T10:30:00Z"))]);
    assert_eq!(seen[0].summary, "Pod shop/cart-1 was evicted: The node was low on resource: memory.");
}

#[test]
fn a_pod_that_failed_by_itself_is_not_evicted() {
    assert_eq!(see(&pod(json!({"phase": "Failed", "reason": "DeadlineExceeded"}))), []);
}

fn unscheduled(reason: &str) -> Value {
    json!({"phase": "Pending", "conditions": [{"type": "PodScheduled", "status": "False", "reason": reason,
        "message": "0/3 nodes are available: 3 Insufficient cpu.", "lastTransitionTime": "2026-01-01T08:00:00Z"}]})
}

#[test]
fn a_pod_that_fits_no_node_is_told_after_its_hold() {
    let seen = one(&pod(unscheduled("Unschedulable")));
    assert_eq!(
        (seen.name, seen.stage, seen.since),
        ("PodUnschedulable", Stage::Holds(Duration::from_mins(2)), Some(at("2026-01-01T08:00:00Z")))
    );
    assert_eq!(seen.summary, "Pod shop/cart-1 fits no node: 0/3 nodes are available: 3 Insufficient cpu.");
}

#[test]
fn a_gated_pod_and_one_that_is_being_deleted_wait_for_no_node() {
    assert_eq!(see(&pod(unscheduled("SchedulingGated"))), []);
    let deleting = json!({"deletionTimestamp": "2026-01-01T09:00:00Z"});
    assert_eq!(one(&pod_with(deleting, unscheduled("Unschedulable"))).name, "PodStuckTerminating");
}

fn unready() -> Value {
    json!({
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady",
            "message": "containers with unready status: [app]", "lastTransitionTime": "2026-01-01T09:00:00Z"}],
        "containerStatuses": [{"name": "app", "ready": false, "state": {"running": {"startedAt": "2026-01-01T08:59:00Z"}}}],
    })
}

#[test]
fn a_pod_that_runs_and_is_not_ready_is_told_after_its_hold() {
    let seen = one(&pod(unready()));
    assert_eq!(
        (seen.name, seen.stage, seen.since),
        ("PodNotReady", Stage::Holds(Duration::from_mins(5)), Some(at("2026-01-01T09:00:00Z")))
    );
    assert_eq!(seen.summary, "Pod shop/cart-1 runs and is not ready: container app is not");
}

#[test]
fn pods_of_jobs_and_of_nobody_need_not_be_ready() {
    assert_eq!(see(&pod_with(json!({"ownerReferences": []}), unready())), []);
    let job = json!([{"apiVersion": "batch/v1", "kind": "Job", "name": "import", "uid": "u2", "controller": true}]);
    assert_eq!(see(&pod_with(json!({"ownerReferences": job}), unready())), []);
}

#[test]
fn nothing_but_what_is_read_is_kept_of_metadata() {
    let Object::Pod(pod) = pod(json!({})) else { panic!() };
    assert_eq!((pod.metadata.managed_fields, pod.metadata.annotations), (None, None));
    assert_eq!(pod.metadata.name.as_deref(), Some("cart-1"));
}

#[test]
fn a_pod_that_is_there_after_its_deletion_names_the_finalizers_that_hold_it() {
    let metadata =
        json!({"deletionTimestamp": "2026-01-01T09:00:00Z", "finalizers": ["example.com/a", "example.com/b"]});
    let seen = one(&pod_with(metadata, json!({"phase": "Running"})));
    let hold = Stage::Holds(Duration::from_mins(10));
    assert_eq!(
        (seen.name, seen.stage, seen.since, seen.reason.as_deref()),
        ("PodStuckTerminating", hold, Some(at("2026-01-01T09:00:00Z")), Some("FinalizersRemaining"))
    );
    assert_eq!(
        seen.summary,
        "Pod shop/cart-1 was to be gone at 2026-01-01T09:00:00Z and is there: it waits for example.com/a, example.com/b"
    );
}

fn starting(first: Value, second: Value) -> Object {
    let mut object = pod(json!({
        "phase": "Pending",
        "conditions": [{"type": "PodScheduled", "status": "True", "lastTransitionTime": "2026-01-01T09:00:00Z"}],
        "initContainerStatuses": [{"name": "wait", "state": first}],
        "containerStatuses": [{"name": "app", "state": second}],
    }));
    if let Object::Pod(pod) = &mut object {
        pod.spec.init_containers = vec![crate::object::Container { name: "wait".to_owned(), ..Default::default() }];
    }
    object
}

#[test]
fn a_pod_whose_containers_are_not_made_is_told_after_its_hold() {
    let seen = one(&starting(waiting("PodInitializing", ""), waiting("ContainerCreating", "")));
    let hold = Stage::Holds(Duration::from_mins(10));
    assert_eq!((seen.name, seen.stage, seen.since), ("PodStartStuck", hold, Some(at("2026-01-01T09:00:00Z"))));
    assert_eq!(seen.summary, "Pod shop/cart-1 does not start: its containers are not made");
}

#[test]
fn a_first_container_that_does_not_end_is_told_since_it_runs() {
    let runs = json!({"running": {"startedAt": "2026-01-01T09:30:00Z"}});
    let seen = one(&starting(runs.clone(), waiting("PodInitializing", "")));
    assert_eq!((seen.container.as_deref(), seen.since), (Some("wait"), Some(at("2026-01-01T09:30:00Z"))));
    let mut beside = starting(runs, waiting("ContainerCreating", ""));
    if let Object::Pod(pod) = &mut beside {
        pod.spec.init_containers[0].restart_policy = some("Always");
        pod.status.init_container_statuses[0].ready = true;
    }
    assert_eq!(one(&beside).summary, "Pod shop/cart-1 does not start: its containers are not made");
}

#[test]
fn a_container_that_tells_itself_why_it_does_not_start_is_another_condition() {
    let seen = see(&starting(json!({}), waiting("ImagePullBackOff", "no")));
    assert_eq!(seen.iter().map(|it| it.name).collect::<Vec<_>>(), ["PodImagePullFailing"]);
}
