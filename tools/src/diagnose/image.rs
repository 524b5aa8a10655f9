//! Images that can't be pulled.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::container::{Container, containers};
use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const NOT_FOUND: Condition = Condition::cause("image-not-found", 3);
const DENIED: Condition = Condition::cause("image-pull-denied", 3);
const SECRET_MISSING: Condition = Condition::cause("image-pull-secret-missing", 2);
const UNREACHABLE: Condition = Condition::cause("image-registry-unreachable", 3);
const RATE_LIMITED: Condition = Condition::cause("image-pull-rate-limited", 3);
const INVALID: Condition = Condition::cause("image-name-invalid", 3);
const NEVER: Condition = Condition::cause("image-not-on-node", 3);
const OTHER: Condition = Condition::symptom("image-not-pulled", 5);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser {
    conditions: &[NOT_FOUND, DENIED, SECRET_MISSING, UNREACHABLE, RATE_LIMITED, INVALID, NEVER, OTHER],
    find,
};

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context) {
        judge(context, &container, findings);
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, findings: &mut Vec<Finding>) {
    let Some((reason, waiting)) = container.waiting() else { return };
    if !matches!(
        reason,
        "ImagePullBackOff"
            | "ErrImagePull"
            | "InvalidImageName"
            | "ErrImageNeverPull"
            | "ImageInspectError"
            | "RegistryUnavailable"
    ) {
        return;
    }
    // The event keeps the registry's answer when the state only says that the kubelet waits.
    let event = context.warning(container.pod, |event| {
        event.message.contains("ull image") && event.container().is_none_or(|name| name == container.name)
    });
    let message = event.map_or(waiting, |event| event.message.as_str());
    let image = field::text(container.spec, "/image").unwrap_or_default();
    let (condition, what) = classify(reason, &format!("{message} {waiting}"));
    let missing = missing_pull_secret(context, container).filter(|_| condition == DENIED);
    let (condition, what) = match &missing {
        Some(secret) => (SECRET_MISSING, format!("may not be pulled: {secret}, its pull secret, does not exist")),
        None => (condition, what.to_owned()),
    };
    let mut draft = container
        .finding(context, &condition, Category::Image)
        .says(format!("Image {image} of {} {what} ({})", lower_first(&container.title()), answer(message)))
        .severity(Severity::Critical)
        .field(container.pod, "reason", reason);
    if let Some(event) = event {
        draft = draft.event(event);
    } else if !waiting.is_empty() {
        draft = draft.field(container.pod, "message", waiting);
    }
    draft = draft.field(container.pod, "image", image);
    let owner = &container.owner;
    if condition != OTHER {
        draft = draft.culprit(missing.as_ref().unwrap_or(owner));
    }
    let changed = context.scene.rollouts.get(owner).is_some_and(|rollout| {
        rollout.changes.iter().any(|change| change.field.ends_with("].image") && change.to.as_deref() == Some(image))
    });
    if let (true, Some(undo)) = (changed, workload::undo(owner)) {
        draft = draft.mend("Go back to the image before", undo);
    }
    match condition.word {
        "image-pull-secret-missing" | "image-pull-denied" => draft
            .check("See which pull secrets the pod names", workload::describe(container.pod))
            .mend("Name a pull secret that may read this repository", workload::edit(owner)),
        "image-not-found" | "image-name-invalid" | "image-registry-unreachable" => draft.mend(
            "Set an image that exists",
            format!(
                "kubectl set image{} {} {}={}",
                workload::scope(owner),
                workload::target(owner),
                container.name,
                corrected(image)
            ),
        ),
        _ => draft.check("See each attempt to pull it", workload::describe(container.pod)),
    }
    .into(findings);
}

fn classify(reason: &str, message: &str) -> (Condition, &'static str) {
    let message = message.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if reason == "InvalidImageName" {
        (INVALID, "is no valid image name")
    } else if reason == "ErrImageNeverPull" {
        (NEVER, "is not on the node, and its pull policy is Never")
    } else if says(&["toomanyrequests", "429 too many", "rate limit"]) {
        (RATE_LIMITED, "is refused by the registry's rate limit")
    } else if says(&[
        "unauthorized",
        "authentication required",
        "authorization failed",
        "no basic auth",
        "access denied",
        "403 forbidden",
        "insufficient_scope",
    ]) {
        (DENIED, "may not be pulled: the registry refuses access")
    } else if says(&[
        "no such host",
        "connection refused",
        "i/o timeout",
        "dial tcp",
        "tls handshake",
        "x509",
        "http response to https",
        "network is unreachable",
        "deadline exceeded",
        "connection reset",
    ]) {
        (UNREACHABLE, "can't be pulled: the registry is not reached")
    } else if says(&["not found", "manifest unknown", "does not exist", "no matching manifest"]) {
        (NOT_FOUND, "does not exist in the registry")
    } else {
        (OTHER, "can't be pulled")
    }
}

fn missing_pull_secret(context: &Context<'_>, container: &Container<'_>) -> Option<ObjectRef> {
    let namespace = container.pod.namespace.as_deref()?;
    field::items(container.value, "/spec/imagePullSecrets")
        .iter()
        .filter_map(|secret| field::text(secret, "/name"))
        .map(|name| ObjectRef::namespaced("Secret", namespace, name))
        .find(|secret| context.scene.missing.contains(secret))
}

/// The registry's answer without the layers of wrapping before it.
fn answer(message: &str) -> String {
    let from = message.rfind("desc = ").map(|at| at + "desc = ".len());
    let text = from.and_then(|from| message.get(from..)).unwrap_or(message);
    let innermost = text.rfind("failed to ").and_then(|from| text.get(from..)).unwrap_or(text);
    line::cut(innermost, 180)
}

fn lower_first(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

/// The image with a place for the right tag.
fn corrected(image: &str) -> String {
    let slash = image.rfind('/').unwrap_or_default();
    let tag = image.rfind(':').filter(|at| *at > slash).unwrap_or(image.len());
    format!("{}:TAG", image.get(..tag).unwrap_or(image))
}
