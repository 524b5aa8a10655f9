//! A node: its addresses, taints, room and what its pods ask of it.

use serde_json::Value;

use super::Page;
use crate::kubernetes::field::{entries, flag, items, name, namespace, plain, text};
use crate::kubernetes::quantity;
use crate::view::{alike, names};

/// The most lines on pods.
const PODS: usize = 12;

/// The most names of pods that ask for the same.
const NAMES: usize = 5;

/// What a node is and what state it is in.
pub(crate) fn node(page: &mut Page, node: &Value) {
    if flag(node, "/spec/unschedulable") {
        page.line(0, "cordoned: no new pod is placed here (spec.unschedulable)");
    }
    let taints: Vec<String> = items(node, "/spec/taints")
        .map(|taint| {
            let value = text(taint, "/value").map(|value| format!("={value}")).unwrap_or_default();
            format!("{}{value}:{}", text(taint, "/key").unwrap_or_default(), text(taint, "/effect").unwrap_or_default())
        })
        .collect();
    page.field(0, "taints", taints.join(", "));
    let addresses: Vec<String> =
        items(node, "/status/addresses").filter_map(|address| text(address, "/address").map(str::to_owned)).collect();
    page.field(0, "addresses", addresses.join(", "));
    let about: Vec<&str> = ["kubeletVersion", "osImage", "kernelVersion", "containerRuntimeVersion", "architecture"]
        .iter()
        .filter_map(|field| text(node, &format!("/status/nodeInfo/{field}")))
        .collect();
    page.field(0, "runs", about.join(", "));
}

/// What the node's pods ask of it, against what it has to give.
pub(crate) fn requests(page: &mut Page, node: &Value, pods: &[Value]) {
    let live: Vec<&Value> =
        pods.iter().filter(|pod| !matches!(text(pod, "/status/phase"), Some("Succeeded" | "Failed"))).collect();
    page.line(0, format!("asked of it by {} pods, of what it can give:", live.len()));
    for (resource, value) in entries(node, "/status/allocatable") {
        let Some(room) = quantity::parse(&plain(value)).filter(|room| *room > 0.0) else { continue };
        if resource == "pods" {
            #[expect(clippy::cast_precision_loss, reason = "a count of pods")]
            let share = live.len() as f64 / room * 100.0;
            page.line(1, format!("pods: {} of {} ({share:.0}%)", live.len(), plain(value)));
            continue;
        }
        let sum = |field: &str| live.iter().map(|pod| asked(pod, field, resource)).sum::<f64>();
        let (requests, limits) = (sum("requests"), sum("limits"));
        if requests == 0.0 && limits == 0.0 && !matches!(resource, "cpu" | "memory") {
            continue;
        }
        let shown = |amount: f64| if resource == "cpu" { quantity::cores(amount) } else { quantity::bytes(amount) };
        let (share, most) = (requests / room * 100.0, limits / room * 100.0);
        page.line(
            1,
            format!(
                "{resource}: requests {} ({share:.0}%), limits {} ({most:.0}%), of {}",
                shown(requests),
                shown(limits),
                shown(room)
            ),
        );
    }
    let mut by_memory: Vec<(f64, &Value)> = live.iter().map(|pod| (asked(pod, "requests", "memory"), *pod)).collect();
    by_memory.sort_by(|left, right| right.0.total_cmp(&left.0).then_with(|| name(left.1).cmp(name(right.1))));
    let told: Vec<(&str, &str, String)> = by_memory
        .into_iter()
        .map(|(memory, pod)| {
            let asks = format!(
                "requests cpu {}, memory {}; limit memory {}",
                quantity::cores(asked(pod, "requests", "cpu")),
                quantity::bytes(memory),
                quantity::bytes(asked(pod, "limits", "memory"))
            );
            (namespace(pod).unwrap_or_default(), name(pod), asks)
        })
        .collect();
    let lines: Vec<String> = alike(&told, |(space, _, asks)| (*space, asks.clone()))
        .into_iter()
        .filter_map(|group| {
            let (space, name, asks) = group.first()?;
            let all: Vec<&str> = group.iter().map(|(_, name, _)| *name).collect();
            Some(match group.len() {
                1 => format!("{space}/{name}  {asks}"),
                count => format!("{space}/{}  {count} alike: {asks}", names(&all, NAMES)),
            })
        })
        .collect();
    page.section("its pods, by the memory that they ask for", &lines, PODS, Some("none"));
}

/// What a pod asks for, by the scheduler's rule: the sum of its containers and sidecars, or the largest init container
/// with the sidecars that were started before it where that is more; and the overhead of its runtime class.
fn asked(pod: &Value, field: &str, resource: &str) -> f64 {
    let amount = |value: Option<&Value>| value.and_then(|value| quantity::parse(&plain(value))).unwrap_or_default();
    let of = |container: &Value| {
        amount(container.pointer("/resources").and_then(|resources| resources.get(field)?.get(resource)))
    };
    let (mut sidecars, mut starting) = (0.0, 0.0);
    for container in items(pod, "/spec/initContainers") {
        if text(container, "/restartPolicy") == Some("Always") {
            sidecars += of(container);
        } else {
            starting = f64::max(starting, sidecars + of(container));
        }
    }
    let running: f64 = items(pod, "/spec/containers").map(of).sum();
    let overhead = amount(pod.pointer("/spec/overhead").and_then(|overhead| overhead.get(resource)));
    f64::max(running + sidecars, starting) + overhead
}
