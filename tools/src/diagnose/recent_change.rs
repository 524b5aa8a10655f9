//! What changed lately.

use jiff::SignedDuration;
use marple_core::{Category, Finding, ProofSource, Severity};

use super::context::{Context, RECENT};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::{Change, MADE};

const CHANGED: Condition = Condition::context("recent-change");

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[CHANGED], find };

/// A change longer ago than this has nothing to do with what breaks now.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Nearer than this the hour alone says when.
const TODAY: SignedDuration = SignedDuration::from_hours(12);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, rollout) in &context.scene.rollouts {
        let revised = workload::undo(object).is_some();
        if rollout.revision == MADE && !context.within(rollout.at, RECENT) {
            continue;
        }
        if !context.within(rollout.at, LATELY) || (rollout.changes.is_empty() && revised) {
            continue;
        }
        let changes = rollout.changes.iter().take(3).map(ToString::to_string).collect::<Vec<_>>();
        let more = rollout.changes.len().saturating_sub(3);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let at = rollout.at;
        // A message is read when it is read: a time stays true.
        let when = at.strftime(if context.within(at, TODAY) { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" });
        let valued = rollout.changes.iter().any(|change| change.from.is_some() || change.to.is_some());
        let statement = if revised || valued {
            format!("{object} was changed at {when}: {}{more}", line::cut(&changes.join("; "), 180))
        } else {
            let made = if rollout.revision == MADE { MADE } else { "written" };
            format!("{object} was {made} at {when}")
        };
        let mut draft = context
            .finding(&CHANGED, object, Category::Configuration)
            .says(statement)
            .severity(Severity::Info)
            .at(Some(at))
            .words(
                ProofSource::Rollout(object.clone()),
                changes.first().map_or(rollout.revision.as_str(), String::as_str),
            )
            .words(ProofSource::Rollout(object.clone()), &at.to_string());
        if let (false, Some(Change { field, from: Some(from), .. })) = (revised, rollout.changes.first()) {
            let title = format!("Set {field} back to `{}`, as it was applied", line::cut(from, 120));
            draft = draft.mend(title, workload::edit(object));
        }
        // To undo a restart would only restart once more.
        let restarts = rollout.changes.iter().all(Change::is_restart);
        if let Some(undo) = workload::undo(object).filter(|_| !restarts) {
            draft = draft.mend("Go back to the revision before", undo);
        }
        draft.into(findings);
    }
}
