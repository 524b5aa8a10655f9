//! A `HorizontalPodAutoscaler`: what it scales, between which bounds and by which metrics.

use serde_json::Value;

use super::Page;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::field::{items, number, pairs, plain, text, time};

/// What an autoscaler is and what state it is in.
pub(super) fn autoscaler(page: &mut Page, object: &Value, clock: Clock) {
    let part = |pointer: &str| object.pointer(pointer).map(plain).unwrap_or_default();
    page.field(0, "scales", format!("{} {}", part("/spec/scaleTargetRef/kind"), part("/spec/scaleTargetRef/name")));
    let count = |pointer: &str| number(object, pointer).map_or_else(|| "?".to_owned(), |count| count.to_string());
    let (now, most) = (count("/status/currentReplicas"), count("/spec/maxReplicas"));
    let full = if now == most { " (at its maximum)" } else { "" };
    let least = number(object, "/spec/minReplicas").unwrap_or(1);
    let wanted = count("/status/desiredReplicas");
    page.field(0, "pods", format!("{now} now, {wanted} wanted, between {least} and {most}{full}"));
    page.field(0, "last scaled", time(object, "/status/lastScaleTime").map(|at| clock.when(at)).unwrap_or_default());
    let current: Vec<&Value> = items(object, "/status/currentMetrics").collect();
    let metrics: Vec<String> = items(object, "/spec/metrics")
        .map(|wanted| {
            let now = current.iter().find(|now| key(now) == key(wanted));
            let now = now.and_then(|now| amount(source(now)?, "current")).unwrap_or_else(|| "unknown".to_owned());
            let target = source(wanted).and_then(|source| amount(source, "target")).unwrap_or_default();
            format!("{}: {now} now, target {target}", key(wanted))
        })
        .collect();
    page.section("metrics", &metrics, 20, Some("none: nothing says when to scale"));
    for direction in ["scaleUp", "scaleDown"] {
        if let Some(rules) = object.pointer(&format!("/spec/behavior/{direction}")) {
            let policies = items(rules, "/policies").map(|policy| {
                let part = |pointer: &str| policy.pointer(pointer).map(plain).unwrap_or_default();
                format!("{} {} in {}s", part("/value"), part("/type").to_lowercase(), part("/periodSeconds"))
            });
            let mut parts: Vec<String> = policies.collect();
            parts.extend(number(rules, "/stabilizationWindowSeconds").map(|seconds| format!("steady for {seconds}s")));
            parts.extend(text(rules, "/selectPolicy").map(|select| format!("policy {select}")));
            page.field(0, direction, parts.join(", "));
        }
    }
}

/// What a metric is about, as `cpu of the pods`.
fn key(metric: &Value) -> String {
    let Some(source) = source(metric) else { return "unknown metric".to_owned() };
    let labels = pairs(source, "/metric/selector/matchLabels");
    let labels = if labels.is_empty() { labels } else { format!("{{{labels}}}") };
    let name = text(source, "/name").or_else(|| text(source, "/metric/name")).unwrap_or_default();
    let of = match text(metric, "/type").unwrap_or_default() {
        "ContainerResource" => format!(" of container {}", text(source, "/container").unwrap_or_default()),
        "Object" => format!(
            " of {} {}",
            text(source, "/describedObject/kind").unwrap_or_default(),
            text(source, "/describedObject/name").unwrap_or_default()
        ),
        "External" => " (external)".to_owned(),
        "Pods" => " a pod".to_owned(),
        _ => String::new(),
    };
    format!("{name}{labels}{of}")
}

fn source(metric: &Value) -> Option<&Value> {
    ["/resource", "/containerResource", "/pods", "/object", "/external"].iter().find_map(|kind| metric.pointer(kind))
}

/// As `85% (170m)`.
fn amount(source: &Value, which: &str) -> Option<String> {
    let amounts = source.get(which)?;
    let share = number(amounts, "/averageUtilization").map(|percent| format!("{percent}%"));
    let average = text(amounts, "/averageValue").map(|value| format!("{value} a pod"));
    let value = text(amounts, "/value").map(str::to_owned);
    match (share, average.or(value)) {
        (Some(share), Some(value)) => Some(format!("{share} ({value})")),
        (one, other) => one.or(other),
    }
}
