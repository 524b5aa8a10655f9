//! The metrics of nodes.

use marple_core::ObjectRef;

use super::Question;
use super::asker::Asker;
use super::standard::{RATE, Topic};
use crate::prometheus::Window;
use crate::prometheus::number::Unit;
use crate::prometheus::selector::one_of;

/// File systems that are memory, or parts of others.
const NO_DISKS: &str = "fstype!~\"tmpfs|ramfs|overlay|squashfs|nsfs|fuse.*\"";

/// The questions about the nodes among the subjects; none where there are none.
///
/// The node exporter names a node by its address; which is whose is asked first.
pub(super) async fn topic(asker: &Asker<'_>, subjects: &[ObjectRef], window: Window) -> Option<Topic> {
    let objects: Vec<ObjectRef> = subjects.iter().filter(|object| object.is("Node")).cloned().collect();
    if objects.is_empty() {
        return None;
    }
    let names = || objects.iter().map(|object| object.name.as_str());
    let query = format!(
        "max by (instance, node, nodename) (node_uname_info{{{}}} or node_uname_info{{{}}})",
        one_of("nodename", names()),
        one_of("node", names())
    );
    let found = asker.ask(asker.prometheus.instant(&query, Some(window.end))).await;
    let exporters = found.map(|found| found.answer.into_series()).unwrap_or_default();
    let mut questions = vec![Question::of(
        "conditions (Ready should be 1, the others 0)",
        format!("max by (node, condition) (kube_node_status_condition{{{},status=\"true\"}})", one_of("node", names())),
        Unit::Plain,
    )];
    let instances: Vec<&str> = exporters.iter().filter_map(|series| series.labels.get("instance")).collect();
    if !instances.is_empty() {
        questions.extend(of_exporters(&one_of("instance", instances.iter().copied())));
    }
    let is = |series: &crate::prometheus::Series| {
        let name = names().find(|name| ["node", "nodename"].iter().any(|label| series.labels.get(label) == Some(name)));
        Some(format!("{} is Node {}\n", series.labels.get("instance")?, name?))
    };
    let note = exporters.iter().filter_map(is).collect();
    Some(Topic { title: "conditions, memory, disks and CPU", objects, note, questions })
}

fn of_exporters(matchers: &str) -> Vec<Question> {
    let metric = |name: &str| format!("{name}{{{matchers}}}");
    vec![
        Question::of(
            "available memory",
            format!(
                "max by (instance) ({} / {})",
                metric("node_memory_MemAvailable_bytes"),
                metric("node_memory_MemTotal_bytes")
            ),
            Unit::Share,
        ),
        Question::of(
            "available disk",
            format!(
                "min by (instance, mountpoint) (node_filesystem_avail_bytes{{{matchers},{NO_DISKS}}} / {})",
                metric("node_filesystem_size_bytes")
            ),
            Unit::Share,
        ),
        Question::of(
            "CPU in use",
            format!("1 - avg by (instance) (rate(node_cpu_seconds_total{{{matchers},mode=\"idle\"}}[{RATE}]))"),
            Unit::Share,
        ),
    ]
}
