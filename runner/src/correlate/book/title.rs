//! What an incident is called.

use std::sync::Arc;

use marple_core::{Incident, ObjectRef};

use crate::correlate::HeldMember;

/// One line for people, as `Deployment shop/cart and 2 more: KubePodCrashLooping and 3 more alerts`.
pub(super) fn title(incident: &Incident, names: &[Arc<str>], member: Option<&HeldMember>) -> String {
    let alerts = match names {
        [] => return String::new(),
        [only] => only.to_string(),
        [first, _] => format!("{first} and 1 more alert"),
        [first, rest @ ..] => format!("{first} and {} more alerts", rest.len()),
    };
    match &incident.subject {
        Some(subject) => {
            let others = incident.objects.iter().filter(|object| *object != subject).count();
            let rest = if others == 0 { String::new() } else { format!(" and {others} more") };
            format!("{subject}{rest}: {alerts}")
        }
        // The parts of a group's key, after its name: namespace and job.
        None => match member.and_then(|member| member.group.as_deref()).and_then(|key| key.split('\u{1f}').nth(2)) {
            Some(job) if !job.is_empty() => format!("{alerts} (job {job})"),
            _ => alerts,
        },
    }
}

/// Whether an alert about a node tells of something that takes its pods down, by the names of kubernetes-mixin,
/// node-exporter's mixin and the forwarder. A disk that fills up slowly or a high load breaks no pod by itself.
pub(super) fn takes_pods_down(name: &str, subject: Option<&ObjectRef>) -> bool {
    const WORDS: [&str; 6] = ["NotReady", "Unreachable", "Pressure", "ReadinessFlapping", "Eviction", "Down"];
    subject.is_some_and(|subject| subject.is("Node")) && WORDS.iter().any(|word| name.contains(word))
}
