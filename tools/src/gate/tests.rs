#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;

use super::*;

fn spec(name: &'static str, effect: Effect) -> ToolSpec {
    ToolSpec { name: name.into(), description: "".into(), parameters: json!({}), effect }
}

fn gate(rules: &Value) -> Gate {
    Gate::new(serde_json::from_value(json!({ "rules": rules })).unwrap())
}

#[test]
fn without_rules_looks_pass_what_costs_is_asked_for_and_changes_are_refused() {
    let decide = |effect| Gate::default().decide(&spec("any", effect), &json!({}));
    assert_eq!(
        [Effect::Read, Effect::Exec, Effect::Write].map(decide),
        [Decision::Allow, Decision::Ask, Decision::Refuse]
    );
}

#[test]
fn the_first_rule_that_fits_decides() {
    let gate = gate(&json!([
        {"tool": "kubernetes_logs", "arguments": {"namespace": "shop"}, "decision": "allow"},
        {"tool": "kubernetes_*", "decision": "refuse"},
    ]));
    let decide = |name, arguments| gate.decide(&spec(name, Effect::Read), &arguments);
    assert_eq!(decide("kubernetes_logs", json!({"namespace": "shop"})), Decision::Allow);
    assert_eq!(decide("kubernetes_logs", json!({"namespace": "bank"})), Decision::Refuse);
    assert_eq!(decide("prometheus_query", json!({})), Decision::Allow);
}

#[test]
fn a_refusal_is_not_got_round_by_another_way_to_write_the_argument() {
    let gate = gate(&json!([{"tool": "*", "arguments": {"namespace": "kube-system"}, "decision": "refuse"}]));
    for arguments in [
        json!({"namespace": "kube-system"}),
        json!({"namespace": " KUBE-SYSTEM "}),
        json!({"namespace": ["shop", "kube-system"]}),
        json!({"namespace": "[\"kube-system\"]"}),
        json!({"Namespace": "kube-system", "namespace": "shop"}),
        json!("{\"namespace\": \"kube-system\"}"),
        json!({"namespace": null}),
        json!({"namespace": ""}),
        json!({}),
        json!(null),
    ] {
        assert_eq!(gate.decide(&spec("kubernetes_get", Effect::Read), &arguments), Decision::Refuse, "{arguments}");
    }
    let shop = json!({"namespace": "shop"});
    assert_eq!(gate.decide(&spec("kubernetes_get", Effect::Read), &shop), Decision::Allow);
}

#[test]
fn an_allowance_needs_every_value_to_fit() {
    let gate = gate(&json!([{"tool": "run", "arguments": {"host": "*.shop"}, "decision": "allow"}]));
    let decide = |arguments| gate.decide(&spec("run", Effect::Exec), &arguments);
    assert_eq!(decide(json!({"host": ["a.shop", "b.shop"]})), Decision::Allow);
    assert_eq!(decide(json!({"host": ["a.shop", "b.bank"]})), Decision::Ask);
    assert_eq!(decide(json!({})), Decision::Ask);
}

#[test]
fn no_rule_lets_a_change_pass_without_a_person() {
    let gate = gate(&json!([{"tool": "kubernetes_scale", "decision": "allow"}]));
    assert_eq!(gate.decide(&spec("kubernetes_scale", Effect::Write), &json!({})), Decision::Ask);
}
