//! Claims that get no volume, and volumes that are lost.

use jiff::SignedDuration;
use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::kubernetes::quantity;
use crate::scene::field;

const NO_CLASS: Condition = Condition::cause("storage-class-missing", 3);
const WITHOUT_CLASS: Condition = Condition::cause("claim-without-class", 4);
const NO_PROVISIONER: Condition = Condition::cause("provisioner-absent", 5).likely();
const FAILED: Condition = Condition::cause("provisioning-failed", 5);
const MISMATCH: Condition = Condition::cause("claim-volume-mismatch", 4);
const LOST: Condition = Condition::cause("claim-lost", 3);
const MISSING: Condition = Condition::cause("claim-missing", 2);
const VOLUME: Condition = Condition::cause("volume-failed", 4);
const RELEASED: Condition = Condition::cause("volume-released", 3);
const DEFAULTS: Condition = Condition::context("storage-class-defaults-several");

pub(super) const DIAGNOSER: Diagnoser = Diagnoser {
    conditions: &[NO_CLASS, WITHOUT_CLASS, NO_PROVISIONER, FAILED, MISMATCH, LOST, MISSING, VOLUME, RELEASED, DEFAULTS],
    find,
};

/// The annotation that makes a class the default.
const IS_DEFAULT: &str = "/metadata/annotations/storageclass.kubernetes.io~1is-default-class";

/// How long a provisioner may take before it is taken for absent.
const PATIENCE: SignedDuration = SignedDuration::from_mins(2);

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (claim, value) in context.scene.of_kind("PersistentVolumeClaim") {
        match field::text(value, "/status/phase") {
            Some("Pending") if context.settled(value) => pending(context, claim, value, findings),
            Some("Lost") => context
                .finding(&LOST, claim, Category::Storage)
                .says(format!(
                    "{claim} has lost its volume {}",
                    field::text(value, "/spec/volumeName").unwrap_or_default()
                ))
                .severity(Severity::Critical)
                .culprit(claim)
                .field(claim, "phase", "Lost")
                .check("See what became of the volume", "kubectl get persistentvolumes")
                .into(findings),
            _ => {}
        }
    }
    for (volume, value) in context.scene.of_kind("PersistentVolume") {
        if field::text(value, "/status/phase") == Some("Failed") {
            let why = field::text(value, "/status/message").unwrap_or("no reason is told");
            context
                .finding(&VOLUME, volume, Category::Storage)
                .says(format!("{volume} has failed: {}", line::cut(why, 160)))
                .culprit(volume)
                .field(volume, "phase", "Failed")
                .check("See the volume", workload::describe(volume))
                .into(findings);
        }
    }
    missing(context, findings);
    defaults(context, findings);
}

/// Of several default classes the newest is taken, which may not be the one that was meant.
fn defaults(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let marked =
        context.scene.of_kind("StorageClass").filter(|(_, value)| field::text(value, IS_DEFAULT) == Some("true"));
    let marked = marked.map(|(class, _)| class).collect::<Vec<_>>();
    let [first, _, ..] = marked.as_slice() else { return };
    let names = marked.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    context
        .finding(&DEFAULTS, first, Category::Storage)
        .says(format!("Several classes are the default: {names}; a claim without a class gets the newest"))
        .severity(Severity::Info)
        .field(first, "storageclass.kubernetes.io/is-default-class", "\"true\"")
        .check("See which classes there are", "kubectl get storageclasses")
        .into(findings);
}

/// The volume that a claim asks for by name, where an earlier claim has not let go of it.
fn released(context: &Context<'_>, claim: &ObjectRef, value: &Value) -> Option<ObjectRef> {
    let volume = ObjectRef::cluster("PersistentVolume", field::text(value, "/spec/volumeName")?);
    let found = context.scene.get(&volume)?;
    let holder = (field::text(found, "/spec/claimRef/namespace"), field::text(found, "/spec/claimRef/name"));
    let own = holder == (claim.namespace.as_deref(), Some(claim.name.as_str()));
    let released = field::text(found, "/status/phase") == Some("Released");
    (released || holder.1.is_some() && !own).then_some(volume)
}

fn pending(context: &Context<'_>, claim: &ObjectRef, value: &Value, findings: &mut Vec<Finding>) {
    let class = field::text(value, "/spec/storageClassName");
    let reference = class.map(|class| ObjectRef::cluster("StorageClass", class));
    let event = context.scene.events_of(claim).next_back();
    let message = event.map(|event| event.message.as_str()).unwrap_or_default();
    // It waits for a pod, as its class asks: no fault of its own.
    if event.is_some_and(|event| event.reason == "WaitForFirstConsumer") {
        return;
    }
    let absent = reference.as_ref().filter(|class| {
        context.scene.missing.contains(*class)
            || message.contains(&format!("storageclass.storage.k8s.io \"{}\" not found", class.name))
    });
    let draft = if let Some(volume) = released(context, claim, value) {
        context
            .finding(&RELEASED, claim, Category::Storage)
            .says(format!(
                "{volume}, which {claim} asks for, still belongs to an earlier claim and is not given to another"
            ))
            .culprit(&volume)
            .field(&volume, "phase", "Released")
            .field(claim, "volumeName", &volume.name)
            .mend(
                "Let the volume go, if what is on it may be used by the new claim",
                format!("kubectl patch persistentvolume/{} -p '{{\"spec\":{{\"claimRef\":null}}}}'", volume.name),
            )
    } else if let Some((_, why)) = message.split_once("Cannot bind to requested volume ") {
        let small = too_small(context, value).map(|why| format!(". {why}")).unwrap_or_default();
        context
            .finding(&MISMATCH, claim, Category::Storage)
            .says(format!("{claim} does not fit the volume that it asks for, {}{small}", line::cut(why, 140)))
            .culprit(claim)
            .field(claim, "phase", "Pending")
            .mend("Let the claim ask for what the volume has", workload::edit(claim))
    } else if let Some(class) = absent {
        context
            .finding(&NO_CLASS, claim, Category::Storage)
            .says(format!("{class}, which {claim} asks for, does not exist, so that the claim gets no volume"))
            .culprit(class)
            .field(claim, "storageClassName", &class.name)
            .check("See which classes there are", "kubectl get storageclasses")
    } else if reference.is_none() && (message.contains("no storage class is set") || event.is_none()) {
        context
            .finding(&WITHOUT_CLASS, claim, Category::Storage)
            .says(format!(
                "{claim} names no storage class, no class is the default, and no volume fits it{}",
                too_small(context, value).map(|why| format!(". {why}")).unwrap_or_default()
            ))
            .culprit(claim)
            .field(claim, "phase", "Pending")
            .check("See which classes there are", "kubectl get storageclasses")
    } else if event.is_some_and(|event| event.reason == "ProvisioningFailed") {
        context
            .finding(&FAILED, claim, Category::Storage)
            .says(format!(
                "{}The volume of {claim} can't be made: {}",
                too_small(context, value).map(|why| format!("{why}. ")).unwrap_or_default(),
                line::cut(message, 180)
            ))
            .culprit(claim)
            .field(claim, "phase", "Pending")
    } else if message.contains("aiting for a volume to be created")
        && field::created(value).is_some_and(|at| !context.within(at, PATIENCE))
    {
        context
            .finding(&NO_PROVISIONER, claim, Category::Storage)
            .says(format!(
                "{claim} has waited for its provisioner for {}: {}",
                field::created(value).map(|at| context.ago(at)).unwrap_or_default(),
                line::cut(message, 140)
            ))
            .culprit(reference.as_ref().unwrap_or(claim))
            .field(claim, "phase", "Pending")
            .check("See whether the provisioner runs", "kubectl get pods -A")
    } else {
        return;
    };
    let draft = match event {
        Some(event) => draft.event(event),
        None => draft,
    };
    draft.severity(Severity::Critical).check("See the claim's events", workload::describe(claim)).into(findings);
}

/// That every volume of a claim's class that is free is smaller than what it asks for, in words.
pub(super) fn too_small(context: &Context<'_>, claim: &Value) -> Option<String> {
    let wanted = field::text(claim, "/spec/resources/requests/storage")?;
    let class = field::text(claim, "/spec/storageClassName");
    let named = field::text(claim, "/spec/volumeName");
    let asked = quantity::parse(wanted)?;
    let volumes = context.scene.of_kind("PersistentVolume").filter(|(object, volume)| {
        field::text(volume, "/spec/storageClassName") == class
            && named.is_none_or(|named| named == object.name)
            && field::text(volume, "/status/phase") == Some("Available")
    });
    let sizes: Vec<(&ObjectRef, &str)> =
        volumes.filter_map(|(volume, value)| Some((volume, field::text(value, "/spec/capacity/storage")?))).collect();
    let fits = |size: &str| quantity::parse(size).is_none_or(|size| size >= asked);
    let (largest, size) = sizes.iter().max_by(|(_, one), (_, other)| {
        quantity::parse(one).partial_cmp(&quantity::parse(other)).unwrap_or(std::cmp::Ordering::Equal)
    })?;
    let none = !sizes.iter().any(|(_, size)| fits(size));
    none.then(|| format!("It asks for {wanted}, and the largest free volume of its class, {largest}, has {size}"))
}

/// Claims that pods name and that are not there.
fn missing(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let claims = context.scene.missing.iter().filter(|object| object.is("PersistentVolumeClaim"));
    for claim in claims {
        for (pod, value) in context.scene.in_namespace("Pod", claim.namespace.as_deref()) {
            let names = context.graph.edges(pod).iter().any(|edge| edge.to == *claim);
            if !names || field::text(value, "/status/phase") != Some("Pending") {
                continue;
            }
            context
                .finding(&MISSING, pod, Category::Storage)
                .says(format!("{claim} does not exist; {pod} mounts it and can't be scheduled"))
                .severity(Severity::Critical)
                .culprit(claim)
                .field(pod, "claimName", &claim.name)
                .check(
                    "See which claims there are",
                    format!("kubectl get persistentvolumeclaims{}", workload::scope(claim)),
                )
                .into(findings);
        }
    }
}
