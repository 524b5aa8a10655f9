//! What changed lately.

use jiff::SignedDuration;
use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};

use super::context::{Context, RECENT};
use super::{Condition, Diagnoser, Role, condition, line, workload};
use crate::scene::{Change, GONE, MADE, is_of_pods};

const CHANGED: Condition = Condition::context("recent-change");

/// Comes last: what changed is told beginning with what the causes that were found are about.
pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[CHANGED], find };

/// A change longer ago than this has nothing to do with what breaks now.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, rollout) in &context.scene.rollouts {
        let revised = workload::undo(object).is_some();
        if rollout.revision == MADE && !context.within(rollout.at, RECENT) {
            continue;
        }
        let gone = rollout.revision == GONE;
        if !context.within(rollout.at, LATELY) || (rollout.changes.is_empty() && revised && !gone) {
            continue;
        }
        let ordered = fitting_first(context, object, &rollout.changes, findings);
        let changes = ordered.iter().take(3).map(ToString::to_string).collect::<Vec<_>>();
        let more = rollout.changes.len().saturating_sub(3);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let at = rollout.at;
        let when = context.clock(at);
        let valued = rollout.changes.iter().any(|change| change.from.is_some() || change.to.is_some());
        let by = rollout.writer.as_ref().map(|writer| format!(" by {writer}")).unwrap_or_default();
        let statement = if (revised || valued) && !gone {
            format!("{object} was changed{by} at {when}: {}{more}", line::cut(&changes.join("; "), 180))
        } else {
            let made = if [MADE, GONE].contains(&rollout.revision.as_str()) { &rollout.revision } else { "written" };
            format!("{object} was {made}{by} at {when}")
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
        if let (false, Some(Change { field, from: Some(from), .. })) = (revised, ordered.first()) {
            let known = if rollout.by.is_some() { "as it was" } else { "as it was applied" };
            let title = format!("Set {field} back to `{}`, {known}", line::cut(from, 120));
            draft = draft.mend(title, workload::edit(object));
        }
        // To undo a restart would only restart once more, and what makes no revision is not undone with one.
        let restarts = rollout.changes.iter().all(Change::is_restart);
        let of_pods =
            rollout.revision.starts_with("revision ") || rollout.changes.iter().any(|change| is_of_pods(&change.field));
        // What was made again has no revision before.
        let again = rollout.changes.iter().any(|change| change.field == "metadata.uid");
        if let Some(undo) = workload::undo(object).filter(|_| !restarts && of_pods && !again) {
            draft = draft.mend("Go back to the revision before", undo);
        } else if let Some(Change { from: Some(from), .. }) =
            rollout.changes.iter().find(|change| revised && change.field == "replicas")
        {
            draft = draft.mend(format!("Go back to {from} replicas"), workload::scale(object, from));
        }
        draft.into(findings);
    }
}

/// The changes, beginning with those of fields that causes found in the object are about: of a rollout that brings another
/// image and another port of a probe, the port is what is told first where a probe fails.
fn fitting_first<'a>(
    context: &Context<'_>,
    object: &ObjectRef,
    changes: &'a [Change],
    findings: &[Finding],
) -> Vec<&'a Change> {
    let causes = findings.iter().filter(|finding| {
        let role = condition(&finding.condition).map(|known| known.role);
        role == Some(Role::Cause)
            && (finding.culprit.as_ref() == Some(object) || context.graph.top_owner(&finding.object) == *object)
    });
    let words: Vec<&str> = causes.flat_map(|finding| fields(finding.category)).copied().collect();
    let mut ordered: Vec<&Change> = changes.iter().collect();
    ordered.sort_by_key(|change| !words.iter().any(|word| change.field.contains(word)));
    ordered
}

/// Parts of the names of fields that a cause of this kind is about.
const fn fields(category: Category) -> &'static [&'static str] {
    match category {
        Category::Image => &[".image"],
        Category::Resources => &["resources"],
        Category::Quota => &["resources", "replicas"],
        Category::Probe => &["Probe"],
        Category::Scheduling => &["nodeSelector", "affinity", "tolerations", "nodeName"],
        Category::Storage => &["volume"],
        Category::Permission => &["serviceAccount", "rules", "roleRef", "subjects"],
        Category::Network => &["labels", "ports", "selector", "targetPort"],
        Category::Scaling => &["replicas"],
        Category::Configuration => &[".env", ".args", ".command", "envFrom", "data."],
        Category::Node | Category::Dependency | Category::Certificate | Category::Application | Category::Other => &[],
    }
}
