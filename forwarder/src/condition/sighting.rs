//! What a condition says of an object.

use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::{Period, Severity};

use super::text::{after_colon, some_line};
use crate::object::{Event, Kind, Object, ObjectKey, Owner, Standing};

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It holds, and is told once it has held this long.
    Holds(Duration),
    /// It holds, and is told once it was seen to for this long: since when it does, the object doesn't tell.
    Lasts(Duration),
    /// Not reason enough to tell it; but where it was told, it has not ended yet. A container that runs between two
    /// crashes is so.
    Lingers,
}

/// When an event is told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Enough {
    /// Once it has happened so often.
    pub(super) times: NonZeroU32,
    /// And for so long.
    pub(super) hold: Period,
    /// Until it hasn't happened for so long.
    pub(super) quiet: Period,
}

/// A condition that an object shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// Name of the signal, as `PodCrashLooping`.
    pub name: &'static str,
    /// The object that it is about, where it is another than the one that shows it: an event is about its pod.
    pub subject: Option<ObjectKey>,
    /// The container that it is about; each container's is a condition of its own.
    pub container: Option<String>,
    /// The condition under its `status`, where several are told under one name.
    pub condition: Option<String>,
    /// The workload that it acts on, where that is no owner: an autoscaler's.
    pub workload: Option<Owner>,
    /// How bad it is.
    pub severity: Severity,
    /// Whether it holds.
    pub stage: Stage,
    /// Since when, by the object's own word. Absent where the object doesn't tell: then since it was first seen.
    pub since: Option<Timestamp>,
    /// For what events tell: when it last happened. An object that is well since then has got over it.
    pub last: Option<Timestamp>,
    /// When it ends if nothing new is seen.
    pub until: Option<Timestamp>,
    /// How far it has come. While it changes, the time that it must hold begins anew.
    pub progress: Option<u64>,
    /// How long after it was told last it is told again at the soonest.
    pub rate_limit: Duration,
    /// Why, in the one word of Kubernetes.
    pub reason: Option<String>,
    /// The node.
    pub node: Option<String>,
    /// One line for people, with the facts.
    pub summary: String,
    /// What Kubernetes or the program itself says of it.
    pub description: Option<String>,
}

impl Sighting {
    /// One that holds and is told at once.
    pub(super) fn new(name: &'static str, severity: Severity, summary: String) -> Self {
        Self {
            name,
            subject: None,
            container: None,
            condition: None,
            workload: None,
            severity,
            stage: Stage::Holds(Duration::ZERO),
            since: None,
            last: None,
            until: None,
            progress: None,
            rate_limit: Duration::ZERO,
            reason: None,
            node: None,
            summary,
            description: None,
        }
    }

    /// What a condition under the object's `status` tells, once it has lasted `hold`: `what`, and its own words.
    pub(super) fn of_standing(
        name: &'static str,
        severity: Severity,
        standing: &Standing,
        what: &str,
        hold: Period,
    ) -> Self {
        let message = standing.message.as_deref();
        Self {
            stage: Stage::Holds(hold.duration()),
            since: standing.last_transition_time,
            reason: standing.reason.clone(),
            description: some_line(message),
            ..Self::new(name, severity, format!("{what}{}", after_colon(message)))
        }
    }

    /// What an event of one of these reasons tells of an object of this kind; `what` makes the summary's beginning.
    pub(super) fn of_reasons(
        name: &'static str,
        object: &Object,
        (kind, reasons): (&Kind, &[&str]),
        what: impl FnOnce(&ObjectKey) -> String,
        enough: Enough,
    ) -> Vec<Self> {
        let Object::Event(event) = object else { return Vec::new() };
        let Some(subject) = event.subject().filter(|subject| subject.kind == *kind) else { return Vec::new() };
        if !event.reason.as_deref().is_some_and(|reason| reasons.contains(&reason)) {
            return Vec::new();
        }
        let what = what(&subject);
        Self::of_event(name, event, subject, &what, enough).into_iter().collect()
    }

    /// What an event tells of `subject` once it has happened often enough. `what` is the summary's beginning.
    pub(super) fn of_event(
        name: &'static str,
        event: &Event,
        subject: ObjectKey,
        what: &str,
        enough: Enough,
    ) -> Option<Self> {
        let last = event.last().filter(|_| event.times() >= enough.times.get())?;
        let message = event.message.as_deref();
        let summary = format!("{what}, {} times{}", event.times(), after_colon(message));
        Some(Self {
            since: event.first(),
            last: Some(last),
            until: last.checked_add(enough.quiet.duration()).ok(),
            stage: Stage::Holds(enough.hold.duration()),
            reason: event.reason.clone(),
            description: some_line(message),
            subject: Some(subject),
            ..Self::new(name, Severity::Warning, summary)
        })
    }
}
