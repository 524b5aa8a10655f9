//! Workloads that are to have no pods.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, workload};
use crate::scene::field;

const ZERO: Condition = Condition::cause("scaled-to-zero", 50);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[ZERO], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for kind in ["Deployment", "StatefulSet"] {
        for (object, value) in context.scene.of_kind(kind) {
            if field::number(value, "/spec/replicas") != Some(0) {
                continue;
            }
            context
                .finding(&ZERO, object, Category::Scaling)
                .says(format!("{object} is scaled to 0 replicas"))
                .severity(Severity::Info)
                .culprit(object)
                .field(object, "replicas", "0")
                .mend(
                    "Scale it up",
                    format!("kubectl scale{} {} --replicas=1", workload::scope(object), workload::target(object)),
                )
                .into(findings);
        }
    }
}
