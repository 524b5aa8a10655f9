//! Containers of pods, specification and status together.

use jiff::{SignedDuration, Timestamp};
use marple_core::ObjectRef;
use serde_json::Value;

use super::context::{Context, Draft, RECENT};
use super::{Condition, line};
use crate::scene::field;

/// A container of a pod that is not being deleted.
pub(super) struct Container<'a> {
    pub(super) pod: &'a ObjectRef,
    pub(super) value: &'a Value,
    pub(super) name: &'a str,
    /// Whether it must end before the others begin; a sidecar among the init containers need not.
    pub(super) init: bool,
    pub(super) spec: &'a Value,
    pub(super) status: &'a Value,
    /// The object to change when its specification is wrong.
    pub(super) owner: ObjectRef,
}

/// How a run of a container ended.
#[derive(Clone, Copy)]
pub(super) struct Ending<'a> {
    pub(super) code: i64,
    pub(super) reason: &'a str,
    pub(super) message: &'a str,
    pub(super) started: Option<Timestamp>,
    pub(super) finished: Option<Timestamp>,
    /// Whether it is the container's present state, not the one before.
    pub(super) present: bool,
}

/// Containers with a status, of pods that are neither being deleted nor done nor evicted.
pub(super) fn containers<'a>(context: &Context<'a>) -> Vec<Container<'a>> {
    let mut found = Vec::new();
    for (pod, value) in context.scene.of_kind("Pod") {
        let over = field::text(value, "/status/phase") == Some("Succeeded")
            || value.pointer("/metadata/deletionTimestamp").is_some()
            || field::text(value, "/status/reason").is_some();
        if over {
            continue;
        }
        for (list, statuses) in [
            ("/spec/initContainers", "/status/initContainerStatuses"),
            ("/spec/containers", "/status/containerStatuses"),
        ] {
            for spec in field::items(value, list) {
                let Some(name) = field::text(spec, "/name") else { continue };
                let Some(status) = field::items(value, statuses).iter().find(|s| field::text(s, "/name") == Some(name))
                else {
                    continue;
                };
                let sidecar = field::text(spec, "/restartPolicy") == Some("Always");
                let init = list == "/spec/initContainers" && !sidecar;
                found.push(Container { pod, value, name, init, spec, status, owner: context.graph.top_owner(pod) });
            }
        }
    }
    found
}

impl<'a> Container<'a> {
    /// Why it waits and what is said of it.
    pub(super) fn waiting(&self) -> Option<(&'a str, &'a str)> {
        let reason = field::text(self.status, "/state/waiting/reason")?;
        Some((reason, field::text(self.status, "/state/waiting/message").unwrap_or_default()))
    }

    /// How its last run ended, where one did.
    pub(super) fn ending(&self) -> Option<Ending<'a>> {
        let of = |path: &str, present| {
            let ended = self.status.pointer(path)?;
            Some(Ending {
                code: field::number(ended, "/exitCode")?,
                reason: field::text(ended, "/reason").unwrap_or_default(),
                message: field::text(ended, "/message").unwrap_or_default(),
                started: field::time(ended, "/startedAt"),
                finished: field::time(ended, "/finishedAt"),
                present,
            })
        };
        of("/state/terminated", true).or_else(|| of("/lastState/terminated", false))
    }

    /// How its last run ended, where that still matters: it doesn't run now, or the end is recent.
    pub(super) fn troubled_ending(&self, context: &Context<'_>) -> Option<Ending<'a>> {
        let ending = self.ending()?;
        let lately = ending.finished.is_some_and(|at| context.within(at, RECENT));
        (!self.runs() || lately).then_some(ending)
    }

    /// Whether it runs now.
    pub(super) fn runs(&self) -> bool {
        self.status.pointer("/state/running").is_some()
    }

    /// Whether it passes its readiness probe.
    pub(super) fn ready(&self) -> bool {
        field::flag(self.status, "/ready")
    }

    /// How often it was restarted.
    pub(super) fn restarts(&self) -> i64 {
        field::number(self.status, "/restartCount").unwrap_or_default()
    }

    /// When the condition happened, where it is over: the container runs again, or has ended for good.
    pub(super) fn past(&self, ending: Ending<'_>) -> Option<Timestamp> {
        if self.runs() || self.has_ended_for_good(ending) { ending.finished } else { None }
    }

    /// Whether the run that ended is the last: its pod is done, or its policy starts it no more.
    fn has_ended_for_good(&self, ending: Ending<'_>) -> bool {
        let done = matches!(field::text(self.value, "/status/phase"), Some("Failed" | "Succeeded"));
        let policy = field::text(self.value, "/spec/restartPolicy");
        let well = ending.code == 0 && (self.init || policy == Some("OnFailure"));
        done || ending.present && (well || policy == Some("Never"))
    }

    /// How long it has been in its present state, where that is told.
    pub(super) fn running_for(&self, now: Timestamp) -> Option<SignedDuration> {
        field::time(self.status, "/state/running/startedAt").map(|since| now.duration_since(since))
    }

    /// The log of the run that ended last, else of the present one, with the line that says most of why.
    pub(super) fn last_words(&self, context: &Context<'a>) -> Option<(&'a str, bool)> {
        let log = |previous| context.scene.log(self.pod, self.name, previous);
        let restarted = self.status.pointer("/lastState/terminated").is_some();
        let order = if restarted { [true, false] } else { [false, true] };
        order
            .into_iter()
            .find_map(|previous| log(previous).and_then(|log| line::telling(&log.text)).map(|line| (line, previous)))
    }

    /// `Container app of Pod shop/cart-1`.
    pub(super) fn title(&self) -> String {
        format!("{} {} of {}", if self.init { "Init container" } else { "Container" }, self.name, self.pod)
    }

    /// Begins a finding about the pod.
    pub(super) fn finding<'c>(
        &self,
        context: &'c Context<'a>,
        condition: &Condition,
        category: marple_core::Category,
    ) -> Draft<'c, 'a> {
        context.finding(condition, self.pod, category)
    }

    /// The command that shows the end of its log.
    pub(super) fn logs_command(&self, previous: bool) -> String {
        let namespace = self.pod.namespace.as_deref().unwrap_or("default");
        let previous = if previous { " --previous" } else { "" };
        format!("kubectl logs -n {namespace} {} -c {}{previous} --tail=100", self.pod.name, self.name)
    }
}
