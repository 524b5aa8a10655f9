//! Images that can't be pulled.

use jiff::Timestamp;
use marple_core::{Category, Finding, ObjectRef, Severity};

use super::container::{Container, containers};
use super::context::Context;
use super::{Condition, Diagnoser, changed, line, workload};
use crate::scene::field;

const NOT_FOUND: Condition = Condition::cause("image-not-found", 3);
const DENIED: Condition = Condition::cause("image-pull-denied", 3);
const ABSENT_OR_DENIED: Condition = Condition::cause("image-absent-or-denied", 3);
const SECRET_MISSING: Condition = Condition::cause("image-pull-secret-missing", 2);
const UNREACHABLE: Condition = Condition::cause("image-registry-unreachable", 3);
const RATE_LIMITED: Condition = Condition::cause("image-pull-rate-limited", 3);
const INVALID: Condition = Condition::cause("image-name-invalid", 3);
const NEVER: Condition = Condition::cause("image-not-on-node", 3);
const PLATFORM: Condition = Condition::cause("image-without-platform", 3);
const OTHER: Condition = Condition::symptom("image-not-pulled", 5);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser {
    conditions: &[
        NOT_FOUND,
        DENIED,
        ABSENT_OR_DENIED,
        SECRET_MISSING,
        UNREACHABLE,
        RATE_LIMITED,
        INVALID,
        NEVER,
        PLATFORM,
        OTHER,
    ],
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
    let missing = missing_pull_secret(context, container).filter(|_| matches!(condition, DENIED | ABSENT_OR_DENIED));
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
    let change = context.scene.rollouts.get(owner).and_then(|rollout| {
        let mut changes = rollout.changes.iter();
        changes.find(|change| change.field.ends_with("].image") && change.to.as_deref() == Some(image))
    });
    let changed = change.is_some();
    // Where the image is the one of before, and its pull secret is not.
    let rotated = Some(&condition)
        .filter(|condition| **condition == DENIED && !changed)
        .and_then(|_| rotated(context, container));
    if let Some((secret, at)) = &rotated {
        let statement = format!("; {secret}, its only pull secret, was written at {}", context.clock(*at));
        draft = draft.adds(&statement).field(container.pod, "name", &secret.name);
    }
    if condition != OTHER {
        draft = draft.culprit(missing.as_ref().or(rotated.as_ref().map(|(secret, _)| secret)).unwrap_or(owner));
    }
    // The image before comes from the same registry, unless that changed too.
    let helps = condition != UNREACHABLE
        || change.and_then(|change| change.from.as_deref()).is_some_and(|from| registry(from) != registry(image));
    if let (true, Some(undo)) = (changed && helps, workload::undo(owner)) {
        draft = draft.mend("Go back to the image before", undo);
    }
    let set = |to: &str| {
        let (scope, target) = (workload::scope(owner), workload::target(owner));
        format!("kubectl set image{scope} {target} {}={to}", container.name)
    };
    let with_secret = ("Name a pull secret that may read this repository", workload::edit(owner));
    match condition.word {
        "image-pull-secret-missing" | "image-pull-denied" => draft
            .check("See which pull secrets the pod names", workload::describe(container.pod))
            .mend(with_secret.0, with_secret.1),
        // Registries don't tell strangers which repositories there are: a name mistyped reads as one forbidden.
        "image-absent-or-denied" => {
            let secrets = !field::items(container.value, "/spec/imagePullSecrets").is_empty();
            let correct = ("Correct the image's name, where it is mistyped", set("IMAGE"));
            let (first, then) = if secrets && !changed { (with_secret, correct) } else { (correct, with_secret) };
            draft.mend(first.0, first.1).mend(then.0, then.1)
        }
        "image-not-found" | "image-name-invalid" => draft.mend("Set an image that exists", set(&corrected(image))),
        "image-registry-unreachable" => {
            let draft = draft.check("See each attempt to pull it", workload::describe(container.pod));
            let node = super::node::of_pod(container.value);
            match node {
                Some(node) => {
                    draft.check("See whether its node reaches and trusts the registry", workload::describe(&node))
                }
                None => draft,
            }
        }
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
    } else if says(&["no matching manifest for", "no match for platform", "does not match the specified platform"]) {
        (PLATFORM, "has no variant for the processor architecture of the node")
    } else if says(&["toomanyrequests", "429 too many", "rate limit"]) {
        (RATE_LIMITED, "is refused by the registry's rate limit")
    } else if says(&["does not exist or may require authorization", "does not exist or no pull access"]) {
        (ABSENT_OR_DENIED, "does not exist in the registry, or may not be pulled")
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
    } else if says(&["not found", "manifest unknown", "does not exist"]) {
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

/// The only pull secret of a pod, where it was written lately and after the pod's workload was last changed; and when.
fn rotated(context: &Context<'_>, container: &Container<'_>) -> Option<(ObjectRef, Timestamp)> {
    let [only] = field::items(container.value, "/spec/imagePullSecrets") else { return None };
    let secret = ObjectRef::namespaced("Secret", container.pod.namespace.as_deref()?, field::text(only, "/name")?);
    let at = context.scene.rollouts.get(&secret)?.at;
    changed::is_newer(context, &secret, None, &container.owner).then_some((secret, at))
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

/// The registry that an image comes from; nothing for the one that runtimes take without a name.
fn registry(image: &str) -> Option<&str> {
    image.split_once('/').map(|(first, _)| first).filter(|first| first.contains(['.', ':']) || *first == "localhost")
}

/// The image with a place for the right tag.
fn corrected(image: &str) -> String {
    let slash = image.rfind('/').unwrap_or_default();
    let tag = image.rfind(':').filter(|at| *at > slash).unwrap_or(image.len());
    format!("{}:TAG", image.get(..tag).unwrap_or(image))
}
