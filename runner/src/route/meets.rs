//! Whether an incident meets matchers.

use marple_core::{Incident, Member};

use super::Matcher;

/// Whether one alert of an incident meets all matchers: `namespace="shop"` and `team="a"` of two different alerts mean
/// nobody. `cluster` is the name of the cluster where no alert says another.
pub(crate) fn meets(matchers: &[Matcher], cluster: &str, incident: &Incident, members: &[Member]) -> bool {
    let all = |member: Option<&Member>| matchers.iter().all(|matcher| is_met(matcher, cluster, incident, member));
    if members.is_empty() { all(None) } else { members.iter().any(|member| all(Some(member))) }
}

fn is_met(matcher: &Matcher, cluster: &str, incident: &Incident, member: Option<&Member>) -> bool {
    let subject = member.and_then(|member| member.subject.as_ref());
    let objects = || subject.into_iter().chain(&incident.subject);
    let label = member.and_then(|member| member.labels.get(matcher.name()));
    let mut values: Vec<&str> = label.into_iter().collect();
    match matcher.name() {
        "severity" => values.push(incident.severity.as_str()),
        "cluster" if values.is_empty() => values.push(cluster),
        "alertname" if values.is_empty() => values.extend(member.map(|member| member.name.as_str())),
        "namespace" => values.extend(objects().filter_map(|object| {
            object.namespace.as_deref().or_else(|| object.is("Namespace").then_some(object.name.as_str()))
        })),
        "object_kind" => values.extend(objects().map(|object| object.kind.as_str())),
        "object_name" => values.extend(objects().map(|object| object.name.as_str())),
        _ => {}
    }
    matcher.is_met(&values)
}
