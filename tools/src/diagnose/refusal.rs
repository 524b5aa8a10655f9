//! Pods that the API server refuses to create, as their controllers tell it.

use marple_core::{Finding, ObjectRef, ProofSource};

use super::context::{Context, Draft};
use crate::scene::{Event, field};

/// A refusal that still holds.
pub(super) struct Refusal<'a> {
    /// The controller that wanted to create pods.
    pub(super) object: &'a ObjectRef,
    /// Its top owner: what to change where its pods don't fit a rule.
    pub(super) owner: ObjectRef,
    /// The API server's words.
    pub(super) message: &'a str,
    event: Option<&'a Event>,
}

impl<'a> Refusal<'a> {
    /// Proves a finding by the event, else by the controller's condition.
    pub(super) fn prove<'c>(&self, draft: Draft<'c, 'a>) -> Draft<'c, 'a> {
        match self.event {
            Some(event) => draft.event(event),
            None => draft.words(ProofSource::Object(self.object.clone()), self.message),
        }
    }
}

/// Refusals of controllers that have fewer pods than they want.
pub(super) fn refusals<'a>(context: &Context<'a>) -> Vec<Refusal<'a>> {
    let mut found = Vec::new();
    for kind in ["ReplicaSet", "StatefulSet", "DaemonSet", "Job", "CronJob"] {
        for (object, value) in context.scene.of_kind(kind) {
            let number = |path| field::number(value, path).unwrap_or_default();
            let short = match kind {
                "DaemonSet" => number("/status/currentNumberScheduled") < number("/status/desiredNumberScheduled"),
                "Job" => number("/status/active") + number("/status/succeeded") == 0,
                "CronJob" => true,
                _ => number("/status/replicas") < field::number(value, "/spec/replicas").unwrap_or(1),
            };
            if !short {
                continue;
            }
            // A run that began since got through.
            let began = field::time(value, "/status/lastScheduleTime").filter(|_| kind == "CronJob");
            let event = context.warning(object, |event| event.reason == "FailedCreate");
            let event = event.filter(|event| began.is_none_or(|began| event.at > began));
            let condition = field::condition(value, "ReplicaFailure").and_then(|one| field::text(one, "/message"));
            let Some(message) = event.map(|event| event.message.as_str()).or(condition) else { continue };
            found.push(Refusal { object, owner: context.graph.top_owner(object), message, event });
        }
    }
    found
}

/// Lets `judge` look at each refusal.
pub(super) fn each<'a>(
    context: &Context<'a>,
    findings: &mut Vec<Finding>,
    judge: impl Fn(&Context<'a>, &Refusal<'a>, &mut Vec<Finding>),
) {
    for refusal in refusals(context) {
        judge(context, &refusal, findings);
    }
}
