//! Objects that were deleted and don't go, as something has to let go of them first.

use jiff::SignedDuration;
use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const HELD: Condition = Condition::cause("deletion-held-by-finalizer", 10);
const NAMESPACE: Condition = Condition::cause("namespace-does-not-end", 6);
const ENDING: Condition = Condition::cause("namespace-terminating", 3);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[HELD, NAMESPACE, ENDING], find };

/// How long after its deletion an object may be held.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// How long one may that its namespace says it waits for.
const WAITED_FOR: SignedDuration = SignedDuration::from_mins(1);

/// Conditions of a namespace that tell what its end waits for, the deepest first.
const WAITS: [&str; 5] = [
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
    "NamespaceContentRemaining",
];

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (object, value) in &context.scene.objects {
        let Some(deleted) = field::time(value, "/metadata/deletionTimestamp") else { continue };
        if object.is("Namespace") {
            namespace(context, object, value, findings);
        } else if !context.within(deleted, PATIENCE) {
            held(context, object, value, findings);
        }
    }
    refused(context, findings);
}

fn held(context: &Context<'_>, object: &ObjectRef, value: &Value, findings: &mut Vec<Finding>) {
    let finalizers = finalizers(value);
    let (Some(first), Some(deleted)) = (finalizers.first(), field::text(value, "/metadata/deletionTimestamp")) else {
        return;
    };
    let users = context.graph.named_by(object).into_iter().filter(|user| user.is("Pod")).collect::<Vec<_>>();
    let protected = first.ends_with("-protection");
    let why = match users.first() {
        Some(user) if protected => format!("{user} still uses it"),
        _ => "the controller that set it has to take it away, and may be gone".to_owned(),
    };
    let at = field::time(value, "/metadata/deletionTimestamp");
    let ago = at.map(|at| context.ago(at)).unwrap_or_default();
    context
        .finding(&HELD, object, Category::Other)
        .says(format!("{object} was deleted {ago} ago and is held by its finalizer {}: {why}", finalizers.join(", ")))
        .culprit(object)
        .field(object, "deletionTimestamp", deleted)
        .words(marple_core::ProofSource::Object(object.clone()), first)
        .check("See who set the finalizer and whether it still runs", workload::describe(object))
        .into(findings);
}

fn finalizers(value: &Value) -> Vec<&str> {
    field::items(value, "/metadata/finalizers").iter().filter_map(Value::as_str).collect()
}

fn namespace(context: &Context<'_>, object: &ObjectRef, value: &Value, findings: &mut Vec<Finding>) {
    let deleted = field::time(value, "/metadata/deletionTimestamp");
    if let Some(at) = deleted.filter(|at| !context.within(*at, WAITED_FOR))
        && let Some((held, finalizers)) = waited_for(context, object, value)
    {
        let more = match finalizers.len() {
            1 => String::new(),
            count => format!(" and {} more", count - 1),
        };
        let first = finalizers.first().copied().unwrap_or_default();
        return context
            .finding(&NAMESPACE, object, Category::Other)
            .says(format!(
                "{object} was deleted {} ago and does not end: {held} is held by its finalizer {first}{more}, which the controller that set it has to take away, and which may be gone",
                context.ago(at)
            ))
            .culprit(held)
            .words(marple_core::ProofSource::Object(held.clone()), first)
            .check("See who set the finalizer and whether it still runs", workload::describe(held))
            .mend("Where nobody does, take the finalizer off", workload::edit(held))
            .into(findings);
    }
    let lasting = deleted.filter(|at| !context.within(*at, PATIENCE));
    let told = WAITS
        .iter()
        .find_map(|kind| field::condition(value, kind).filter(|one| field::text(one, "/status") == Some("True")));
    let (Some(at), Some(waits)) = (lasting, told) else { return };
    let message = field::text(waits, "/message").unwrap_or_default();
    context
        .finding(&NAMESPACE, object, Category::Other)
        .says(format!("{object} was deleted {} ago and does not end: {}", context.ago(at), line::cut(message, 180)))
        .culprit(object)
        .field(object, "message", message)
        .field(object, "phase", "Terminating")
        .check("See what it waits for", format!("kubectl get namespace {} -o yaml", object.name))
        .into(findings);
}

/// The object that was deleted first of those for whose finalizers a namespace says that it waits.
fn waited_for<'a>(
    context: &Context<'a>,
    namespace: &ObjectRef,
    value: &Value,
) -> Option<(&'a ObjectRef, Vec<&'a str>)> {
    let waits = field::condition(value, "NamespaceFinalizersRemaining")?;
    field::text(waits, "/status").filter(|status| *status == "True")?;
    let inside = context.scene.objects.iter().filter(|(object, _)| object.namespace.as_ref() == Some(&namespace.name));
    let held = inside.filter_map(|(object, value)| {
        let deleted = field::time(value, "/metadata/deletionTimestamp")?;
        let finalizers = finalizers(value);
        (!finalizers.is_empty()).then_some((deleted, object, finalizers))
    });
    let (_, object, finalizers) = held.min_by_key(|(deleted, object, _)| (*deleted, *object))?;
    Some((object, finalizers))
}

/// Pods that can't be made as their namespace is ending.
fn refused(context: &Context<'_>, findings: &mut Vec<Finding>) {
    super::refusal::each(context, findings, |context, refusal, findings| {
        if !refusal.message.contains("because it is being terminated") {
            return;
        }
        let Some(namespace) = refusal.object.namespace.as_deref() else { return };
        let namespace = ObjectRef::cluster("Namespace", namespace);
        let draft = context
            .finding(&ENDING, refusal.object, Category::Other)
            .says(format!("{namespace} is being deleted: no pods of {} are made in it any more", refusal.owner))
            .severity(Severity::Critical)
            .culprit(&namespace);
        refusal.prove(draft).check("See whether it should end", workload::describe(&namespace)).into(findings);
    });
}
