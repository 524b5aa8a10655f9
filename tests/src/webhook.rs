//! What Alertmanager posts, by hand.

use serde_json::{Value, json};

/// A firing alert of a Deployment, that begins now.
pub fn firing(name: &str, namespace: &str, deployment: &str) -> Value {
    alert(&json!({ "alertname": name, "namespace": namespace, "deployment": deployment, "severity": "warning" }))
}

/// A firing alert with these labels, that begins now.
pub fn alert(labels: &Value) -> Value {
    json!({
        "status": "firing", "labels": labels, "annotations": { "summary": "Something is wrong." },
        "startsAt": jiff::Timestamp::now().to_string(), "endsAt": "0001-01-01T00:00:00Z",
        "generatorURL": "http://127.0.0.1:9090/graph?g0.expr=up"
    })
}

/// The webhook, version 4, of some alerts.
pub fn webhook(alerts: &[Value]) -> Value {
    json!({
        "version": "4", "groupKey": "{}:{}", "truncatedAlerts": 0, "status": "firing", "receiver": "marple",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://127.0.0.1:9093",
        "alerts": alerts
    })
}
