//! What was deleted and does not go.

use super::conclusions::{cause, concluded};
use super::objects::cluster_wide;
use super::*;
use crate::diagnose::Symptom;

const LONG_AGO: &str = "2026-01-02T11:00:00Z";

#[test]
fn an_object_that_a_finalizer_holds_is_told_with_who_holds_it() {
    let claim = |deleted: &str| {
        object(
            "PersistentVolumeClaim",
            "shop",
            "data",
            &json!({"metadata": {"deletionTimestamp": deleted, "finalizers": ["kubernetes.io/pvc-protection"]}, "status": {"phase": "Bound"}}),
        )
    };
    let user = with(
        pod("shop", "cart"),
        &json!({"spec": {"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]}}),
    );
    let scene_of = |deleted: &str| scene(vec![claim(deleted), user.clone()], &[], vec![]);
    let held = scene_of(LONG_AGO);
    assert_eq!(found(&held), one("deletion-held-by-finalizer", "PersistentVolumeClaim shop/data"));
    assert_eq!(
        statement(&held, "deletion-held-by-finalizer"),
        "PersistentVolumeClaim shop/data was deleted 60 min ago and is held by its finalizer kubernetes.io/pvc-protection: Pod shop/cart-5d-a still uses it"
    );
    assert_eq!(found(&scene_of("2026-01-02T11:59:00Z")), []);
}

#[test]
fn a_namespace_that_does_not_end_tells_what_it_waits_for() {
    let space = |status: &str| {
        cluster_wide(
            "Namespace",
            "shop",
            &json!({"metadata": {"deletionTimestamp": LONG_AGO}, "status": {"phase": "Terminating", "conditions": [
                {"type": "NamespaceContentRemaining", "status": status, "reason": "SomeResourcesRemain", "message": "Some resources are remaining: widgets.example.com has 1 resource instances"},
                {"type": "NamespaceFinalizersRemaining", "status": status, "reason": "SomeFinalizersRemain", "message": "Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances"}]}}),
        )
    };
    let held = scene(vec![space("True")], &[], vec![]);
    assert_eq!(found(&held), one("namespace-does-not-end", "Namespace shop"));
    assert!(statement(&held, "namespace-does-not-end").contains("example.com/hold"));
    assert_eq!(found(&scene(vec![space("False")], &[], vec![])), []);
    let just_now = "2026-01-02T11:58:30Z";
    let widget = |name: &str, deleted: &str| {
        let metadata = json!({"deletionTimestamp": deleted, "finalizers": ["example.com/hold", "example.com/bill"]});
        object("Widget", "shop", name, &json!({ "metadata": metadata }))
    };
    let recent = with(space("True"), &json!({"metadata": {"deletionTimestamp": just_now}}));
    let named = scene(vec![recent.clone(), widget("b", just_now), widget("a", "2026-01-02T11:58:31Z")], &[], vec![]);
    assert_eq!(found(&named), one("namespace-does-not-end", "Widget shop/b"), "the first that was deleted");
    let told = statement(&named, "namespace-does-not-end");
    assert!(told.contains("Widget shop/b is held by its finalizer example.com/hold and 1 more"), "{told}");
    assert_eq!(found(&scene(vec![recent], &[], vec![])), [], "it may still end by itself");
    let asked = Symptom {
        name: crate::diagnose::ASKED.to_owned(),
        object: Some(ObjectRef::cluster("Namespace", "shop")),
        starts_at: LONG_AGO.parse().unwrap(),
    };
    let mut named = named;
    assert_eq!(cause(&concluded(&mut named, &[asked])), "Widget shop/b");
}
