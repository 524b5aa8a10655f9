//! Full disks, by logs.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::words::told;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const FULL: Condition = Condition::cause("disk-full", 12).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[FULL], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for ((), words, _) in told(context, |words| is_full(words.line).then_some(())) {
        let claims = context
            .scene
            .get(words.pod)
            .map(|pod| field::items(pod, "/spec/volumes"))
            .unwrap_or_default()
            .iter()
            .filter_map(|volume| field::text(volume, "/persistentVolumeClaim/claimName"))
            .collect::<Vec<_>>();
        // With several volumes, or none, the line alone doesn't tell which disk is full.
        let claim = match (claims.as_slice(), words.pod.namespace.as_deref()) {
            ([only], Some(namespace)) => Some(ObjectRef::namespaced("PersistentVolumeClaim", namespace, *only)),
            _ => None,
        };
        let disk = claim.as_ref().map_or_else(|| "a disk".to_owned(), |claim| format!("{claim}, its only volume,"));
        let draft = words
            .prove(context.finding(&FULL, words.pod, Category::Storage))
            .says(format!("{} finds {disk} full: {}", words.owner, line::readable(words.line)))
            .severity(Severity::Critical);
        match &claim {
            Some(claim) => draft
                .culprit(claim)
                .field(words.pod, "claimName", &claim.name)
                .mend("Enlarge the volume, where its class allows", workload::edit(claim)),
            None => draft.check(
                "See how full its file systems are",
                format!(
                    "kubectl exec{} {} -c {} -- df -h",
                    workload::scope(words.pod),
                    words.pod.name,
                    words.container
                ),
            ),
        }
        .into(findings);
    }
}

fn is_full(line: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    // The kernel says the same of its limits on watched files, which have a diagnoser of their own.
    !lower.contains("inotify")
        && ["no space left on device", "enospc", "disk quota exceeded", "disk full", "database or disk is full"]
            .iter()
            .any(|phrase| lower.contains(phrase))
}
