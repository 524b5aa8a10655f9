//! Drains and evictions that a disruption budget does not allow.

use super::objects::node;
use super::*;

#[test]
fn a_budget_that_holds_up_a_drain_blames_the_budget() {
    let budget = |allowed: i64| {
        object(
            "PodDisruptionBudget",
            "shop",
            "cart",
            &json!({"spec": {"selector": {"matchLabels": {"app": "cart"}}},
                "status": {"disruptionsAllowed": allowed, "currentHealthy": 1, "desiredHealthy": 1, "expectedPods": 2}}),
        )
    };
    let of = |allowed, cordoned| {
        let objects = vec![budget(allowed), pod("shop", "cart"), node(&json!({"spec": {"unschedulable": cordoned}}))];
        found(&scene(objects, &[], vec![]))
            .into_iter()
            .filter(|(word, _)| word.starts_with("drain"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(0, true), one("drain-held-by-budget", "PodDisruptionBudget shop/cart"));
    assert_eq!((of(1, true), of(0, false)), (vec![], vec![]));
}

#[test]
fn an_eviction_that_a_log_tells_was_refused_blames_the_budget_of_the_pod_that_it_names() {
    let budget = |name: &str, allowed: i64| {
        object(
            "PodDisruptionBudget",
            "shop",
            name,
            &json!({"spec": {"selector": {"matchLabels": {"app": name}}},
                "status": {"disruptionsAllowed": allowed, "currentHealthy": 2, "desiredHealthy": 2, "expectedPods": 2}}),
        )
    };
    let of = |line: &str, till: i64| {
        let objects = vec![
            budget("cart", 0),
            budget("till", till),
            pod("shop", "cart"),
            pod("shop", "till"),
            pod("ops", "drain"),
        ];
        let scene = scene(objects, &[], vec![log("ops", "drain", false, line)]);
        let mut told = found(&scene);
        told.retain(|(word, _)| word.starts_with("eviction-"));
        (told, scene)
    };
    let refused = "Cannot evict pod as it would violate the pod's disruption budget.";
    let named = format!("error when evicting pods/\"cart-5d-a\" -n \"shop\" (will retry after 5s): {refused}");
    let wanted = one("eviction-held-by-budget", "PodDisruptionBudget shop/cart");
    let (told, scene) = of(&named, 0);
    assert_eq!(told, wanted);
    let statement = statement(&scene, "eviction-held-by-budget");
    assert!(statement.contains("can't evict Pod shop/cart-5d-a"), "{statement}");
    assert!(statement.ends_with("as 2 of its 2 pods are healthy and 2 have to be"), "{statement}");
    assert_eq!(of(refused, 1).0, wanted, "no other may have refused it");
    assert_eq!(of(refused, 0).0, [], "either may have");
    assert_eq!(of(&named.replace("cart-5d-a", "cart-5d-ab"), 0).0, [], "it is another pod");
    assert_eq!(of("evicted pod cart-5d-a", 0).0, []);
}
