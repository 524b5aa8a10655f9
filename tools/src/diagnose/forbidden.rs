//! Programs that the API server refuses, by their logs, and who took the right from them.

use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};

use super::context::Context;
use super::words::told;
use super::{Condition, Diagnoser, changed, workload};
use crate::near::nearest;
use crate::scene::rights::{Refused, binds, role};
use crate::scene::{GONE, field};

const FORBIDDEN: Condition = Condition::cause("forbidden-by-rbac", 15);
/// A program that is ready does its work without what it may not.
const BESIDE: Condition = Condition::cause("forbidden-by-rbac-while-serving", 16).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[FORBIDDEN, BESIDE], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for ((), words, _) in told(context, |words| Refused::of(words.line).map(drop)) {
        let Some(refused) = Refused::of(words.line) else { continue };
        let Refused { account: name, account_namespace: namespace, verb, resource, .. } = &refused;
        let account = refused.object();
        let scope = refused.namespace.as_deref();
        let whereas = scope.map_or_else(|| "in the whole cluster".to_owned(), |scope| format!("in namespace {scope}"));
        let command = match scope {
            Some(scope) => format!(
                "kubectl create role {name}-{resource} -n {scope} --verb={verb} --resource={resource} && kubectl create rolebinding {name}-{resource} -n {scope} --role={name}-{resource} --serviceaccount={namespace}:{name}"
            ),
            None => format!(
                "kubectl create clusterrole {name}-{resource} --verb={verb} --resource={resource} && kubectl create clusterrolebinding {name}-{resource} --clusterrole={name}-{resource} --serviceaccount={namespace}:{name}"
            ),
        };
        let taken = taken(context, &refused, &account);
        let why = taken.as_ref().map(|taken| format!("; {}", taken.why)).unwrap_or_default();
        let owner = &words.owner;
        let mut draft = words
            .prove(context.finding(if words.serves { &BESIDE } else { &FORBIDDEN }, words.pod, Category::Permission))
            .says(format!("{account}, as which {owner} runs, may not {verb} {resource} {whereas}{why}"))
            .severity(if words.serves { Severity::Warning } else { Severity::Critical })
            .culprit(taken.as_ref().map_or(&account, |taken| &taken.by));
        if let Some(Taken { by, proof, .. }) = &taken {
            draft = draft.words(proof.0.clone(), &proof.1).check("See what took the right", workload::describe(by));
        }
        draft
            .mend(format!("Allow it to {verb} {resource}, if it should"), command)
            .check("See the account", workload::describe(&account))
            .into(findings);
    }
}

/// What took a right from an account.
struct Taken {
    by: ObjectRef,
    why: String,
    proof: (ProofSource, String),
}

/// A binding that was deleted or names the account no more, one whose role is missing, or a role that was changed lately.
fn taken(context: &Context<'_>, refused: &Refused, account: &ObjectRef) -> Option<Taken> {
    let rollouts = || context.scene.rollouts.iter().filter(|(object, _)| object.kind.ends_with("RoleBinding"));
    let here = |object: &ObjectRef| {
        let within = object.namespace.as_deref();
        within.is_none() || within == refused.namespace.as_deref() || within == account.namespace.as_deref()
    };
    if let Some((by, rollout)) = rollouts().find(|(by, rollout)| rollout.revision == GONE && here(by)) {
        let why = format!("{by}, which bound it, was deleted at {}", context.clock(rollout.at));
        let proof = (ProofSource::Rollout(by.clone()), rollout.at.to_string());
        return Some(Taken { by: by.clone(), why, proof });
    }
    let subject = format!("subjects[ServiceAccount {}/{}]", refused.account_namespace, refused.account);
    let unbound = rollouts().find_map(|(by, rollout)| {
        let change = rollout.changes.iter().find(|change| change.field == subject && change.to.is_none())?;
        let why = format!("{by} was changed at {}: {change}", context.clock(rollout.at));
        Some(Taken { by: by.clone(), why, proof: (ProofSource::Rollout(by.clone()), subject.clone()) })
    });
    unbound.or_else(|| by_role(context, account)).or_else(|| misnamed(context, account))
}

/// By the roles that bindings of the account name: one that is missing, else the one that was changed last.
fn by_role(context: &Context<'_>, account: &ObjectRef) -> Option<Taken> {
    let kinds = ["RoleBinding", "ClusterRoleBinding"];
    let bindings = kinds.into_iter().flat_map(|kind| context.scene.of_kind(kind));
    let roles = bindings.filter(|(_, value)| binds(value, account));
    let roles = roles.filter_map(|(binding, value)| Some((binding, role(value)?))).collect::<Vec<_>>();
    let absent = |role: &ObjectRef| {
        context.scene.get(role).is_none() && role.is("Role") && context.scene.lists("Role", role.namespace.as_deref())
    };
    if let Some((binding, role)) = roles.iter().find(|(_, role)| absent(role)) {
        let why = format!("{binding} binds it to {role}, which does not exist");
        let proof = (ProofSource::Object((*binding).clone()), format!("name: {}", role.name));
        return Some(Taken { by: role.clone(), why, proof });
    }
    let changed = roles.iter().filter(|(_, role)| {
        let created = context.scene.get(role).and_then(field::created);
        let at = changed::at(context, role, Some("rules"));
        // What is as it was made took nothing away.
        at.zip(created).is_some_and(|(at, created)| at > created && context.within(at, changed::LATELY))
    });
    let (binding, role) = changed.max_by_key(|(_, role)| changed::at(context, role, Some("rules")))?;
    let when = changed::told(context, "that role", role, Some("rules"));
    let why = format!("{binding} gives it {role}{when}");
    Some(Taken { by: role.clone(), why, proof: (ProofSource::Object(role.clone()), "rules".to_owned()) })
}

/// How many letters longer or shorter a mistyped name may be.
const LETTERS: usize = 2;

/// A binding in the account's namespace that was changed lately, and names one by nearly the same name instead.
fn misnamed(context: &Context<'_>, account: &ObjectRef) -> Option<Taken> {
    let mut bindings = context.scene.in_namespace("RoleBinding", account.namespace.as_deref());
    bindings.find_map(|(binding, value)| {
        let at = changed::at(context, binding, Some("subjects")).filter(|at| context.within(*at, changed::LATELY))?;
        field::created(value).filter(|created| at > *created)?;
        let subjects = field::items(value, "/subjects").iter();
        let accounts = subjects.filter(|one| field::text(one, "/kind") == Some("ServiceAccount"));
        let names = accounts.filter_map(|one| field::text(one, "/name"));
        let alike = names.filter(|name| *name != account.name && name.len().abs_diff(account.name.len()) <= LETTERS);
        let near = nearest(&account.name, alike, 1).into_iter().next()?;
        let why = format!("{binding}, changed at {}, names {near} instead", context.clock(at));
        let proof = (ProofSource::Object(binding.clone()), format!("name: {near}"));
        Some(Taken { by: binding.clone(), why, proof })
    })
}
