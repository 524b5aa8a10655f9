//! A sighting made into the signal that it may become.

use jiff::Timestamp;
use marple_core::{Fingerprint, Labels, Signal, SignalSource, SignalStatus};

use super::objects::Objects;
use super::{CLUSTER, owners};
use crate::condition::Sighting;
use crate::object::{Kind, Object, ObjectKey, controller, created};
use crate::tracker::{ConditionKey, Draft};

/// The signal that a sighting may become. Its fingerprint is of the cluster and the condition's name, object and container
/// alone: a restart, a count or a new text is no new condition.
pub(super) fn draft(
    sighting: Sighting,
    object: &Object,
    key: &ObjectKey,
    objects: &Objects,
    cluster: &str,
    now: Timestamp,
) -> Draft {
    let sighting = by_our_clock(sighting, object, now);
    let made = sighting.subject.is_none().then(|| created(object.metadata())).flatten();
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
        if let Some(workload) = &sighting.workload
            && let Some(label) = owners::label(&workload.kind)
        {
            labels.insert(label, &*workload.name);
        }
        if let Some(label) = owners::label(subject.kind.as_str()) {
            labels.insert(label, &*subject.name);
        }
        if let Some(condition) = &sighting.condition {
            labels.insert("condition", condition);
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
    let parts = [sighting.container, sighting.condition].into_iter().flatten().reduce(|a, b| format!("{a} {b}"));
    let condition = ConditionKey { name: sighting.name, part: parts.map(String::into_boxed_str), subject };
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
        rate_limit: sighting.rate_limit,
        made,
        signal: Box::new(signal),
    }
}

/// The sighting with its times as our clock has them: nothing began before its object was made, and what a clock that goes
/// ahead says is taken to be of now, its end as much earlier.
fn by_our_clock(mut sighting: Sighting, object: &Object, now: Timestamp) -> Sighting {
    let latest = sighting.since.max(sighting.last);
    if let Some(ahead) = latest.filter(|latest| *latest > now).map(|latest| latest.duration_since(now)) {
        let back = |at: Timestamp| at.checked_sub(ahead).unwrap_or(Timestamp::MIN);
        sighting.last = sighting.last.map(back);
        sighting.until = sighting.until.map(back);
        sighting.since = sighting.since.map(|since| since.min(now));
    }
    if sighting.subject.is_none() {
        sighting.since =
            sighting.since.max(created(object.metadata()).filter(|made| sighting.since.is_some() && *made <= now));
    }
    sighting
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
    let kind = match &subject.kind {
        // Groups may have kinds of the same name.
        Kind::Custom(custom) if !custom.group.is_empty() => format!("{}.{}", custom.kind, custom.group),
        kind => kind.to_string(),
    };
    let identity: Labels = [
        ("alertname", condition.name),
        (CLUSTER, cluster),
        ("container", condition.part.as_deref().unwrap_or_default()),
        ("kind", &kind),
        ("name", &subject.name),
        ("namespace", &subject.namespace),
    ]
    .into_iter()
    .collect();
    Fingerprint::of(&identity)
}
