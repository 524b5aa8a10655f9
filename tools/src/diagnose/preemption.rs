//! Pods that had to go for others of a higher priority.

use marple_core::ObjectRef;

use super::context::{Context, RECENT};
use crate::scene::{Event, field};

/// That a pod had to go, and for whom.
pub(super) struct Preempted<'a> {
    pub(super) event: &'a Event,
    /// The top owner of the pod for which it had to go, where that is known.
    pub(super) by: Option<ObjectRef>,
    /// Both in words.
    pub(super) told: String,
}

/// The latest that had to go of each workload, lately.
pub(super) fn each<'a>(context: &Context<'a>) -> Vec<(ObjectRef, Preempted<'a>)> {
    let mut found: Vec<(ObjectRef, Preempted<'a>)> = Vec::new();
    let events = context.scene.events.iter().rev();
    for event in events.filter(|event| event.is_preemption() && context.within(event.at, RECENT)) {
        let owner = context.graph.top_owner(&event.about);
        if found.iter().any(|(known, _)| *known == owner) {
            continue;
        }
        let pod = event.related.as_ref();
        let by = pod.map(|pod| context.graph.top_owner(pod));
        let class = pod.and_then(|pod| field::text(context.scene.get(pod)?, "/spec/priorityClassName"));
        let class = class.map(|class| format!(", of priority class {class}")).unwrap_or_default();
        let whom = match (pod, &by) {
            (Some(pod), Some(by)) if by != pod => format!("{pod} of {by}{class}"),
            (Some(pod), _) => format!("{pod}{class}"),
            (None, _) => "a pod of higher priority".to_owned(),
        };
        let told = format!("{} had to go {} ago to make room for {whom}", event.about, context.ago(event.at));
        found.push((owner, Preempted { event, by, told }));
    }
    found
}
