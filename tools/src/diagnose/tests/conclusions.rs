use marple_core::{Conclusion, Confidence, Verdict};

use super::*;
use crate::diagnose::{Symptom, conclude};
use crate::scene::{Change, Rollout};
use crate::{MemoryEvidence, Redact};

struct Nothing;

impl Redact for Nothing {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

pub(super) fn symptom(name: &str, object: &ObjectRef) -> Symptom {
    Symptom { name: name.to_owned(), object: Some(object.clone()), starts_at: "2026-01-02T11:50:00Z".parse().unwrap() }
}

pub(super) fn of(kind: &str, namespace: &str, name: &str) -> ObjectRef {
    ObjectRef::namespaced(kind, namespace, name)
}

/// The conclusion as a caller would come to it: rules, evidence, citations, conclusion.
pub(super) fn concluded(scene: &mut Scene, symptoms: &[Symptom]) -> Conclusion {
    scene.subjects = symptoms.iter().filter_map(|symptom| symptom.object.clone()).collect();
    let mut findings = run(scene);
    let evidence = MemoryEvidence::default();
    let kept = futures::executor::block_on(crate::scene::keep(scene, &findings, &evidence, &Nothing)).unwrap();
    kept.resolve(&mut findings);
    conclude(scene, symptoms, &findings)
}

pub(super) fn cause(conclusion: &Conclusion) -> String {
    conclusion.cause.as_ref().map_or_else(|| format!("{:?}", conclusion.verdict), |cause| cause.object.to_string())
}

pub(super) fn missing_config(namespace: &str, name: &str) -> Vec<Value> {
    let message = format!("configmap \"{name}-config\" not found");
    broken_workload(
        namespace,
        name,
        with_container(pod(namespace, name), &json!({}), &waiting("CreateContainerConfigError", &message)),
    )
}

pub(super) fn calls(objects: &mut [Value], url: &str) {
    let spec = json!({"env": [{"name": "DOWNSTREAM", "value": url}]});
    merge(&mut objects[0]["spec"]["template"]["spec"]["containers"][0], &spec);
    merge(&mut objects[2]["spec"]["containers"][0], &spec);
}

pub(super) fn crashing(namespace: &str, name: &str) -> Vec<Value> {
    let status = with(
        waiting("CrashLoopBackOff", "back-off"),
        &json!({"restartCount": 5, "lastState": ended(1, "Error", "2026-01-02T11:58:00Z")}),
    );
    broken_workload(namespace, name, with_container(pod(namespace, name), &json!({}), &status))
}

#[test]
fn a_missing_config_map_is_concluded_with_its_chain() {
    let mut scene = scene(missing_config("shop", "cart"), &[], vec![]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodNotReady", &of("Pod", "shop", "cart-5d-a"))]);
    insta::assert_yaml_snapshot!(conclusion);
}

#[test]
fn a_cause_two_namespaces_away_is_found_through_what_the_logs_and_settings_name() {
    // web (no logs of trouble) calls cart, which says that the database refuses it; the database misses its ConfigMap.
    let mut web = workload("front", "web", pod("front", "web"));
    calls(&mut web, "http://cart.shop:8080");
    let mut cart = crashing("shop", "cart");
    calls(&mut cart, "http://db.payments.svc:5432");
    let mut objects = [web, cart, missing_config("payments", "db")].concat();
    objects.push(service("shop", "cart", 8080));
    objects.push(service("payments", "db", 5432));
    let line = r#"{"level":"ERROR","msg":"cannot connect","error":"dial tcp db.payments.svc:5432: connect: connection refused"}"#;
    let mut scene = scene(objects, &[], vec![log("shop", "cart", true, line)]);
    let at_cart = concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!(cause(&at_cart), "ConfigMap payments/db-config");
    assert_eq!(at_cart.confidence, Confidence::High);
    insta::assert_yaml_snapshot!(
        at_cart.chain.iter().map(|link| format!("{}: {}", link.object, link.statement)).collect::<Vec<_>>()
    );
    assert_eq!(
        at_cart.summary,
        "ConfigMap payments/db-config does not exist; container app of Pod payments/db-5d-a needs it and can't be created. Deployment shop/cart fails because of it."
    );
    let at_web = concluded(&mut scene, &[symptom("HighErrorRate", &of("Deployment", "front", "web"))]);
    assert_eq!((cause(&at_web).as_str(), at_web.confidence), ("ConfigMap payments/db-config", Confidence::Medium));
}

/// `web` calls `cart`, `cart` calls `db`, and `db` is killed for its memory; nobody's log tells of it.
fn quiet_callers() -> Scene {
    let mut web = workload("front", "web", pod("front", "web"));
    calls(&mut web, "http://cart.shop:8080");
    let mut cart = workload("shop", "cart", pod("shop", "cart"));
    calls(&mut cart, "http://db.payments.svc:5432");
    let killed = with(
        waiting("CrashLoopBackOff", "back-off"),
        &json!({"restartCount": 3, "lastState": ended(137, "OOMKilled", "2026-01-02T11:58:00Z")}),
    );
    let limit = json!({"resources": {"limits": {"memory": "64Mi"}}});
    let db = broken_workload("payments", "db", with_container(pod("payments", "db"), &limit, &killed));
    let mut objects = [web, cart, db].concat();
    objects.push(service("shop", "cart", 8080));
    objects.push(service("payments", "db", 5432));
    scene(objects, &[], vec![])
}

#[test]
fn errors_of_callers_whose_logs_are_silent_are_led_along_what_they_call() {
    let mut scene = quiet_callers();
    let errors =
        |name: &str| symptom("HighErrorRate", &of("Pod", name, if name == "front" { "web-5d-a" } else { "cart-5d-a" }));
    let symptoms = [symptom("KubePodCrashLooping", &of("Pod", "payments", "db-5d-a")), errors("front"), errors("shop")];
    let together = concluded(&mut scene, &symptoms);
    assert_eq!((cause(&together).as_str(), together.confidence), ("Deployment payments/db", Confidence::High));
    insta::assert_yaml_snapshot!(
        together.chain.iter().map(|link| format!("{}: {}", link.object, link.statement)).collect::<Vec<_>>()
    );
    let alone = concluded(&mut scene, &symptoms[1..2]);
    assert_eq!((cause(&alone).as_str(), alone.confidence), ("Deployment payments/db", Confidence::Medium));
}

#[test]
fn a_pod_of_a_stuck_rollout_beside_ready_ones_is_no_trouble_of_callers() {
    let told = |ready: u32| {
        let mut scene = quiet_callers();
        let db = of("Deployment", "payments", "db");
        let mut value = scene.get(&db).unwrap().clone();
        merge(&mut value, &json!({"spec": {"replicas": 2}, "status": {"replicas": 3, "readyReplicas": ready}}));
        scene.objects.insert(db, value);
        run(&scene).iter().any(|finding| finding.condition == "dependency-in-trouble")
    };
    assert_eq!((told(1), told(2)), (true, false));
}

#[test]
fn an_alert_that_is_not_on_answers_is_not_led_along_what_is_called() {
    let mut scene = quiet_callers();
    let throttled = concluded(&mut scene, &[symptom("CPUThrottlingHigh", &of("Pod", "front", "web-5d-a"))]);
    assert_eq!((throttled.verdict, throttled.cause), (Verdict::Inconclusive, None));
}

#[test]
fn a_change_of_the_caller_is_not_blamed_for_errors_of_what_it_calls() {
    let changed_by = |changed: &str| {
        let mut web = workload("shop", "web", pod("shop", "web"));
        calls(&mut web, "http://orders:8080/list");
        let objects = [web, workload("shop", "orders", pod("shop", "orders")), vec![service("shop", "orders", 8080)]];
        let line =
            r#"{"level":"ERROR","msg":"upstream answered an error","url":"http://orders:8080/list","status":500}"#;
        let mut scene = scene(objects.concat(), &[], vec![log("shop", "web", false, &format!("{line}\n").repeat(20))]);
        let at = scene.now - jiff::SignedDuration::from_mins(12);
        let change = Change { field: "containers[app].env[MODE]".to_owned(), from: None, to: Some("fast".to_owned()) };
        let rollout = Rollout { at, revision: "2".to_owned(), by: None, writer: None, changes: vec![change] };
        scene.rollouts.insert(ObjectRef::namespaced("Deployment", "shop", changed), rollout);
        concluded(&mut scene, &[symptom("HighErrorRate", &of("Deployment", "shop", "web"))])
    };
    let caller = changed_by("web");
    assert_eq!(cause(&caller), "Service shop/orders");
    assert!(!caller.summary.contains("was changed"), "{}", caller.summary);
    let behind = changed_by("orders");
    assert!(behind.summary.contains("Deployment shop/orders was changed"), "{}", behind.summary);
}

#[test]
fn the_loudest_is_not_the_root_of_many_symptoms() {
    let mut cart = crashing("shop", "cart");
    calls(&mut cart, "http://db.payments.svc:5432");
    let mut objects = [cart, missing_config("payments", "db")].concat();
    objects.push(service("payments", "db", 5432));
    let line = "dial tcp db.payments.svc:5432: connect: connection refused";
    let mut scene = scene(objects, &[], vec![log("shop", "cart", true, line)]);
    let mut symptoms = vec![symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a")); 10];
    symptoms.push(symptom("KubePodNotReady", &of("Pod", "payments", "db-5d-a")));
    let conclusion = concluded(&mut scene, &symptoms);
    assert_eq!(cause(&conclusion), "ConfigMap payments/db-config");
    assert_eq!(
        conclusion.impact,
        "Deployment payments/db (0 of 1 replicas ready), Deployment shop/cart (0 of 1 replicas ready)."
    );
}

#[test]
fn a_crash_with_words_of_its_own_is_not_blamed_on_what_it_merely_names() {
    let mut cart = crashing("shop", "cart");
    calls(&mut cart, "http://db.payments.svc:5432");
    let mut objects = [cart, missing_config("payments", "db")].concat();
    objects.push(service("payments", "db", 5432));
    let mut scene = scene(objects, &[], vec![log("shop", "cart", true, "panic: index out of range [7]")]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("Deployment shop/cart", Confidence::Medium));
}

#[test]
fn a_service_without_endpoints_leads_to_its_pods_trouble() {
    let mut objects = missing_config("shop", "cart");
    objects.push(service("shop", "cart", 80));
    let mut scene = scene(objects, &[], vec![]);
    let conclusion = concluded(&mut scene, &[symptom("ServiceDown", &of("Service", "shop", "cart"))]);
    assert_eq!(cause(&conclusion), "ConfigMap shop/cart-config");
    assert_eq!(conclusion.chain.first().map(|link| link.object.to_string()).as_deref(), Some("Service shop/cart"));
}

#[test]
fn what_is_scaled_to_zero_explains_only_what_leads_to_it() {
    let mut db =
        vec![with(deployment("shop", "db"), &json!({"spec": {"replicas": 0}, "status": {"readyReplicas": null}}))];
    db.push(service("shop", "db", 5432));
    let mut cart = crashing("shop", "cart");
    calls(&mut cart, "http://db:5432");
    let line = "dial tcp: db:5432: connect: connection refused";
    let mut scene = scene([db, cart].concat(), &[], vec![log("shop", "cart", true, line)]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!(cause(&conclusion), "Deployment shop/db");
}

#[test]
fn an_old_failure_is_not_the_cause_of_new_symptoms() {
    let job = |name: &str, at: &str| {
        object(
            "Job",
            "shop",
            name,
            &json!({"metadata": {"ownerReferences": [{"kind": "CronJob", "name": "nightly", "controller": true}]},
            "spec": {"activeDeadlineSeconds": 60}, "status": {"failed": 1, "conditions": [{"type": "Failed", "status": "True", "reason": "DeadlineExceeded", "lastTransitionTime": at}]}}),
        )
    };
    let cron = object("CronJob", "shop", "nightly", &json!({"spec": {"schedule": "0 3 * * *"}}));
    let mut scene = scene(vec![cron, job("nightly-1", "2025-12-10T03:00:00Z")], &[], vec![]);
    let conclusion = concluded(&mut scene, &[symptom("KubeJobFailed", &of("CronJob", "shop", "nightly"))]);
    assert_eq!(conclusion.verdict, Verdict::Inconclusive);
    scene.insert(job("nightly-2", "2026-01-02T11:45:00Z"));
    let conclusion = concluded(&mut scene, &[symptom("KubeJobFailed", &of("CronJob", "shop", "nightly"))]);
    assert!(conclusion.cause.unwrap().statement.contains("nightly-2"));
    assert!(conclusion.ruled_out[0].statement.contains("nightly-1"));
}

#[test]
fn what_is_well_is_no_fault_for_an_alert_of_state_and_unexplained_for_one_of_rates() {
    let mut scene = scene(workload("shop", "cart", pod("shop", "cart")), &[], vec![]);
    let deployment = of("Deployment", "shop", "cart");
    let state = concluded(&mut scene, &[symptom("KubePodCrashLooping", &deployment)]);
    assert_eq!((state.verdict, state.cause), (Verdict::NoFault, None));
    assert_eq!(
        state.summary,
        "Deployment shop/cart has 1 of 1 replicas ready now; nothing else is wrong there. KubePodCrashLooping has passed without a lasting cause."
    );
    let rates = concluded(&mut scene, &[symptom("HighErrorRate", &deployment)]);
    assert_eq!((rates.verdict, rates.confidence), (Verdict::Inconclusive, Confidence::Low));
    scene.unseen.push(marple_core::Unseen { what: "Pods".into(), why: "forbidden".into() });
    let unseen = concluded(&mut scene, &[symptom("KubePodCrashLooping", &deployment)]);
    assert_eq!((unseen.verdict, unseen.unseen.len()), (Verdict::Inconclusive, 1));
}

#[test]
fn a_rollout_before_the_symptoms_is_told_and_its_undo_comes_first_where_nothing_better_is_known() {
    let mut objects = crashing("shop", "cart");
    let mut old = replica_set("shop", "cart");
    merge(&mut old, &json!({"metadata": {"name": "cart-4c"}, "spec": {"replicas": 0}, "status": {"replicas": 0}}));
    merge(
        &mut objects[1],
        &json!({"metadata": {"creationTimestamp": "2026-01-02T11:49:00Z", "annotations": {"deployment.kubernetes.io/revision": "2"}}}),
    );
    objects[1]["spec"]["template"]["spec"]["containers"][0]["image"] = json!("registry.local/cart:2");
    objects.push(old);
    let mut scene = scene(objects, &[], vec![log("shop", "cart", true, "panic: index out of range [7]")]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodCrashLooping", &of("Pod", "shop", "cart-5d-a"))]);
    insta::assert_yaml_snapshot!(conclusion);
}

#[test]
fn without_verified_citations_nothing_is_sure() {
    let scene = scene(missing_config("shop", "cart"), &[], vec![]);
    let conclusion = conclude(&scene, &[symptom("KubePodNotReady", &of("Pod", "shop", "cart-5d-a"))], &run(&scene));
    assert_eq!((cause(&conclusion).as_str(), conclusion.confidence), ("ConfigMap shop/cart-config", Confidence::Low));
}

#[test]
fn trouble_of_another_kind_beside_the_cause_is_named() {
    let mut objects = missing_config("shop", "cart");
    objects.extend(missing_config("shop", "mail"));
    let killed = with(
        waiting("CrashLoopBackOff", "x"),
        &json!({"restartCount": 2, "lastState": ended(137, "OOMKilled", "2026-01-02T11:58:00Z")}),
    );
    objects.extend(broken_workload(
        "shop",
        "till",
        with_container(pod("shop", "till"), &json!({"resources": {"limits": {"memory": "64Mi"}}}), &killed),
    ));
    let mut scene = scene(objects, &[], vec![]);
    let symptoms =
        ["cart", "cart", "till"].map(|name| symptom("KubePodNotReady", &of("Pod", "shop", &format!("{name}-5d-a"))));
    let conclusion = concluded(&mut scene, &symptoms);
    assert_eq!(cause(&conclusion), "ConfigMap shop/cart-config");
    assert_eq!(conclusion.ruled_out.len(), 1);
    let other = &conclusion.ruled_out[0].statement;
    assert!(
        other.starts_with("Another trouble, which explains less: Container app of Pod shop/till-5d-a was killed"),
        "{other}"
    );
}

#[test]
fn a_pod_that_is_gone_is_known_by_the_event_of_its_maker() {
    let mut objects = missing_config("shop", "cart");
    objects.truncate(3);
    let made = with(
        event("ReplicaSet", "shop", "cart-5d", "SuccessfulCreate", "Created pod: cart-5d-gone"),
        &json!({"type": "Normal"}),
    );
    let mut scene = scene(objects, &[made], vec![]);
    let conclusion = concluded(&mut scene, &[symptom("KubePodNotReady", &of("Pod", "shop", "cart-5d-gone"))]);
    assert_eq!(cause(&conclusion), "ConfigMap shop/cart-config");
}
