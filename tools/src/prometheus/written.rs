//! A rule in words.

use std::time::Duration;

use marple_core::{Labels, Period};

use super::{ActiveAlert, Rule, RuleKind, labels, number::Unit};
use crate::kubernetes::Clock;

/// A rule with at most so many of its active alerts.
pub(super) fn rule(rule: &Rule, clock: Clock, most: usize) -> String {
    let mut text = match rule.kind {
        RuleKind::Alerting => format!("alert {}: {}\n", rule.name, state(rule)),
        RuleKind::Recording => format!("recorded metric {}\n", rule.name),
    };
    text += &format!("expr: {}\n", one_line(&rule.query));
    for (what, length) in [("for", rule.hold), ("keep firing for", rule.keep_firing_for)] {
        if length > Duration::ZERO {
            text += &format!("{what}: {}\n", Period::from(length));
        }
    }
    if !rule.labels.is_empty() {
        text += &format!("labels: {}\n", labels::told(&rule.labels, &Labels::new()));
    }
    for (name, value) in rule.annotations.iter() {
        text += &format!("{name}: {}\n", one_line(value));
    }
    if !matches!(rule.health.as_str(), "" | "ok" | "unknown")
        || rule.last_error.as_ref().is_some_and(|error| !error.is_empty())
    {
        let error = rule.last_error.as_deref().unwrap_or("no reason is given");
        text += &format!("health: {}, its last evaluation failed: {}\n", rule.health, one_line(error));
    }
    text + &active(rule, clock, most)
}

/// Each line two spaces in.
pub(super) fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn state(rule: &Rule) -> &'static str {
    let any = |state: &str| rule.alerts.iter().any(|alert| alert.state == state);
    match (any("firing"), any("pending")) {
        (true, _) => "firing",
        (false, true) => "pending",
        (false, false) => "inactive",
    }
}

fn active(rule: &Rule, clock: Clock, most: usize) -> String {
    if rule.alerts.is_empty() {
        return String::new();
    }
    let added: Labels = rule.labels.iter().chain([("alertname", rule.name.as_str())]).collect();
    let own =
        |alert: &ActiveAlert| -> Labels { alert.labels.iter().filter(|(name, _)| added.get(name).is_none()).collect() };
    let mut alerts: Vec<(&ActiveAlert, Labels)> = rule.alerts.iter().map(|alert| (alert, own(alert))).collect();
    alerts.sort_by(|(left, _), (right, _)| left.state.cmp(&right.state).then(left.active_at.cmp(&right.active_at)));
    let common = labels::common(alerts.iter().map(|(_, labels)| labels));
    let legend = clock.legend().map(|legend| format!(" {legend}")).unwrap_or_default();
    let mut text = format!("active alerts ({}){legend}:\n", alerts.len());
    text += &indented(&labels::common_line(&common));
    for (alert, own) in alerts.iter().take(most) {
        let since = alert.active_at.map(|at| format!(" since {}", clock.when(at))).unwrap_or_default();
        let value = alert.value.map(|value| format!(", value {}", Unit::Plain.told(value))).unwrap_or_default();
        let labels = labels::told(own, &common);
        text += &format!("  {}{since}{value}{}{labels}\n", alert.state, if labels.is_empty() { "" } else { ": " });
    }
    let more = alerts.len().saturating_sub(most);
    if more > 0 {
        text += &format!("  … {more} more left out …\n");
    }
    text
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
