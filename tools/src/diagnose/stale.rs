//! Configuration that was changed after the containers began which take it only as they begin.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};
use serde_json::Value;

use super::container::{Container, containers};
use super::context::Context;
use super::{Condition, Diagnoser, changed, workload};
use crate::scene::{MADE, field};

const NEWER: Condition = Condition::context("configuration-newer-than-pods");

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NEWER], find };

/// Clocks differ.
const APART: SignedDuration = SignedDuration::from_secs(15);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut told = BTreeSet::new();
    for container in containers(context).iter().filter(|container| !container.init && container.runs()) {
        for (source, how) in taken_once(context, container) {
            let Some(at) = newer(context, container, &source) else { continue };
            if !told.insert((container.owner.clone(), source.clone())) {
                continue;
            }
            let owner = &container.owner;
            let restart = format!("kubectl rollout restart{} {}", workload::scope(owner), workload::target(owner));
            let draft = context
                .finding(&NEWER, owner, Category::Configuration)
                .says(format!(
                    "{source} was written at {}, after container {} of {} began: that has what was there before, for it takes it {how}",
                    context.clock(at),
                    container.name,
                    container.pod
                ))
                .severity(Severity::Info)
                .culprit(&source)
                .at(Some(at))
                .words(ProofSource::Rollout(source.clone()), &at.to_string())
                .field(container.pod, "startedAt", field::text(container.status, "/state/running/startedAt").unwrap_or_default());
            match workload::undo(owner) {
                Some(_) => draft.mend("Restart the pods, so that they take it up", restart),
                None => draft,
            }
            .into(findings);
        }
    }
}

/// When a source was written after the container began, where it was lately.
pub(super) fn newer(context: &Context<'_>, container: &Container<'_>, source: &ObjectRef) -> Option<Timestamp> {
    let began = field::time(container.status, "/state/running/startedAt")?;
    let rollout = context.scene.rollouts.get(source).filter(|rollout| rollout.revision != MADE)?;
    let lately = context.within(rollout.at, changed::LATELY);
    (lately && rollout.at.duration_since(began) > APART).then_some(rollout.at)
}

/// The configuration that a container takes only as it begins, and how: as environment, or by a mount of one file
/// (`subPath`), which is not updated.
fn taken_once<'a>(context: &'a Context<'_>, container: &'a Container<'_>) -> Vec<(ObjectRef, &'static str)> {
    let edges = context.graph.edges(container.pod).iter();
    let sources = edges.filter(|edge| edge.to.is("ConfigMap") || edge.to.is("Secret"));
    let mounts = field::items(container.spec, "/volumeMounts");
    let whole =
        |mount: &Value| field::text(mount, "/subPath").is_none() && field::text(mount, "/subPathExpr").is_none();
    sources
        .filter_map(|edge| {
            if let Some((_, of)) = edge.how.split_once(" of container ") {
                return (of == container.name).then(|| (edge.to.clone(), "as environment"));
            }
            let volume = edge.how.strip_prefix("volume ")?;
            let own = mounts.iter().filter(|mount| field::text(mount, "/name") == Some(volume)).collect::<Vec<_>>();
            let once = !own.is_empty() && !own.iter().any(|mount| whole(mount));
            once.then(|| (edge.to.clone(), "by subPath, which is not updated"))
        })
        .collect()
}
