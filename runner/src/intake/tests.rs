#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use serde_json::{Value, json};

use super::{PayloadFault, read_signals, read_webhook};

fn alert(name: &str) -> Value {
    json!({
        "status": "firing",
        "labels": {"alertname": name, "namespace": "shop", "pod": "cart-1", "severity": "critical"},
        "annotations": {"summary": "s"},
        "startsAt": "2026-01-02T03:04:05.678Z",
        "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://p/graph",
        "fingerprint": "00ab12cd34ef5678"
    })
}

fn webhook(alerts: &[Value]) -> Vec<u8> {
    json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 3, "status": "firing", "receiver": "marple",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://a", "alerts": alerts
    })
    .to_string()
    .into_bytes()
}

fn fault(body: &str) -> (String, String) {
    let PayloadFault { pointer, reason } = read_webhook(body.as_bytes()).unwrap_err();
    (pointer, reason)
}

#[test]
fn a_good_payload_is_read_whole() {
    let payload = read_webhook(&webhook(&[alert("A"), alert("B")])).unwrap();
    let names: Vec<_> = payload.signals.iter().map(|signal| signal.name.as_str()).collect();
    assert_eq!((names, payload.quarantined, payload.truncated), (vec!["A", "B"], vec![], 3));
}

#[test]
fn an_unusable_alert_is_kept_aside_and_the_others_go_on() {
    let bad = |field: &str, value: Value| {
        let mut alert = alert("X");
        alert[field] = value;
        alert
    };
    let mut without_start = alert("X");
    without_start.as_object_mut().unwrap().remove("startsAt");
    for (entry, pointer, reason) in [
        (bad("labels", json!({"a": "b"})), "/alerts/1/labels", "the alert has no label `alertname`"),
        (bad("labels", json!({"a/b~c": 1})), "/alerts/1/labels/a~1b~0c", "a value is a string, this is a number"),
        (bad("labels", json!([])), "/alerts/1/labels", "labels are an object, this is an array"),
        (bad("status", json!("maybe")), "/alerts/1/status", "the status is firing or resolved, not \"maybe\""),
        (
            bad("startsAt", json!("yesterday")),
            "/alerts/1/startsAt",
            "a time is as 2026-01-31T12:00:00Z, not \"yesterday\"",
        ),
        (without_start, "/alerts/1/startsAt", "startsAt is missing"),
        (
            bad("fingerprint", json!("xyz")),
            "/alerts/1/fingerprint",
            "a fingerprint is 1 to 16 hexadecimal digits, got \"xyz\"",
        ),
        (json!("alert"), "/alerts/1", "an entry is an object, this is a string"),
    ] {
        let payload = read_webhook(&webhook(&[alert("A"), entry.clone(), alert("B")])).unwrap();
        assert_eq!(payload.signals.len(), 2, "{pointer}");
        let aside = &payload.quarantined[0];
        assert_eq!((aside.pointer.as_str(), aside.reason.as_str()), (pointer, reason));
        assert_eq!(serde_json::from_str::<Value>(&aside.body).unwrap(), entry);
    }
}

#[test]
fn a_payload_that_is_none_is_refused_by_where_it_is_wrong() {
    let syntax = "the body is no JSON: expected value at line 2 column 1";
    assert_eq!(fault("{\"version\":\n}"), (String::new(), syntax.to_owned()));
    assert_eq!(fault("[]").1, "a webhook's payload is an object, this is an array");
    let old = "version \"3\" of Alertmanager's webhook is not understood; version \"4\" is";
    assert_eq!(fault(r#"{"version":"3","alerts":[]}"#), ("/version".to_owned(), old.to_owned()));
    assert_eq!(fault(r#"{"alerts":[]}"#).0, "/version");
    assert_eq!(fault(r#"{"version":"4"}"#), ("/alerts".to_owned(), "alerts are missing".to_owned()));
    let wrong = "alerts are an array, this is an object";
    assert_eq!(fault(r#"{"version":"4","alerts":{}}"#), ("/alerts".to_owned(), wrong.to_owned()));
}

#[test]
fn a_large_unusable_alert_is_kept_in_part() {
    let mut entry = alert("X");
    entry["status"] = json!("ä".repeat(20_000));
    let payload = read_webhook(&webhook(&[entry])).unwrap();
    let length = payload.quarantined[0].body.len();
    assert!((16_380..=16_384).contains(&length), "{length}");
}

#[test]
fn signals_of_a_forwarder_are_read_as_they_are_written() {
    let payload = read_webhook(&webhook(&[alert("A")])).unwrap();
    let mut entries = serde_json::to_value(&payload.signals).unwrap();
    assert_eq!(read_signals(entries.to_string().as_bytes()).unwrap().signals, payload.signals);
    entries.as_array_mut().unwrap().push(json!({"status": "firing"}));
    let mixed = read_signals(entries.to_string().as_bytes()).unwrap();
    assert_eq!((mixed.signals.len(), mixed.quarantined[0].pointer.as_str()), (1, "/1/starts_at"));
    assert_eq!(read_signals(b"{}").unwrap_err().reason, "signals are an array, this is an object");
}
