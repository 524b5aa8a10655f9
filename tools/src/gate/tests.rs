#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;

use super::*;

fn spec(name: &'static str, effect: Effect) -> ToolSpec {
    ToolSpec { name: name.into(), description: "".into(), parameters: json!({}), effect }
}

/// What is decided on a call that changes nothing, or of which it isn't known yet.
fn decide(gate: &Gate, spec: &ToolSpec, arguments: &Value) -> Decision {
    let changed = if spec.effect == Effect::Write { Changed::Later } else { Changed::Nothing };
    gate.decide(&Call { spec, arguments, caller: Caller::Investigation, changed })
}

fn gate(rules: &Value) -> Gate {
    Gate::new(serde_json::from_value(json!({ "rules": rules })).unwrap())
}

#[test]
fn without_rules_looks_pass_what_costs_is_asked_for_and_changes_are_refused() {
    let decide = |effect| decide(&Gate::default(), &spec("any", effect), &json!({}));
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
    let decide = |name, arguments| decide(&gate, &spec(name, Effect::Read), &arguments);
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
        assert_eq!(decide(&gate, &spec("kubernetes_get", Effect::Read), &arguments), Decision::Refuse, "{arguments}");
    }
    let shop = json!({"namespace": "shop"});
    assert_eq!(decide(&gate, &spec("kubernetes_get", Effect::Read), &shop), Decision::Allow);
}

#[test]
fn an_allowance_needs_every_value_to_fit() {
    let gate = gate(&json!([{"tool": "run", "arguments": {"host": "*.shop"}, "decision": "allow"}]));
    let decide = |arguments| decide(&gate, &spec("run", Effect::Exec), &arguments);
    assert_eq!(decide(json!({"host": ["a.shop", "b.shop"]})), Decision::Allow);
    assert_eq!(decide(json!({"host": ["a.shop", "b.bank"]})), Decision::Ask);
    assert_eq!(decide(json!({})), Decision::Ask);
}

#[test]
fn no_rule_lets_a_change_pass_without_a_person() {
    let gate = gate(&json!([{"tool": "kubernetes_scale", "decision": "allow"}]));
    assert_eq!(decide(&gate, &spec("kubernetes_scale", Effect::Write), &json!({})), Decision::Ask);
}

#[test]
fn a_rule_speaks_of_an_effect_and_of_a_caller() {
    let gate = gate(&json!([
        {"effect": "exec", "caller": "command_line", "decision": "allow"},
        {"caller": "investigation", "effect": "read", "decision": "refuse"},
    ]));
    let decide = |effect, caller| {
        let spec = spec("any", effect);
        gate.decide(&Call { spec: &spec, arguments: &json!({}), caller, changed: Changed::Nothing })
    };
    assert_eq!(decide(Effect::Exec, Caller::CommandLine), Decision::Allow);
    assert_eq!(decide(Effect::Exec, Caller::Investigation), Decision::Ask);
    assert_eq!(decide(Effect::Read, Caller::CommandLine), Decision::Allow);
    assert_eq!(decide(Effect::Read, Caller::Investigation), Decision::Refuse);
}

#[test]
fn a_change_is_decided_on_by_the_object_that_it_comes_to() {
    let gate = gate(&json!([
        {"object": {"namespace": "bank-*"}, "decision": "refuse"},
        {"object": {"kind": "deployment"}, "tool": "kubernetes_*", "decision": "ask"},
    ]));
    let scale = spec("kubernetes_scale", Effect::Write);
    // What the arguments say of it is not asked.
    let arguments = json!({"kind": "x", "namespace": "bank-1"});
    let decide = |changed: Changed<'_>| {
        gate.decide(&Call { spec: &scale, arguments: &arguments, caller: Caller::Investigation, changed })
    };
    let object = |kind, namespace| ObjectRef::namespaced(kind, namespace, "cart");
    assert_eq!(decide(Changed::Later), Decision::Ask);
    assert_eq!(decide(Changed::Object(&object("Deployment", "shop"))), Decision::Ask);
    assert_eq!(decide(Changed::Object(&object("StatefulSet", "shop"))), Decision::Refuse);
    assert_eq!(decide(Changed::Object(&object("Deployment", "bank-2"))), Decision::Refuse);
    assert_eq!(decide(Changed::Object(&ObjectRef::cluster("Deployment", "cart"))), Decision::Ask);
    assert_eq!(decide(Changed::Unknown), Decision::Refuse);
    assert_eq!(decide(Changed::Nothing), Decision::Refuse);
    let look = spec("kubernetes_get", Effect::Read);
    let looks = gate.decide(&Call {
        spec: &look,
        arguments: &arguments,
        caller: Caller::Investigation,
        changed: Changed::Nothing,
    });
    assert_eq!(looks, Decision::Allow);
}

#[test]
fn a_tool_of_which_no_call_can_pass_is_known() {
    let may = |rules: &Value, effect, asks| {
        gate(rules).may_pass(&spec("kubernetes_logs", effect), Caller::Investigation, asks)
    };
    let none = json!([]);
    assert!(may(&none, Effect::Read, false));
    assert!(may(&none, Effect::Exec, true) && !may(&none, Effect::Exec, false));
    assert!(!may(&none, Effect::Write, true), "changes are refused where nothing else is said");
    let all = json!([{"tool": "kubernetes_*", "decision": "refuse"}, {"tool": "*", "decision": "allow"}]);
    assert!(!may(&all, Effect::Read, true), "a rule behind one that speaks of every call is never read");
    let some = json!([{"tool": "*", "arguments": {"namespace": "bank"}, "decision": "refuse"}]);
    assert!(may(&some, Effect::Read, false));
    let but = json!([{"tool": "*", "arguments": {"namespace": "shop"}, "decision": "allow"},
        {"tool": "*", "decision": "refuse"}]);
    assert!(may(&but, Effect::Read, false));
    assert!(may(&but, Effect::Write, true) && !may(&but, Effect::Write, false), "a change needs a person's word");
    let other = json!([{"tool": "*", "caller": "command_line", "decision": "refuse"}]);
    assert!(may(&other, Effect::Read, false));
}
