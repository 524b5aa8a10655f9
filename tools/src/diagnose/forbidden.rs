//! Programs that the API server refuses, by their logs.

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::words::told;
use super::{Condition, Diagnoser, workload};

const FORBIDDEN: Condition = Condition::cause("forbidden-by-rbac", 15);
/// A program that is ready does its work without what it may not.
const BESIDE: Condition = Condition::cause("forbidden-by-rbac-while-serving", 16).likely();

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[FORBIDDEN, BESIDE], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for ((), words, _) in told(context, |words| refused(words.line).then_some(())) {
        let text = words.line.replace("\\\"", "\"");
        let Some((_, rest)) = text.split_once("system:serviceaccount:") else { continue };
        let (Some((account, rest)), true) = (rest.split_once('"'), text.contains("cannot ")) else { continue };
        let Some((namespace, name)) = account.split_once(':') else { continue };
        let what = rest.split_once("cannot ").map(|(_, what)| what).unwrap_or_default();
        let verb = what.split(' ').next().unwrap_or("get");
        let resource = what.split('"').nth(1).unwrap_or("pods");
        let account = ObjectRef::namespaced("ServiceAccount", namespace, name);
        let scope = what.split_once("in the namespace \"").and_then(|(_, rest)| rest.split('"').next());
        let whereas = scope.map_or_else(|| "in the whole cluster".to_owned(), |scope| format!("in namespace {scope}"));
        let command = match scope {
            Some(scope) => format!(
                "kubectl create role {name}-{resource} -n {scope} --verb={verb} --resource={resource} && kubectl create rolebinding {name}-{resource} -n {scope} --role={name}-{resource} --serviceaccount={namespace}:{name}"
            ),
            None => format!(
                "kubectl create clusterrole {name}-{resource} --verb={verb} --resource={resource} && kubectl create clusterrolebinding {name}-{resource} --clusterrole={name}-{resource} --serviceaccount={namespace}:{name}"
            ),
        };
        let owner = &words.owner;
        words
            .prove(context.finding(if words.serves { &BESIDE } else { &FORBIDDEN }, words.pod, Category::Permission))
            .says(format!("{account}, as which {owner} runs, may not {verb} {resource} {whereas}"))
            .severity(if words.serves { Severity::Warning } else { Severity::Critical })
            .culprit(&account)
            .mend(format!("Allow it to {verb} {resource}, if it should"), command)
            .check("See the account", workload::describe(&account))
            .into(findings);
    }
}

fn refused(line: &str) -> bool {
    line.contains("system:serviceaccount:") && line.contains("cannot ")
}
