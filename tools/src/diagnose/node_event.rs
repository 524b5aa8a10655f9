//! What the kubelet, the kernel and detectors say of a node by events.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::{Condition, Diagnoser, line, workload};

const OUT_OF_MEMORY: Condition = Condition::cause("node-out-of-memory", 5);
const CONNTRACK: Condition = Condition::cause("node-conntrack-full", 4);
const DISK: Condition = Condition::cause("node-frees-no-disk", 5);
const REBOOTED: Condition = Condition::cause("node-rebooted", 9);
const KERNEL: Condition = Condition::cause("node-kernel-trouble", 6);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[OUT_OF_MEMORY, CONNTRACK, DISK, REBOOTED, KERNEL], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (node, _) in context.scene.of_kind("Node") {
        for (condition, what) in [
            (&OUT_OF_MEMORY, "ran out of memory, and the kernel ended processes"),
            (&CONNTRACK, "can track no more connections: new ones are dropped"),
            (&DISK, "can't free the disk space that it needs"),
            (&REBOOTED, "was rebooted"),
            (&KERNEL, "has trouble in its kernel or file systems"),
        ] {
            let Some(event) =
                context.warning(node, |event| known(&event.reason, &event.message) == Some(condition.word))
            else {
                continue;
            };
            context
                .finding(condition, node, Category::Node)
                .says(format!("{node} {what}, {} ago: {}", context.ago(event.at), line::cut(&event.message, 140)))
                .severity(Severity::Critical)
                .at(Some(event.at))
                .culprit(node)
                .event(event)
                .check("See the node", workload::describe(node))
                .into(findings);
        }
    }
}

/// The condition of an event, by the reasons of the kubelet and of the node problem detector.
fn known(reason: &str, message: &str) -> Option<&'static str> {
    let condition = match reason {
        "SystemOOM" | "OOMKilling" => OUT_OF_MEMORY,
        "ConntrackFull" => CONNTRACK,
        _ if message.contains("nf_conntrack: table full") || message.contains("conntrack table full") => CONNTRACK,
        "FreeDiskSpaceFailed" | "ImageGCFailed" | "ContainerGCFailed" => DISK,
        "Rebooted" => REBOOTED,
        "TaskHung"
        | "KernelOops"
        | "FilesystemIsReadOnly"
        | "Ext4Error"
        | "IOError"
        | "UnregisterNetDevice"
        | "DockerHung"
        | "MemoryReadError" => KERNEL,
        _ => return None,
    };
    Some(condition.word)
}
