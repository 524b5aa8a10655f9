//! What is recorded holds no secret, and all else.

use std::sync::LazyLock;

use marple_tools::redact::{RedactConfig, Redactor};
use serde_json::json;

use super::*;

static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(&RedactConfig::default()).unwrap());

fn redaction() -> Redaction<'static> {
    Redaction::new(&*REDACTOR)
}

/// The object without its secrets; each placeholder without its kind and digits.
fn clean(mut object: Value) -> Value {
    redaction().object(&mut object);
    plain(&object)
}

fn plain(object: &Value) -> Value {
    let placeholders = regex::Regex::new(r"\[redacted:[a-z-]+:[0-9a-f]{4}\]").unwrap();
    serde_json::from_str(&placeholders.replace_all(&object.to_string(), "[redacted]")).unwrap()
}

#[test]
fn a_secret_keeps_the_names_and_sizes_of_its_values_alone() {
    let secret = json!({
        "kind": "Secret",
        "metadata": {"name": "db", "annotations": {LAST_APPLIED: "{\"stringData\":{\"a\":\"clear\"}}", "team": "x"}},
        "data": {"password": "c2VjcmV0IQ==", "empty": ""}
    });
    assert_eq!(
        clean(secret),
        json!({
            "kind": "Secret",
            "metadata": {"name": "db", "annotations": {"team": "x"}},
            "data": {"password": "AAAAAAAAAA==", "empty": ""}
        })
    );
}

#[test]
fn a_name_that_tells_of_a_secret_hides_its_value_wherever_it_stands() {
    let pod = json!({
        "kind": "Pod",
        "metadata": {"annotations": {LAST_APPLIED: "{\"kind\":\"ConfigMap\",\"data\":{\"PASSWORD\":\"plainword\"}}\n"}},
        "spec": {"containers": [{
            "args": ["--token=k7Lm2Qx9Rt4", "--password", "plainword", "--mode", "fast"],
            "env": [{"name": "DB_PASSWORD", "value": "plainword"}, {"name": "MODE", "value": "fast"}]
        }]}
    });
    assert_eq!(
        clean(pod),
        json!({
            "kind": "Pod",
            "metadata": {"annotations": {LAST_APPLIED: "{\"kind\":\"ConfigMap\",\"data\":{\"PASSWORD\":\"[redacted]\"}}\n"}},
            "spec": {"containers": [{
                "args": ["--token=[redacted]", "--password", "[redacted]", "--mode", "fast"],
                "env": [{"name": "DB_PASSWORD", "value": "[redacted]"}, {"name": "MODE", "value": "fast"}]
            }]}
        })
    );
}

#[test]
fn a_custom_resource_is_redacted_by_the_names_of_its_fields() {
    let custom = json!({
        "kind": "Grafana",
        "metadata": {"name": "main", "labels": {"app": "grafana"}},
        "spec": {
            "config": {"security": {"admin_user": "root", "admin_password": "plain word", "passwords": ["one", "two"]}},
            "pin": {"password": 482_913},
            "summary": {"pass": 12},
            "secretName": "grafana-tls",
            "imagePullSecrets": [{"name": "registry"}],
        }
    });
    assert_eq!(
        clean(custom),
        json!({
            "kind": "Grafana",
            "metadata": {"name": "main", "labels": {"app": "grafana"}},
            "spec": {
                "config": {"security": {"admin_user": "root", "admin_password": "[redacted]", "passwords": ["[redacted]", "[redacted]"]}},
                "pin": {"password": "[redacted]"},
                "summary": {"pass": 12},
                "secretName": "grafana-tls",
                "imagePullSecrets": [{"name": "registry"}],
            }
        })
    );
}

#[test]
fn what_a_document_hides_is_what_its_text_would_hide() {
    let spec = json!({
        "admin_password": "plainword", "token": "expired", "apiToken": "plainword", "secret": "db-credentials",
        "clientSecret": "plainword", "key": "name", "keys": ["a", "b"], "tokens": ["one", "two"], "replicas": "3",
        "passwordFile": "/etc/secrets/db", "cookie": "session=abcdef123", "license_key": "plainword",
    });
    let text = REDACTOR.redact(&serde_json::to_string_pretty(&spec).unwrap());
    let as_text: Value = serde_json::from_str(&text).unwrap();
    let mut document = spec;
    redaction().document(&mut document);
    assert_eq!(plain(&document), plain(&as_text));
}

#[test]
fn labels_of_monitoring_are_read_by_their_values_alone() {
    let mut alert = json!({"labels": {"secret": "k7Lm2Qx9Rt4Zb8"}, "annotations": {"password": "plainword"}});
    redaction().monitoring(&mut alert);
    assert_eq!(
        plain(&alert),
        json!({"labels": {"secret": "k7Lm2Qx9Rt4Zb8"}, "annotations": {"password": "[redacted]"}})
    );
}

#[test]
fn binary_data_of_a_config_map_is_told_by_its_size() {
    let map = json!({"kind": "ConfigMap", "metadata": {"name": "m"}, "binaryData": {"store.jks": "c2VjcmV0IQ=="}});
    assert_eq!(clean(map)["binaryData"]["store.jks"], "AAAAAAAAAA==");
}

#[test]
fn a_change_is_redacted_by_the_name_of_its_field() {
    let change = |path: &str| {
        let mut change: Change = serde_json::from_value(json!({
            "cluster": "c", "object": {"kind": "ConfigMap", "namespace": "shop", "name": "m"}, "uid": "u", "version": "1",
            "at": "2026-01-01T00:00:00Z", "by": {}, "kind": "altered",
            "fields": [{"path": path, "before": "plainword", "after": "otherword"}],
        }))
        .unwrap();
        redaction().change(&mut change);
        change.fields[0].after.clone().unwrap()
    };
    assert!(change("data.password").starts_with("[redacted"));
    assert!(change("spec.template.spec.containers[app].env[DB_PASSWORD].value").starts_with("[redacted"));
    assert_eq!(change("data.mode"), "otherword");
}

const TAIL: &str =
    "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDK7q\nabcdEFGH1234abcdEFGH1234abcdEFGH1234abcdEFGH1234\nq2==";

#[test]
fn the_lines_of_a_log_keep_their_times_though_a_secret_spans_them() {
    let key = format!("begin\n-----BEGIN PRIVATE KEY-----\n{TAIL}\n-----END PRIVATE KEY-----\nend");
    let lines: Vec<String> = key.lines().enumerate().map(|(number, line)| format!("{number}Z {line}\n")).collect();
    let log = redaction().log(&lines.concat());
    assert!(log.starts_with("0Z begin\n1Z -----BEGIN PRIVATE KEY-----\n2Z [redacted:private-key:"), "{log}");
    assert!(log.ends_with("5Z -----END PRIVATE KEY-----\n6Z end\n") || log.ends_with("\n6Z end\n"), "{log}");
    assert!(!log.contains("MIIE") && !log.contains("abcdEFGH"), "{log}");
    assert_eq!(redaction().log("1Z a\n2Z b\n3Z\n"), "1Z a\n2Z b\n3Z \n");
    assert_eq!(redaction().log(""), "");
}

#[test]
fn the_rest_of_a_key_is_taken_out_where_a_log_begins_within_it() {
    let lines = format!("{TAIL}\n-----END RSA PRIVATE KEY-----\nready to serve");
    let timed: Vec<String> = lines.lines().enumerate().map(|(number, line)| format!("{number}Z {line}\n")).collect();
    let log = redaction().log(&timed.concat());
    assert!(log.starts_with("0Z [redacted:private-key:"), "{log}");
    assert!(log.ends_with("Z -----END RSA PRIVATE KEY-----\n4Z ready to serve\n"), "{log}");
    assert!(!log.contains("MIIE") && !log.contains("abcdEFGH") && !log.contains("BEGIN"), "{log}");
    let told = "1Z starting\n2Z no line -----END PRIVATE KEY----- was found\n";
    assert_eq!(redaction().log(told), told);
}

fn revision() -> Value {
    let manifest = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: plainword}\n---\n\
                    apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: cart}\nspec: {replicas: 2}\n";
    json!({
        "name": "cart", "namespace": "shop", "version": 3, "manifest": manifest,
        "info": {"status": "failed", "description": "Upgrade \"cart\" failed: timed out", "last_deployed": "2026-01-01T00:00:00Z",
            "notes": "log in with plainword"},
        "chart": {"metadata": {"name": "cart", "version": "1.4.2", "appVersion": "7"}, "values": {"password": "plainword"},
            "templates": [{"name": "t", "data": "cGxhaW53b3Jk"}]},
        "config": {"password": "plainword"}, "hooks": [{"manifest": "plainword"}],
    })
}

#[test]
fn a_release_of_helm_keeps_what_happened_and_no_value() {
    let payload = |driver| helm::written(driver, &revision()).unwrap();
    let metadata = json!({"name": "sh.helm.release.v1.cart.v3", "labels": {"owner": "helm", "name": "cart"}});
    for (driver, kind) in [(helm::Driver::Secret, "Secret"), (helm::Driver::ConfigMap, "ConfigMap")] {
        let object = json!({"kind": kind, "metadata": metadata, "data": {"release": payload(driver)}});
        let object = clean(object);
        let kept = helm::read(driver, object["data"]["release"].as_str().unwrap()).unwrap();
        assert_eq!(kept["info"]["status"], "failed");
        assert_eq!(kept["info"]["description"], "Upgrade \"cart\" failed: timed out");
        assert_eq!(kept["chart"]["metadata"], json!({"name": "cart", "version": "1.4.2", "appVersion": "7"}));
        assert_eq!((&kept["name"], &kept["version"]), (&json!("cart"), &json!(3)));
        let manifest = kept["manifest"].as_str().unwrap();
        assert!(manifest.contains("\"replicas\":2"), "{manifest}");
        assert!(!kept.to_string().contains("plainword") && !kept.to_string().contains("cGxhaW53b3Jk"), "{kept}");
    }
    let broken = json!({"kind": "ConfigMap", "metadata": metadata, "data": {"release": "password: plainword"}});
    assert_eq!(clean(broken)["data"]["release"], "");
}
