#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use serde_json::json;

use super::*;

fn pod() -> Value {
    json!({
        "metadata": {"name": "cart-1", "labels": {"app.kubernetes.io/name": "cart"}, "creationTimestamp": "2026-01-02T03:00:00Z"},
        "spec": {"nodeName": "n1", "containers": [
            {"name": "app", "resources": {"limits": {"memory": "64Mi"}}}, {"name": "side"}]},
        "status": {"phase": "Running", "containerStatuses": [
            {"name": "app", "restartCount": 4, "ready": false}, {"name": "side", "restartCount": 0, "ready": true}]}
    })
}

fn now() -> Timestamp {
    "2026-01-02T03:10:00Z".parse().unwrap()
}

fn given(text: &str) -> Result<bool, String> {
    Expression::parse(text)?.holds(&pod(), now()).map_err(|fault| fault.to_string())
}

#[test]
fn what_people_ask_of_pods_is_answered() {
    for text in [
        "object.status.phase == 'Running'",
        "self.status.phase != \"Pending\"",
        "status.phase in ['Running', 'Pending']",
        "object.status.containerStatuses.exists(c, c.restartCount > 3 && !c.ready)",
        "!object.status.containerStatuses.all(c, c.ready)",
        "object.status.containerStatuses.exists_one(c, c.ready)",
        "object.status.containerStatuses.filter(c, c.restartCount > 0).size() == 1",
        "object.status.containerStatuses.map(c, c.restartCount)[0] + 1 == 5",
        "size(object.spec.containers) == 2",
        "object.metadata.labels['app.kubernetes.io/name'].startsWith('ca')",
        "'app.kubernetes.io/name' in object.metadata.labels",
        "object.spec.containers[0].resources.limits.memory.matches('^\\d+Mi$')",
        "quantity(object.spec.containers[0].resources.limits.memory) < quantity('1Gi')",
        "quantity('1Gi').isGreaterThan(quantity('64Mi'))",
        "timestamp(object.metadata.creationTimestamp) < now - duration('5m')",
        "now - timestamp(object.metadata.creationTimestamp) == duration('10m')",
        "has(object.spec.nodeName) && !has(object.spec.tolerations)",
        "has(object.status.message.text) ? false : true",
        "object.spec.containers.exists(c, !has(c.resources))",
        "object.spec.containers.exists(c, c.resources.limits.memory == '64Mi')",
        "object.missing == 'x' || object.status.phase == 'Running'",
        "-1 + 2 * 3 == 5 && 7 % 4 == 3 && 1.5 > 1",
        "!!true",
    ] {
        assert_eq!(given(text), Ok(true), "{text}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let faults = [
        "object.status.fase == 'Running'",
        "object.status.phase = 'Running'",
        "object.status.phase > 3",
        "object.status.phase",
        "object.status.phase.reverse() == ''",
        "(1 == 1",
        "'open",
        "1 == ",
        "object.spec.containers.exists(c.name == 'app')",
        "object.metadata.name.matches('(')",
        "has(object)",
    ]
    .map(|text| given(text).unwrap_err());
    insta::assert_snapshot!(faults.join("\n"));
}

#[test]
fn an_expression_without_end_is_stopped() {
    let many = json!({"items": (0..2_000).collect::<Vec<_>>()});
    let quadratic = Expression::parse("object.items.all(a, object.items.all(b, a + b >= 0))").unwrap();
    assert_eq!(quadratic.holds(&many, now()), Err(Fault::TooLong));
    let copies = Expression::parse("object.items.map(a, object.items).size() > 0").unwrap();
    assert!(copies.holds(&many, now()).is_ok(), "what is borrowed costs nothing");
    let growing = format!("({}).size() > 0", ["object.items.map(a, string(a))"; 30].join(" + "));
    assert!(Expression::parse(&growing).unwrap().holds(&many, now()).is_err());
    assert!(Expression::parse(&"(".repeat(1_000)).is_err());
    assert!(Expression::parse(&"!".repeat(1_999)).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_fall(text in "[a-c0-9.()\\[\\]!&|=<>+*/%?:,'\"\\\\ -]{0,60}") {
        if let Ok(expression) = Expression::parse(&text) {
            let _ = expression.holds(&pod(), now());
        }
    }

    #[test]
    fn no_unicode_makes_it_fall(text in "\\PC{0,40}") {
        if let Ok(expression) = Expression::parse(&text) {
            let _ = expression.holds(&pod(), now());
        }
    }
}
