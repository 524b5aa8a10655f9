//! Workloads: what their pods are made from, how many there are and how they are replaced.

use serde_json::Value;

use crate::change::trim::{Trim, is_noise};

/// Deployments, StatefulSets, DaemonSets, ReplicaSets and `ReplicationController`s.
pub(super) fn trim(trim: &mut Trim<'_>) {
    let (specification, pods) = (trim.part("/spec"), trim.part("/spec/template"));
    template(trim, pods);
    fields(trim, specification, &["template", "revisionHistoryLimit", "volumeClaimTemplates"]);
    for claim in trim.part("/spec/volumeClaimTemplates").as_array().into_iter().flatten() {
        let name = claim.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
        trim.walk(&format!("volumeClaimTemplates[{name}]"), claim.pointer("/spec").unwrap_or(&Value::Null));
    }
    trim.labels();
}

/// Pods. On which node one runs is the scheduler's doing.
pub(super) fn trim_pod(trim: &mut Trim<'_>) {
    let specification = trim.part("/spec");
    fields(trim, specification, &["serviceAccount", "nodeName"]);
    trim.labels();
}

/// `CronJob`s.
pub(super) fn trim_cron_job(trim: &mut Trim<'_>) {
    let (specification, job) = (trim.part("/spec"), trim.part("/spec/jobTemplate/spec"));
    let pods = trim.part("/spec/jobTemplate/spec/template");
    template(trim, pods);
    fields(trim, job, &["template", "selector"]);
    fields(trim, specification, &["jobTemplate"]);
    trim.labels();
}

/// Jobs.
pub(super) fn trim_job(trim: &mut Trim<'_>) {
    let (specification, pods) = (trim.part("/spec"), trim.part("/spec/template"));
    template(trim, pods);
    fields(trim, specification, &["template", "selector"]);
}

/// The fields of a specification but these.
fn fields(trim: &mut Trim<'_>, specification: &Value, but: &[&str]) {
    for (key, value) in specification.as_object().into_iter().flatten() {
        if !but.contains(&key.as_str()) {
            trim.walk(key, value);
        }
    }
}

/// A pod template, under the names that its fields have in a pod.
fn template(trim: &mut Trim<'_>, template: &Value) {
    fields(trim, template.pointer("/spec").unwrap_or(&Value::Null), &["serviceAccount"]);
    for part in ["labels", "annotations"] {
        let entries = template.pointer(&format!("/metadata/{part}")).and_then(Value::as_object);
        for (name, value) in entries.into_iter().flatten().filter(|(name, _)| !is_noise(name)) {
            trim.walk(&format!("template.{part}.{name}"), value);
        }
    }
}
