//! What leads to pods, and what keeps away from them.

use serde_json::Value;

use crate::change::trim::Trim;

/// Services: which pods they select, and at which ports.
pub(super) fn trim_service(trim: &mut Trim<'_>) {
    for (key, value) in trim.part("/spec").as_object().into_iter().flatten() {
        match key.as_str() {
            // Given by the cluster.
            "clusterIPs" | "healthCheckNodePort" => {}
            // Their names may be left out where there is one; the number tells them apart.
            "ports" => {
                for port in value.as_array().into_iter().flatten() {
                    let number = port.get("port").map(Value::to_string).unwrap_or_default();
                    let protocol = port.get("protocol").and_then(Value::as_str).unwrap_or("TCP");
                    let mut rest = port.clone();
                    if let Value::Object(fields) = &mut rest {
                        fields.retain(|key, _| !matches!(key.as_str(), "port" | "protocol"));
                    }
                    trim.walk(&format!("ports[{number}/{protocol}]"), &rest);
                }
            }
            key => trim.walk(key, value),
        }
    }
    trim.annotations();
}

/// Ingresses, which many controllers steer by annotations.
pub(super) fn trim_ingress(trim: &mut Trim<'_>) {
    for (key, value) in trim.part("/spec").as_object().into_iter().flatten() {
        if key != "rules" {
            trim.walk(key, value);
        }
    }
    for rule in trim.part("/spec/rules").as_array().into_iter().flatten() {
        let host = rule.get("host").and_then(Value::as_str).unwrap_or("*");
        for path in rule.pointer("/http/paths").and_then(Value::as_array).into_iter().flatten() {
            let at = path.get("path").and_then(Value::as_str).unwrap_or("/");
            trim.walk(&format!("rules[{host}{at}]"), path.pointer("/backend").unwrap_or(&Value::Null));
            trim.walk(&format!("rules[{host}{at}].pathType"), path.get("pathType").unwrap_or(&Value::Null));
        }
    }
    trim.annotations();
}

/// What a specification alone describes: network policies.
pub(super) fn trim_specification(trim: &mut Trim<'_>) {
    trim.walk("", trim.part("/spec"));
}
