//! Kinds that the configuration names.

use std::sync::Arc;

use super::*;
use crate::config::ChangesConfig;

/// A kind that the configuration names, `ignore` left out.
fn family(ignore: Value) -> Arc<Family> {
    let config = json!({"custom": [{"group": "example.com", "kind": "Widget", "ignore": ignore}]});
    let config: ChangesConfig = serde_json::from_value(config).unwrap();
    config.families().into_iter().find(|family| family.name == "Widget").unwrap()
}

/// What is told of it.
fn of_custom(ignore: Value, before: Value, after: Value) -> Vec<String> {
    changes_of(&family(ignore), Values::Clear, before, after)
        .into_iter()
        .inspect(|change| assert_eq!(change.by.manager.as_deref(), Some("kubectl-edit")))
        .flat_map(|change| change.fields)
        .map(|field| field.bounded().to_string())
        .collect()
}

#[test]
fn a_kind_that_the_configuration_names_is_told_by_all_that_somebody_wanted_of_it() {
    let widget = |size: u32, noise: &str| {
        json!({"metadata": {"labels": {"tier": size.to_string()},
                "annotations": {"example.com/mode": size.to_string(), "example.com/last-applied": noise, "reconcile.fluxcd.io/requestedAt": noise}},
            "spec": {"size": size, "replicas": noise, "template": {"metadata": {"note": noise}},
                "parts": [{"name": "a", "ports": [size]}], "data": "1"},
            "data": {"key": size.to_string()}, "status": {"phase": noise, "observedGeneration": size}})
    };
    let ignore = || json!(["replicas", "template.metadata"]);
    assert_eq!(
        of_custom(ignore(), widget(1, "x"), widget(2, "y")),
        [
            "parts[a].ports: [1] → [2]",
            "(data of the object).key: 1 → 2",
            "annotations.example.com/mode: 1 → 2",
            "labels.tier: 1 → 2",
            "size: 1 → 2",
        ]
    );
    assert_eq!(of_custom(ignore(), widget(1, "x"), widget(1, "y")), [""; 0]);
    assert_eq!(of_custom(json!([]), widget(1, "x"), widget(1, "y")).len(), 2, "only what is named is left out");
}

#[test]
fn a_large_specification_costs_no_more_than_a_small_one_and_every_change_of_it_is_found() {
    let large = |last: &str| {
        let mut items: serde_json::Map<String, Value> =
            (0..2_000).map(|at| (format!("key-{at:04}"), json!("v".repeat(500)))).collect();
        items.insert("key-1999".to_owned(), json!(last));
        json!({"spec": {"items": items, "blob": "b".repeat(1 << 20)}})
    };
    let state = read::state(&family(json!([])), &object("Widget", 1, large("1")), Values::Clear, ROOM).unwrap();
    let size = serde_json::to_string(&state).unwrap().len();
    assert!(size < 100 << 10, "{size}");
    assert_eq!(of_custom(json!([]), large("1"), large("2")).len(), 1);
}

#[test]
fn a_state_that_was_kept_when_other_fields_were_left_out_is_not_compared() {
    let (all, less) = (family(json!([])), family(json!(["replicas"])));
    let state = read::state(&all, &object("Widget", 1, json!({"spec": {"replicas": 1}})), Values::Clear, ROOM).unwrap();
    assert!(state.is_comparable(&all) && !state.is_comparable(&less));
}
