//! Nodes that are not ready, under pressure or cordoned.

use marple_core::{Category, Finding, ObjectRef, Severity};
use serde_json::Value;

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;

const NOT_READY: Condition = Condition::cause("node-not-ready", 2);
const PRESSURE: Condition = Condition::cause("node-pressure", 4);
const NETWORK: Condition = Condition::cause("node-network-unavailable", 3);
const INODES: Condition = Condition::cause("node-inodes-exhausted", 4);
const PROBLEM: Condition = Condition::cause("node-problem", 5);
const CORDONED: Condition = Condition::context("node-cordoned");

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[NOT_READY, PRESSURE, NETWORK, INODES, PROBLEM, CORDONED], find };

/// Ends of the names of conditions that the node problem detector and clouds set to true when something is wrong.
const PROBLEMS: [&str; 9] =
    ["Problem", "Deadlock", "Unhealthy", "Restart", "Filesystem", "Overlay2", "Corruption", "Shutdown", "Error"];

/// The node that a pod runs on.
pub(super) fn of_pod(pod: &Value) -> Option<ObjectRef> {
    field::text(pod, "/spec/nodeName").map(|node| ObjectRef::cluster("Node", node))
}

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
                ("DiskPressure", Some("True")) if short_of_inodes(context, node) => (
                    &INODES,
                    format!(
                        "{node} is short of inodes{since}: there are too many files on its disk, whatever their size"
                    ),
                ),
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
                (kind, Some("True")) if PROBLEMS.iter().any(|end| kind.contains(end)) => {
                    (&PROBLEM, format!("{node} has {kind}{since}: {}", line::cut(message, 140)))
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

/// Whether the kubelet reclaims inodes, by its events.
fn short_of_inodes(context: &Context<'_>, node: &ObjectRef) -> bool {
    context.warning(node, |event| event.reason == "EvictionThresholdMet" && event.message.contains("inodes")).is_some()
}
