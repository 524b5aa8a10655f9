//! A sighting made into the signal that it may become.

use marple_core::{Fingerprint, Labels, Signal, SignalSource, SignalStatus};

use super::objects::Objects;
use super::{CLUSTER, owners};
use crate::condition::Sighting;
use crate::object::{Object, ObjectKey, controller};
use crate::tracker::{ConditionKey, Draft};

/// The signal that a sighting may become. Its fingerprint is of the cluster and the condition's name, object and container
/// alone: a restart, a count or a new text is no new condition.
pub(super) fn draft(sighting: Sighting, object: &Object, key: &ObjectKey, objects: &Objects, cluster: &str) -> Draft {
    let subject = sighting.subject.unwrap_or_else(|| key.clone());
    let labels = {
        let mut labels: Labels =
            [("alertname", sighting.name), (CLUSTER, cluster), ("severity", sighting.severity.as_str())]
                .into_iter()
                .collect();
        if !subject.namespace.is_empty() {
            labels.insert("namespace", &*subject.namespace);
        }
        // Before the object's own label: a node is about itself, whatever else it tells.
        if let Some(node) = &sighting.node {
            labels.insert("node", node);
        }
        if let Some(owner) = first_owner(object, &subject, key, objects) {
            let top = owners::top(owner, &subject.namespace, objects);
            if let Some(label) = owners::label(&top.kind) {
                labels.insert(label, &*top.name);
            } else {
                labels.insert("owner_kind", &*top.kind);
                labels.insert("owner_name", &*top.name);
            }
        }
        if let Some(label) = owners::label(subject.kind.as_str()) {
            labels.insert(label, &*subject.name);
        }
        if let Some(container) = &sighting.container {
            labels.insert("container", container);
        }
        if let Some(reason) = &sighting.reason {
            labels.insert("reason", reason);
        }
        labels
    };
    let mut annotations: Labels = [("summary", sighting.summary)].into_iter().collect();
    if let Some(description) = sighting.description {
        annotations.insert("description", description);
    }
    let condition =
        ConditionKey { name: sighting.name, container: sighting.container.map(String::into_boxed_str), subject };
    let signal = Signal {
        source: SignalSource::Forwarder,
        fingerprint: fingerprint(&condition, cluster),
        status: SignalStatus::Firing,
        name: sighting.name.to_owned(),
        severity: sighting.severity,
        subject: Some(condition.subject.reference()),
        labels,
        annotations,
        starts_at: sighting.since.unwrap_or_default(),
        ends_at: None,
        generator_url: None,
    };
    Draft {
        key: condition,
        stage: sighting.stage,
        since: sighting.since,
        last: sighting.last,
        until: sighting.until,
        progress: sighting.progress,
        signal: Box::new(signal),
    }
}

/// The owner of the subject: as it says itself, or, where an event speaks, as was noted of it.
fn first_owner(
    object: &Object,
    subject: &ObjectKey,
    key: &ObjectKey,
    objects: &Objects,
) -> Option<crate::object::Owner> {
    if subject == key { controller(object.metadata()) } else { objects.owner(subject).cloned() }
}

fn fingerprint(condition: &ConditionKey, cluster: &str) -> Fingerprint {
    let subject = &condition.subject;
    let identity: Labels = [
        ("alertname", condition.name),
        (CLUSTER, cluster),
        ("container", condition.container.as_deref().unwrap_or_default()),
        ("kind", subject.kind.as_str()),
        ("name", &subject.name),
        ("namespace", &subject.namespace),
    ]
    .into_iter()
    .collect();
    Fingerprint::of(&identity)
}
