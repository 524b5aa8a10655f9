//! Nodes that are not ready, under pressure or cordoned.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const NOT_READY: Condition = Condition::cause("node-not-ready", 2);
const PRESSURE: Condition = Condition::cause("node-pressure", 4);
const NETWORK: Condition = Condition::cause("node-network-unavailable", 3);
const CORDONED: Condition = Condition::context("node-cordoned");

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[NOT_READY, PRESSURE, NETWORK, CORDONED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (node, value) in context.scene.of_kind("Node") {
        for condition in field::items(value, "/status/conditions") {
            let (kind, status) =
                (field::text(condition, "/type").unwrap_or_default(), field::text(condition, "/status"));
            let since = field::time(condition, "/lastTransitionTime")
                .map(|at| format!(" for {}", context.ago(at)))
                .unwrap_or_default();
            let message = field::text(condition, "/message").unwrap_or_default();
            let (found, what) = match (kind, status) {
                ("Ready", Some("Unknown")) => {
                    (&NOT_READY, format!("{node} has not been heard of{since}: its kubelet does not report"))
                }
                ("Ready", Some("False")) => {
                    (&NOT_READY, format!("{node} is not ready{since}: {}", line::cut(message, 160)))
                }
                ("MemoryPressure" | "DiskPressure" | "PIDPressure", Some("True")) => {
                    let short = match kind {
                        "MemoryPressure" => "memory",
                        "DiskPressure" => "disk",
                        _ => "process identifiers",
                    };
                    (&PRESSURE, format!("{node} is short of {short}{since}: {}", line::cut(message, 120)))
                }
                ("NetworkUnavailable", Some("True")) => {
                    (&NETWORK, format!("The network of {node} is not set up{since}: {}", line::cut(message, 120)))
                }
                _ => continue,
            };
            context
                .finding(found, node, Category::Node)
                .says(what)
                .severity(Severity::Critical)
                .culprit(node)
                .field(node, "reason", field::text(condition, "/reason").unwrap_or_default())
                .field(node, "message", message)
                .check("See the node", workload::describe(node))
                .remedy(
                    "Move its pods elsewhere while it is mended",
                    Some(format!("kubectl drain {} --ignore-daemonsets --delete-emptydir-data", node.name)),
                    marple_core::Risk::High,
                    false,
                )
                .into(findings);
        }
        if field::flag(value, "/spec/unschedulable") {
            context
                .finding(&CORDONED, node, Category::Node)
                .says(format!("{node} is cordoned: it takes no new pods"))
                .severity(Severity::Info)
                .field(node, "unschedulable", "true")
                .check("Let it take pods again when it should", format!("kubectl uncordon {}", node.name))
                .into(findings);
        }
    }
}
