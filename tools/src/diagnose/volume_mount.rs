//! Volumes that can't be attached or mounted.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const IN_USE: Condition = Condition::cause("volume-in-use-elsewhere", 3);
const NOT_ATTACHED: Condition = Condition::cause("volume-not-attached", 4);
const NOT_MOUNTED: Condition = Condition::cause("volume-not-mounted", 4);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[IN_USE, NOT_ATTACHED, NOT_MOUNTED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (pod, value) in context.scene.of_kind("Pod") {
        let waits = field::text(value, "/status/phase") == Some("Pending") && !workload::pod_begun(value);
        if !waits || !context.settled(value) {
            continue;
        }
        let event = context.warning(pod, |event| {
            matches!(event.reason.as_str(), "FailedAttachVolume" | "FailedMount")
                // Missing sources have a diagnoser of their own, and the sum of a time-out says less than its parts.
                && !event.message.contains("configmap \"") && !event.message.contains("secret \"")
                && !event.message.contains("non-existent") && !event.message.contains("not registered")
                && !event.message.starts_with("Unable to attach or mount volumes")
        });
        let Some(event) = event else { continue };
        let claim = claim(value, pod, &event.message);
        let (condition, what) = if event.message.contains("Multi-Attach error") {
            (IN_USE, "is still attached to another node")
        } else if event.reason == "FailedAttachVolume" {
            (NOT_ATTACHED, "can't be attached")
        } else {
            (NOT_MOUNTED, "can't be mounted")
        };
        let owner = context.graph.top_owner(pod);
        let volume = claim.as_ref().map_or_else(|| "A volume".to_owned(), ToString::to_string);
        context
            .finding(&condition, pod, Category::Storage)
            .says(format!("{volume} of {pod} {what}: {}", line::cut(&event.message, 180)))
            .severity(Severity::Critical)
            .culprit(claim.as_ref().unwrap_or(&owner))
            .event(event)
            .check("See the volume's and the pod's events", workload::describe(pod))
            .into(findings);
    }
}

/// The claim behind the volume that a message names, by the pod's volume or by the claim's volume.
fn claim(pod: &Value, reference: &ObjectRef, message: &str) -> Option<ObjectRef> {
    let namespace = reference.namespace.as_deref()?;
    let claims = field::items(pod, "/spec/volumes").iter().filter_map(|volume| {
        Some((field::text(volume, "/name")?, field::text(volume, "/persistentVolumeClaim/claimName")?))
    });
    let claims = claims.collect::<Vec<_>>();
    let named = claims.iter().find(|(volume, _)| message.contains(&format!("volume \"{volume}\"")));
    match (named, claims.as_slice()) {
        (Some((_, claim)), _) => Some(ObjectRef::namespaced("PersistentVolumeClaim", namespace, *claim)),
        (None, [(_, only)]) if message.contains("\"pvc-") => {
            Some(ObjectRef::namespaced("PersistentVolumeClaim", namespace, *only))
        }
        _ => None,
    }
}
