//! Says once what several pods of one workload show alike.

use std::collections::BTreeSet;

use marple_core::{Finding, ObjectRef};

use super::context::Context;

/// How much of a statement tells what it is about, in characters: the container is named at its beginning.
const TELLING: usize = 60;

/// What makes two findings the same to a reader: condition, top owner, culprit, and the statement's beginning without
/// the pod's name and numbers.
type Alike = (String, ObjectRef, Option<ObjectRef>, String);

/// Leaves of findings that are alike the one of a subject, else the first, and says how many more pods show it.
pub(super) fn fold(context: &Context<'_>, findings: Vec<Finding>) -> Vec<Finding> {
    let mut kept: Vec<(Alike, Finding, BTreeSet<ObjectRef>)> = Vec::new();
    for finding in findings {
        let alike = alike(context, &finding);
        match kept.iter_mut().find(|(known, _, _)| *known == alike) {
            None => {
                let objects = BTreeSet::from([finding.object.clone()]);
                kept.push((alike, finding, objects));
            }
            Some((_, first, objects)) => {
                objects.insert(finding.object.clone());
                // What holds tells more than what is over, and the subject's own more than another's.
                let subject = |one: &Finding| context.scene.subjects.contains(&one.object);
                if (finding.at.is_none(), subject(&finding)) > (first.at.is_none(), subject(first)) {
                    *first = finding;
                }
            }
        }
    }
    kept.into_iter()
        .map(|(_, mut finding, objects)| {
            let more = objects.len().saturating_sub(1);
            if more > 0 && finding.object.is("Pod") {
                let pods = if more == 1 { "pod" } else { "pods" };
                finding.statement = format!("{} (and {more} more {pods} alike)", finding.statement);
            }
            finding
        })
        .collect()
}

fn alike(context: &Context<'_>, finding: &Finding) -> Alike {
    let unit = if finding.object.is("Pod") || finding.object.is("ReplicaSet") {
        context.graph.top_owner(&finding.object)
    } else {
        finding.object.clone()
    };
    // What is said of a Service, a policy or an ingress is said of one of its ports or rules.
    let beginning = if unit == finding.object && !finding.object.is("Pod") {
        finding.statement.clone()
    } else {
        let words = finding.statement.replace(&finding.object.name, "");
        words.chars().filter(|letter| !letter.is_ascii_digit()).take(TELLING).collect()
    };
    (finding.condition.clone(), unit, finding.culprit.clone(), beginning)
}
