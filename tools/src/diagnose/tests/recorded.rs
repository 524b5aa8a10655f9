//! Conclusions that tell what was recorded as it was changed.

use marple_core::{Author, Change, ChangeKind, Conclusion, FieldChange, Verdict};

use super::conclusions::{calls, cause, concluded, missing_config, of, symptom};
use super::*;

/// What `kubectl-edit` altered so many minutes before 11:50, when the symptoms of these tests began.
fn recorded(object: &ObjectRef, minutes: i64, kind: ChangeKind, field: (&str, &str, &str)) -> Change {
    let began: Timestamp = "2026-01-02T11:50:00Z".parse().unwrap();
    Change {
        cluster: "test".to_owned(),
        object: object.clone(),
        uid: "u".to_owned(),
        version: "1".to_owned(),
        at: began - jiff::SignedDuration::from_mins(minutes),
        found_late: false,
        by: Author { manager: Some("kubectl-edit".to_owned()), ..Author::default() },
        kind,
        fields: vec![FieldChange {
            path: field.0.to_owned(),
            before: Some(field.1.to_owned()),
            after: Some(field.2.to_owned()),
        }],
        left_out: 0,
    }
}

/// `cart`, which is well by itself, reads `settings` and calls `db`, and an alert on its answers.
fn slow(changes: Vec<Change>) -> Conclusion {
    let mut cart = workload("shop", "cart", pod("shop", "cart"));
    calls(&mut cart, "http://db:5432");
    for at in [0, 2] {
        let path = if at == 0 { "/spec/template/spec/containers/0" } else { "/spec/containers/0" };
        *cart[at].pointer_mut(path).unwrap().as_object_mut().unwrap().entry("envFrom").or_insert(json!([])) =
            json!([{"configMapRef": {"name": "settings"}}]);
    }
    let mut objects = [cart, workload("shop", "db", pod("shop", "db"))].concat();
    objects.push(service("shop", "db", 5432));
    objects.push(object("ConfigMap", "shop", "settings", &json!({"data": {"timeout": "50ms"}})));
    objects.push(object("ConfigMap", "shop", "other", &json!({"data": {"timeout": "50ms"}})));
    let mut scene = scene(objects, &[], vec![]);
    scene.learn(changes, "2026-01-02T11:50:00Z".parse().unwrap());
    concluded(&mut scene, &[symptom("HighLatency", &of("Deployment", "shop", "cart"))])
}

#[test]
fn a_setting_that_was_changed_before_is_told_with_what_it_was_and_who_changed_it() {
    let settings = of("ConfigMap", "shop", "settings");
    let field = ("data.timeout", "5s", "50ms");
    let conclusion = slow(vec![recorded(&settings, 4, ChangeKind::Altered, field)]);
    let text = serde_json::to_string(&conclusion).unwrap();
    assert!(
        text.contains("ConfigMap shop/settings was changed by kubectl-edit at 11:46 UTC: data.timeout: 5s -> 50ms"),
        "{text}"
    );
    assert_eq!(cause(&conclusion), "ConfigMap shop/settings", "{text}");
    let remedy = conclusion.remedies.iter().find(|remedy| remedy.title.contains("back")).unwrap();
    assert_eq!(remedy.title, "Set data.timeout back to `5s`, as it was");
}

#[test]
fn a_change_after_the_symptoms_long_before_or_of_what_is_not_needed_is_no_cause() {
    let (settings, other) = (of("ConfigMap", "shop", "settings"), of("ConfigMap", "shop", "other"));
    let field = ("data.timeout", "5s", "50ms");
    for (object, minutes) in [(&settings, -8), (&settings, 180), (&other, 4)] {
        let conclusion = slow(vec![recorded(object, minutes, ChangeKind::Altered, field)]);
        assert_eq!((conclusion.verdict, conclusion.cause), (Verdict::Inconclusive, None), "{object} {minutes}");
    }
}

#[test]
fn pods_taken_away_by_hand_are_given_back_and_not_undone_as_a_rollout() {
    let db = of("Deployment", "shop", "db");
    let conclusion = slow(vec![recorded(&db, 4, ChangeKind::Altered, ("replicas", "3", "1"))]);
    let commands: Vec<_> = conclusion.remedies.iter().filter_map(|remedy| remedy.command.as_deref()).collect();
    assert!(commands.contains(&"kubectl scale -n shop deployment/db --replicas=3"), "{conclusion:?}");
    assert!(!commands.iter().any(|command| command.contains("rollout undo")), "{commands:?}");
}

#[test]
fn a_deletion_is_told_with_what_is_missing() {
    let mut scene = scene(missing_config("shop", "cart"), &[], vec![]);
    let missing = of("ConfigMap", "shop", "cart-config");
    scene.missing.insert(missing.clone());
    scene.learn(
        vec![recorded(&missing, 4, ChangeKind::Deleted, ("data.key", "1", ""))],
        "2026-01-02T11:50:00Z".parse().unwrap(),
    );
    let conclusion = concluded(&mut scene, &[symptom("KubePodNotReady", &of("Pod", "shop", "cart-5d-a"))]);
    assert_eq!(cause(&conclusion), "ConfigMap shop/cart-config");
    let statement = conclusion.cause.unwrap().statement;
    assert!(statement.ends_with("ConfigMap shop/cart-config was deleted by kubectl-edit at 11:46 UTC."), "{statement}");
}
