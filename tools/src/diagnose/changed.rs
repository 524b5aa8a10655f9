//! Which of two that contradict each other was changed last: what was as it is for long did not begin to contradict.

use jiff::{SignedDuration, Timestamp};
use marple_core::ObjectRef;

use super::context::Context;
use crate::scene::{Change, field};

/// What was changed longer ago than this contradicts nothing anew.
pub(super) const LATELY: SignedDuration = SignedDuration::from_hours(24);

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

/// That an object was changed lately, behind a statement: `; it was last changed at 11:46 UTC`.
pub(super) fn told(context: &Context<'_>, what: &str, object: &ObjectRef, part: Option<&str>) -> String {
    let lately = at(context, object, part).filter(|at| context.within(*at, LATELY));
    lately.map(|at| format!("; {what} was last changed at {}", context.clock(at))).unwrap_or_default()
}
