//! Containers killed for memory.

use marple_core::{Category, Finding, Risk, Severity};

use super::container::{Container, containers};
use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::kubernetes::quantity;
use crate::scene::field;

const AT_LIMIT: Condition = Condition::cause("container-oom-killed", 5);
const ON_NODE: Condition = Condition::cause("container-oom-killed-by-node", 6).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[AT_LIMIT, ON_NODE], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context) {
        judge(context, &container, findings);
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, findings: &mut Vec<Finding>) {
    let Some(ending) = container.troubled_ending(context).filter(|ending| ending.reason == "OOMKilled") else { return };
    let times = match container.restarts() {
        0 | 1 => String::new(),
        restarts => format!("; it has restarted {restarts} times"),
    };
    let lived = ending
        .started
        .zip(ending.finished)
        .map(|(started, finished)| format!(" {} s after it began", finished.duration_since(started).as_secs()))
        .unwrap_or_default();
    let limit = field::text(container.spec, "/resources/limits/memory");
    let title = container.title();
    let draft = match limit {
        Some(limit) => container
            .finding(context, &AT_LIMIT, Category::Resources)
            .says(format!("{title} was killed for memory: it grew to its limit of {limit}{lived}{times}"))
            .culprit(&container.owner)
            .field(container.pod, "reason", "OOMKilled")
            .field(container.pod, "memory", limit),
        None => container
            .finding(context, &ON_NODE, Category::Resources)
            .says(format!("{title}, which has no memory limit, was killed as its node ran out of memory{lived}{times}"))
            .culprit(&container.owner)
            .field(container.pod, "reason", "OOMKilled"),
    };
    let owner = &container.owner;
    let before = limit.and_then(|limit| before_the_cut(context, container, limit));
    let advice = match &before {
        Some(before) => format!("Set the memory limit back to {before}, as it was before the change"),
        None => "Raise the memory limit to what the program needs".to_owned(),
    };
    let larger = before.or_else(|| limit.and_then(double)).unwrap_or_else(|| "512Mi".to_owned());
    let set = format!(
        "kubectl set resources{} {} -c {} --limits=memory={larger}",
        workload::scope(owner),
        workload::target(owner),
        container.name
    );
    draft
        .severity(Severity::Critical)
        .at(container.past(ending))
        .remedy(advice, Some(set), Risk::Medium, true)
        .check("See what it did before it was killed", container.logs_command(!ending.present))
        .into(findings);
}

/// The limit that the last change cut, where it was higher before.
fn before_the_cut(context: &Context<'_>, container: &Container<'_>, limit: &str) -> Option<String> {
    let rollout = context.scene.rollouts.get(&container.owner)?;
    let field = format!("containers[{}].resources.limits.memory", container.name);
    let change = rollout.changes.iter().find(|change| change.field == field && change.to.as_deref() == Some(limit))?;
    let before = change.from.clone()?;
    (quantity::parse(&before)? > quantity::parse(limit)?).then_some(before)
}

/// Twice a quantity of memory, in its own unit.
fn double(quantity: &str) -> Option<String> {
    let end = quantity.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at_checked(end)?;
    let number: u64 = number.parse().ok()?;
    Some(format!("{}{unit}", number.checked_mul(2)?))
}
