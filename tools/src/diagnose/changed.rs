//! Which of two that contradict each other was changed last: what was as it is for long did not begin to contradict.

use jiff::{SignedDuration, Timestamp};
use marple_core::ObjectRef;

use super::context::Context;
use crate::scene::{Change, MADE, field};

/// What was changed longer ago than this contradicts nothing anew.
pub(super) const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// What is written so soon after its making belongs to that.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(5);

/// When an object was last changed: by what is known of its changes, or by the managers of a field of it, else when it
/// was made. To restart a workload changes nothing of it.
pub(super) fn at(context: &Context<'_>, object: &ObjectRef, part: Option<&str>) -> Option<Timestamp> {
    let rollout = context.scene.rollouts.get(object);
    let told = rollout.filter(|it| it.changes.is_empty() || !it.changes.iter().all(Change::is_restart));
    let value = context.scene.get(object);
    let written = part.zip(value).and_then(|(part, value)| field::written(value, part));
    told.map(|told| told.at).max(written).or_else(|| value.and_then(field::created))
}

/// Whether a rule was changed or made lately, and after the workload that does not fit it.
pub(super) fn is_newer(context: &Context<'_>, rule: &ObjectRef, part: Option<&str>, workload: &ObjectRef) -> bool {
    let Some(changed) = at(context, rule, part).filter(|at| context.within(*at, LATELY)) else { return false };
    at(context, workload, None).is_none_or(|workload| changed > workload)
}

/// Whether a part of an object was changed lately, after another object that no longer fits it was last changed. That it was
/// made is no change of it: what belongs together is made at one time.
pub(super) fn was_altered(context: &Context<'_>, object: &ObjectRef, part: &str, other: &ObjectRef) -> bool {
    let rollout = context.scene.rollouts.get(object).filter(|rollout| rollout.revision != MADE);
    let touches = |change: &Change| change.field.contains(part) && !change.is_restart();
    let told = rollout.filter(|rollout| rollout.changes.iter().any(touches)).map(|rollout| rollout.at);
    let made = context.scene.get(object).and_then(field::created);
    let written = context.scene.get(object).and_then(|value| field::written(value, part));
    let written = written.filter(|at| made.is_none_or(|made| at.duration_since(made) > AT_ONCE));
    let altered = told.max(written).filter(|at| context.within(*at, LATELY));
    altered.is_some_and(|altered| at(context, other, None).is_none_or(|other| altered > other))
}

/// That an object was changed lately, behind a statement: `; it was last changed at 11:46 UTC`.
pub(super) fn told(context: &Context<'_>, what: &str, object: &ObjectRef, part: Option<&str>) -> String {
    let lately = at(context, object, part).filter(|at| context.within(*at, LATELY));
    lately.map(|at| format!("; {what} was last changed at {}", context.clock(at))).unwrap_or_default()
}
