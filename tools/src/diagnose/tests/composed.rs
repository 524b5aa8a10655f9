//! Conclusions where several things are wrong, or odd, at once.

use marple_core::{Confidence, Verdict};

use super::conclusions::{calls, cause, concluded, crashing, missing_config, of, symptom};
use super::*;
use crate::scene::{Change, Rollout};

/// Lays a change of an object into the scene, so many minutes before the symptoms, which began at 11:50.
pub(super) fn changed(scene: &mut Scene, object: ObjectRef, minutes: i64, field: &str) {
    let began: Timestamp = "2026-01-02T11:50:00Z".parse().unwrap();
    let change = Change { field: field.to_owned(), from: Some("1".to_owned()), to: Some("2".to_owned()) };
    let at = began - jiff::SignedDuration::from_mins(minutes);
    scene.rollouts.insert(
        object,
        Rollout { at, revision: "revision 2".to_owned(), by: None, writer: None, changes: vec![change] },
    );
}

#[test]
fn an_old_restart_is_no_cause_of_slow_answers() {
    let status = json!({"restartCount": 1, "lastState": ended(1, "Error", "2026-01-02T11:05:00Z")});
    let pod = with_container(pod("shop", "cart"), &json!({}), &status);
    let mut scene =
        scene(workload("shop", "cart", pod), &[], vec![log("shop", "cart", true, "panic: index out of range")]);
    let conclusion = concluded(&mut scene, &[symptom("HighLatency", &of("Deployment", "shop", "cart"))]);
    assert_eq!((conclusion.verdict, conclusion.cause), (Verdict::Inconclusive, None));
    assert!(conclusion.ruled_out.is_empty() && conclusion.confidence == Confidence::Low);
}

#[test]
fn a_restart_some_time_before_is_named_with_little_confidence() {
    let status = json!({"restartCount": 1, "lastState": ended(1, "Error", "2026-01-02T11:25:00Z")});
    let pod = with_container(pod("shop", "cart"), &json!({}), &status);
    let mut scene =
        scene(workload("shop", "cart", pod), &[], vec![log("shop", "cart", true, "panic: index out of range")]);
    let conclusion = concluded(&mut scene, &[symptom("HighLatency", &of("Deployment", "shop", "cart"))]);
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("Deployment shop/cart", Confidence::Low));
}

#[test]
fn a_change_shortly_before_is_suspected_where_nothing_is_broken() {
    let deployment = of("Deployment", "shop", "cart");
    let well = || scene(workload("shop", "cart", pod("shop", "cart")), &[], vec![]);
    let mut at_once = well();
    changed(&mut at_once, deployment.clone(), 4, "containers[app].env[CACHE]");
    let conclusion = concluded(&mut at_once, &[symptom("HighErrorRate", &deployment)]);
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("Deployment shop/cart", Confidence::Low));
    assert_eq!(
        conclusion.summary,
        "Deployment shop/cart was changed at 11:46 UTC: containers[app].env[CACHE]: 1 -> 2. That was 4 min before HighErrorRate, which nothing else in the cluster's state explains."
    );
    let mut long_ago = well();
    changed(&mut long_ago, deployment.clone(), 90, "containers[app].env[CACHE]");
    assert_eq!(concluded(&mut long_ago, &[symptom("HighErrorRate", &deployment)]).verdict, Verdict::Inconclusive);
    let mut restarted = well();
    changed(&mut restarted, deployment.clone(), 4, "metadata.annotations.kubectl.kubernetes.io/restartedAt");
    assert_eq!(concluded(&mut restarted, &[symptom("HighErrorRate", &deployment)]).verdict, Verdict::Inconclusive);
    let mut of_state = well();
    changed(&mut of_state, deployment.clone(), 4, "containers[app].env[CACHE]");
    assert_eq!(concluded(&mut of_state, &[symptom("KubePodNotReady", &deployment)]).verdict, Verdict::NoFault);
}

#[test]
fn a_change_of_what_is_called_is_suspected_after_those_of_its_own() {
    let mut web = workload("shop", "web", pod("shop", "web"));
    calls(&mut web, "http://orders:8080");
    let objects =
        [web, workload("shop", "orders", pod("shop", "orders")), vec![service("shop", "orders", 8080)]].concat();
    let web = of("Deployment", "shop", "web");
    let mut theirs = scene(objects, &[], vec![]);
    changed(&mut theirs, of("Deployment", "shop", "orders"), 3, "containers[app].image");
    assert_eq!(cause(&concluded(&mut theirs, &[symptom("HighErrorRate", &web)])), "Deployment shop/orders");
    changed(&mut theirs, web.clone(), 5, "containers[app].image");
    assert_eq!(cause(&concluded(&mut theirs, &[symptom("HighErrorRate", &web)])), "Deployment shop/web");
}

#[test]
fn a_proven_cause_is_told_before_a_change_that_has_nothing_to_do_with_it() {
    let mut scene = scene(missing_config("shop", "cart"), &[], vec![]);
    changed(&mut scene, of("Deployment", "shop", "mail"), 1, "containers[app].image");
    let conclusion = concluded(&mut scene, &[symptom("KubePodNotReady", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("ConfigMap shop/cart-config", Confidence::High));
    assert!(!conclusion.summary.contains("mail"));
}

#[test]
fn a_cause_of_some_is_told_before_the_symptom_of_more() {
    let mut objects = crashing("shop", "cart");
    objects.extend(missing_config("shop", "till"));
    let mut scene = scene(objects, &[], vec![]);
    let alerts =
        ["cart", "cart", "till"].map(|name| symptom("KubePodNotReady", &of("Pod", "shop", &format!("{name}-5d-a"))));
    assert_eq!(cause(&concluded(&mut scene, &alerts)), "ConfigMap shop/till-config");
    let many = [vec![alerts[0].clone(); 9], vec![alerts[2].clone()]].concat();
    let conclusion = concluded(&mut scene, &many);
    assert_eq!(cause(&conclusion), "Deployment shop/cart", "one in ten is beside the point");
    assert!(conclusion.ruled_out[0].statement.contains("till-config"));
}

#[test]
fn replicas_that_are_not_ready_are_no_cause_of_themselves() {
    let mut objects = broken_workload("shop", "cart", pod("shop", "cart"));
    objects.truncate(2);
    let mut scene = scene(objects, &[], vec![]);
    let conclusion =
        concluded(&mut scene, &[symptom("KubeDeploymentReplicasMismatch", &of("Deployment", "shop", "cart"))]);
    assert_eq!((conclusion.verdict, conclusion.confidence), (Verdict::Inconclusive, Confidence::Low));
    assert!(conclusion.summary.starts_with("Deployment shop/cart has 0 of 1 replicas ready"), "{}", conclusion.summary);
    assert_eq!(conclusion.chain.len(), 1);
}

#[test]
fn a_service_that_sends_to_a_wrong_port_explains_its_workloads_alert() {
    let mut objects = workload(
        "shop",
        "cart",
        with_container(pod("shop", "cart"), &json!({"ports": [{"name": "http", "containerPort": 8080}]}), &json!({})),
    );
    objects.push(with(service("shop", "cart", 80), &json!({"spec": {"ports": [{"port": 80, "targetPort": "web"}]}})));
    let mut scene = scene(objects, &[], vec![]);
    let conclusion = concluded(&mut scene, &[symptom("HighErrorRate", &of("Deployment", "shop", "cart"))]);
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("Service shop/cart", Confidence::Medium));
}

#[test]
fn an_autoscaler_that_lost_its_metrics_to_the_crash_is_not_the_cause_of_it() {
    let mut objects = crashing("shop", "cart");
    objects.push(object(
        "HorizontalPodAutoscaler",
        "shop",
        "cart",
        &json!({"spec": {"maxReplicas": 5, "scaleTargetRef": {"kind": "Deployment", "name": "cart"}}, "status": {"currentReplicas": 1, "conditions": [
            {"type": "ScalingActive", "status": "False", "reason": "FailedGetResourceMetric", "message": "no metrics returned from resource metrics API"}]}}),
    ));
    let mut scene = scene(objects, &[], vec![log("shop", "cart", true, "panic: index out of range [7]")]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!(cause(&conclusion), "Deployment shop/cart");
    assert!(conclusion.summary.contains("index out of range"), "{}", conclusion.summary);
}

#[test]
fn a_webhook_that_blocks_pods_leads_to_its_configuration_or_to_what_ails_its_server() {
    let message = "Error creating: Internal error occurred: failed calling webhook \"policy.example.com\": failed to call webhook: Post \"https://policy.guard.svc:443/validate?timeout=10s\": service \"policy\" not found";
    let configuration = json!({"kind": "ValidatingWebhookConfiguration", "metadata": {"name": "guard"}, "webhooks": [{"name": "policy.example.com",
        "failurePolicy": "Fail", "clientConfig": {"service": {"namespace": "guard", "name": "policy"}}}]});
    let refused = |more: Vec<Value>| {
        let mut objects = broken_workload("shop", "cart", pod("shop", "cart"));
        objects.truncate(2);
        merge(&mut objects[1], &json!({"status": {"replicas": 0, "readyReplicas": null}}));
        objects.push(configuration.clone());
        objects.extend(more);
        scene(objects, &[event("ReplicaSet", "shop", "cart-5d", "FailedCreate", message)], vec![])
    };
    let alert = symptom("KubeDeploymentRolloutStuck", &of("Deployment", "shop", "cart"));
    let mut gone = refused(vec![]);
    gone.missing.insert(of("Service", "guard", "policy"));
    let conclusion = concluded(&mut gone, std::slice::from_ref(&alert));
    assert_eq!(
        (cause(&conclusion).as_str(), conclusion.confidence),
        ("ValidatingWebhookConfiguration guard", Confidence::High)
    );
    let mut down = missing_config("guard", "policy");
    down.push(service("guard", "policy", 443));
    let conclusion = concluded(&mut refused(down), &[alert]);
    assert_eq!(cause(&conclusion), "ConfigMap guard/policy-config");
}

#[test]
fn refused_credentials_with_a_secret_that_was_written_before_name_the_secret() {
    let mut objects = crashing("shop", "cart");
    objects[2]["spec"]["containers"][0]["envFrom"] = json!([{"secretRef": {"name": "cart-db"}}]);
    objects.push(object(
        "Secret",
        "shop",
        "cart-db",
        &json!({"metadata": {"managedFields": [{"manager": "kubectl", "time": "2026-01-02T11:45:00Z", "fieldsV1": {"f:data": {"f:password": {}}}}]},
            "data": {"password": "7 bytes"}}),
    ));
    let line = "FATAL: password authentication failed for user \"cart\"";
    let mut scene = scene(objects, &[], vec![log("shop", "cart", true, line)]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("Secret shop/cart-db", Confidence::Medium));
    assert!(conclusion.summary.contains("Secret shop/cart-db was changed at 11:45 UTC"), "{}", conclusion.summary);
}

#[test]
fn a_deny_all_policy_made_before_time_outs_is_told_with_some_confidence() {
    let mut cart = crashing("shop", "cart");
    calls(&mut cart, "http://db.payments.svc:5432");
    let mut objects = [cart, workload("payments", "db", pod("payments", "db"))].concat();
    objects.push(service("payments", "db", 5432));
    objects.push(object(
        "NetworkPolicy",
        "payments",
        "deny",
        &json!({"metadata": {"creationTimestamp": "2026-01-02T11:44:00Z"}, "spec": {"podSelector": {}, "policyTypes": ["Ingress"]}}),
    ));
    let line = "dial tcp db.payments.svc:5432: i/o timeout";
    let mut scene = scene(objects, &[], vec![log("shop", "cart", true, line)]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!(
        (cause(&conclusion).as_str(), conclusion.confidence),
        ("NetworkPolicy payments/deny", Confidence::Medium)
    );
}
