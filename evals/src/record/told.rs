//! What a marple that serves has of an incident, as a recording keeps it.

use std::collections::{BTreeMap, BTreeSet};

use marple_core::{Change, Member, Signal, SignalSource, SignalStatus};
use serde_json::{Value, json};

use crate::bundle::Payload;

/// The alerts of an incident that Alertmanager posted, as it would post them now: in the groups of namespace and alert,
/// the group whose first alert began first before the others.
pub fn payloads(members: &[Member]) -> Vec<Payload> {
    let mut groups: BTreeMap<(&str, &str), Vec<&Member>> = BTreeMap::new();
    for member in members.iter().filter(|member| member.source == SignalSource::Alertmanager) {
        let namespace = member.labels.get("namespace").unwrap_or_default();
        groups.entry((namespace, &member.name)).or_default().push(member);
    }
    let mut payloads: Vec<Payload> = groups
        .into_iter()
        .filter_map(|((namespace, name), mut members)| {
            members.sort_by_key(|member| (member.starts_at, member.fingerprint));
            let at = members.first()?.starts_at;
            let firing = members.iter().any(|member| member.status == SignalStatus::Firing);
            let labels = json!({ "alertname": name, "namespace": namespace });
            let body = json!({
                "version": "4",
                "groupKey": format!("{{}}:{{alertname={name:?}, namespace={namespace:?}}}"),
                "truncatedAlerts": 0,
                "status": if firing { "firing" } else { "resolved" },
                "receiver": "marple",
                "groupLabels": labels,
                "commonLabels": labels,
                "commonAnnotations": {},
                "externalURL": "",
                "alerts": members.into_iter().map(alert).collect::<Vec<_>>(),
            });
            Some(Payload { at, body })
        })
        .collect();
    payloads.sort_by_key(|payload| payload.at);
    payloads
}

fn alert(member: &Member) -> Value {
    let ends_at = member.ends_at.map_or_else(|| "0001-01-01T00:00:00Z".to_owned(), |at| at.to_string());
    json!({
        "status": member.status,
        "labels": member.labels,
        "annotations": { "summary": member.headline },
        "startsAt": member.starts_at,
        "endsAt": ends_at,
        "generatorURL": member.generator_url.clone().unwrap_or_default(),
        "fingerprint": member.fingerprint,
    })
}

/// What came of an incident from others than Alertmanager, oldest first.
pub fn signals(members: &[Member]) -> Vec<Signal> {
    let others = members.iter().filter(|member| member.source != SignalSource::Alertmanager);
    let mut signals: Vec<Signal> = others
        .map(|member| Signal {
            annotations: [("summary", member.headline.as_str())].into_iter().collect(),
            ..member.signal()
        })
        .collect();
    signals.sort_by_key(|signal| (signal.starts_at, signal.fingerprint));
    signals
}

/// Changes of several namespaces as one history: each once, oldest first.
pub fn history(changes: impl IntoIterator<Item = Change>) -> Vec<Change> {
    let mut known = BTreeSet::new();
    let mut changes: Vec<Change> = changes.into_iter().filter(|change| known.insert(change.identity())).collect();
    changes.sort_by(|a, b| (a.at, &a.object).cmp(&(b.at, &b.object)));
    changes
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use marple_core::{Author, ChangeKind, Fingerprint, JoinReason, Labels, ObjectRef, Severity};

    use super::*;

    fn member(source: SignalSource, namespace: &str, name: &str, second: i64, holds: bool) -> Member {
        let at = Timestamp::from_second(second).unwrap();
        let labels: Labels = [("alertname", name), ("namespace", namespace)].into_iter().collect();
        Member {
            source,
            fingerprint: Fingerprint::of(&labels),
            name: name.to_owned(),
            status: if holds { SignalStatus::Firing } else { SignalStatus::Resolved },
            severity: Severity::Warning,
            subject: Some(ObjectRef::namespaced("Pod", namespace, "cart-1")),
            reason: JoinReason::First,
            headline: "Pod is crash looping.".to_owned(),
            labels,
            starts_at: at,
            ends_at: (!holds).then(|| Timestamp::from_second(second + 60).unwrap()),
            generator_url: None,
        }
    }

    #[test]
    fn alerts_become_posts_by_their_groups_and_the_rest_signals() {
        let (manager, forwarder) = (SignalSource::Alertmanager, SignalSource::Forwarder);
        let members = [
            member(manager, "till", "KubeJobFailed", 200, false),
            member(manager, "shop", "KubePodCrashLooping", 100, true),
            member(forwarder, "shop", "PodCrashLooping", 90, true),
            member(manager, "shop", "KubePodCrashLooping", 150, false),
        ];
        let posts = payloads(&members);
        let told: Vec<(String, &str, usize)> = posts
            .iter()
            .map(|post| {
                let (status, alerts) = (post.body["status"].as_str().unwrap(), post.body["alerts"].as_array().unwrap());
                (post.body["groupLabels"]["alertname"].to_string(), status, alerts.len())
            })
            .collect();
        assert_eq!(
            told,
            [("\"KubePodCrashLooping\"".to_owned(), "firing", 2), ("\"KubeJobFailed\"".to_owned(), "resolved", 1)]
        );
        assert_eq!(posts[1].body["alerts"][0]["endsAt"], "1970-01-01T00:04:20Z");
        assert_eq!(posts[0].body["alerts"][0]["endsAt"], "0001-01-01T00:00:00Z");
        let signals = signals(&members);
        assert_eq!(signals.len(), 1);
        assert_eq!((signals[0].name.as_str(), signals[0].headline()), ("PodCrashLooping", "Pod is crash looping."));
    }

    #[test]
    fn a_change_that_two_namespaces_tell_is_kept_once_and_in_order() {
        let change = |name: &str, second: i64| Change {
            cluster: "test".to_owned(),
            object: ObjectRef::cluster("Node", name),
            uid: name.to_owned(),
            version: second.to_string(),
            at: Timestamp::from_second(second).unwrap(),
            found_late: false,
            by: Author::default(),
            kind: ChangeKind::Altered,
            fields: Vec::new(),
            left_out: 0,
        };
        let (first, second) = (change("a", 1), change("b", 2));
        assert_eq!(history([second.clone(), first.clone(), second.clone()]), [first, second]);
    }
}
