//! What bounds workloads: budgets, quotas, limit ranges and priorities.

use serde_json::Value;

use super::Page;
use super::namespace::quota;
use super::storage::{expression, list};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::field::{entries, flag, items, number, plain, text};
use crate::kubernetes::{LookError, pods, selector};
use crate::view::certificate_told;

/// What a `PodDisruptionBudget` allows, and its pods.
pub(super) fn budget(page: &mut Page, budget: &Value, selected: Result<Vec<Value>, LookError>, clock: Clock) {
    for (title, pointer) in [("min available", "/spec/minAvailable"), ("max unavailable", "/spec/maxUnavailable")] {
        page.field(0, title, budget.pointer(pointer).map(plain).unwrap_or_default());
    }
    let selector =
        budget.pointer("/spec/selector").map(|labels| selector::query(labels).unwrap_or_else(|| "all pods".to_owned()));
    page.field(0, "selector", selector.unwrap_or_else(|| "(none: it guards no pod)".to_owned()));
    let count = |field: &str| number(budget, &format!("/status/{field}")).unwrap_or_default();
    let allowed = count("disruptionsAllowed");
    page.field(
        0,
        "may be evicted now",
        if allowed == 0 { "none: a drain waits".to_owned() } else { allowed.to_string() },
    );
    page.field(
        0,
        "healthy",
        format!("{} of {}, {} must be", count("currentHealthy"), count("expectedPods"), count("desiredHealthy")),
    );
    page.field(0, "unhealthy pods are evicted", text(budget, "/spec/unhealthyPodEvictionPolicy").unwrap_or_default());
    if let Some(mut selected) = page.seen("its pods", selected) {
        pods::worst_first(&mut selected);
        let lines = pods::lines(&selected, clock);
        page.section("its pods, the worst first", &lines, 15, Some("none"));
    }
}

/// What a `ResourceQuota` allows and what is used.
pub(super) fn resource_quota(page: &mut Page, object: &Value) {
    page.field(0, "scopes", list(object, "/spec/scopes"));
    let terms: Vec<String> = items(object, "/spec/scopeSelector/matchExpressions")
        .map(|term| format!("{} {}", text(term, "/scopeName").unwrap_or_default(), expression(term).trim()))
        .collect();
    page.field(0, "only for", terms.join(" and "));
    let line = quota(object);
    let parts: Vec<String> =
        line.split_once(": ").map(|(_, parts)| parts.split(", ").map(str::to_owned).collect()).unwrap_or_default();
    page.section("used", &parts, 60, Some("nothing is bounded"));
}

/// What a `LimitRange` gives and allows.
pub(super) fn limit_range(page: &mut Page, object: &Value) {
    for limit in items(object, "/spec/limits") {
        page.line(0, format!("for each {}:", text(limit, "/type").unwrap_or_default()));
        for (title, field) in [
            ("at least", "min"),
            ("at most", "max"),
            ("request where none is set", "defaultRequest"),
            ("limit where none is set", "default"),
            ("limit at most so many times the request", "maxLimitRequestRatio"),
        ] {
            let pairs = crate::kubernetes::field::pairs(limit, &format!("/{field}"));
            page.field(1, title, pairs);
        }
    }
}

/// What a `PriorityClass` gives.
pub(super) fn priority(page: &mut Page, class: &Value) {
    page.field(0, "value", class.get("value").map(plain).unwrap_or_default());
    page.field(0, "preemption", text(class, "/preemptionPolicy").unwrap_or("PreemptLowerPriority"));
    if flag(class, "/globalDefault") {
        page.line(0, "it is the default of all pods that name none");
    }
    page.field(0, "description", text(class, "/description").unwrap_or_default());
}

/// The keys of a ConfigMap with their values, or of a Secret with their sizes.
pub(super) fn data(page: &mut Page, object: &Value) {
    page.field(0, "type", text(object, "/type").unwrap_or_default());
    if flag(object, "/immutable") {
        page.line(0, "immutable");
    }
    let mut any = false;
    for field in ["/data", "/stringData"] {
        for (key, value) in entries(object, field) {
            any = true;
            let value = plain(value);
            if value.trim_end().contains('\n') {
                page.line(0, format!("{key}:"));
                for line in value.lines() {
                    page.line(1, line);
                }
            } else {
                page.line(0, format!("{key}: {}", value.trim_end()));
            }
            if let Some(says) = certificate_told(object, key) {
                page.line(1, format!("a certificate {says}"));
            }
        }
    }
    for (key, value) in entries(object, "/binaryData") {
        any = true;
        let size = value.as_str().map_or(0, |text| text.len() / 4 * 3);
        page.line(0, format!("{key}: about {size} bytes that are no text"));
    }
    if !any {
        page.line(0, "no keys");
    }
}

/// Who asked for a certificate, from whom, and what came of it: conditions tell.
pub(super) fn certificate(page: &mut Page, request: &Value) {
    page.field(0, "signer", text(request, "/spec/signerName").unwrap_or_default());
    page.field(0, "asked by", text(request, "/spec/username").unwrap_or_default());
    page.field(0, "groups", list(request, "/spec/groups"));
    page.field(0, "usages", list(request, "/spec/usages"));
    let seconds = number(request, "/spec/expirationSeconds").map(|seconds| format!("{seconds}s"));
    page.field(0, "wanted for", seconds.unwrap_or_default());
    let decided = items(request, "/status/conditions").next().is_some();
    let issued = text(request, "/status/certificate").is_some();
    page.field(
        0,
        "state",
        match (decided, issued) {
            (false, _) => "pending: nobody has approved it yet",
            (true, true) => "issued",
            (true, false) => "not issued",
        },
    );
}
