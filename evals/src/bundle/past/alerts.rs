//! Alerts, as they were.

use jiff::Timestamp;
use marple_core::Labels;
use serde_json::{Map, Value, json};

use crate::bundle::{AlertmanagerState, PrometheusState, STALE, Series};
use crate::json::{items, text};

/// How long a sample of `ALERTS` tells of the present: no rule is evaluated more seldom.
const FRESH_MS: i64 = 5 * 60 * 1000;

/// Leaves what Alertmanager had and had posted at `at`.
pub(super) fn cut(state: &mut AlertmanagerState, at: Timestamp) {
    state.payloads.retain(|payload| payload.at <= at);
    state.alerts.retain(|alert| time(text(alert, "/startsAt")).is_none_or(|start| start <= at));
}

/// Makes the alerts of Prometheus and of its rules those of `at`: by the series `ALERTS`, which Prometheus keeps of each.
pub(super) fn rewind(state: &mut PrometheusState, at: Timestamp) {
    if state.alerts.is_null() {
        // The recorded server tells none.
        return;
    }
    let was: Vec<Value> = state.series.iter().filter_map(|series| alert(series, state, at)).collect();
    if let Some(rules) = state.rules.get_mut("groups").and_then(Value::as_array_mut) {
        for rule in rules.iter_mut().filter_map(|group| group.get_mut("rules")?.as_array_mut()).flatten() {
            let name = text(rule, "/name").to_owned();
            let Some(rule) = rule.as_object_mut().filter(|rule| rule.contains_key("alerts")) else { continue };
            let own: Vec<Value> =
                was.iter().filter(|alert| text(alert, "/labels/alertname") == name).cloned().collect();
            let state =
                ["firing", "pending"].into_iter().find(|state| own.iter().any(|one| text(one, "/state") == *state));
            rule.insert("state".to_owned(), state.unwrap_or("inactive").into());
            rule.insert("alerts".to_owned(), own.into());
        }
    }
    state.alerts = json!({ "alerts": was });
}

/// The alert that a series `ALERTS` tells of, where it held.
fn alert(series: &Series, state: &PrometheusState, at: Timestamp) -> Option<Value> {
    if series.name() != "ALERTS" {
        return None;
    }
    let sample = series.samples.iter().rev().find(|sample| sample.at <= at.as_millisecond())?;
    if sample.value.to_bits() == STALE.to_bits() || at.as_millisecond() - sample.at > FRESH_MS {
        return None;
    }
    let labels: Labels = series.labels.iter().filter(|(name, _)| !["__name__", "alertstate"].contains(name)).collect();
    let mut alert = Map::new();
    alert.insert("labels".to_owned(), json!(labels));
    let known = items(&state.alerts, "alerts").iter().find(|known| known.get("labels") == Some(&json!(labels)));
    // Annotations are no part of the series; a value in them may be a later one, and is better than none.
    alert.insert(
        "annotations".to_owned(),
        known.and_then(|known| known.get("annotations")).cloned().unwrap_or(json!({})),
    );
    alert.insert("state".to_owned(), series.labels.get("alertstate").unwrap_or_default().into());
    if let Some(since) = active_since(state, &labels, at) {
        alert.insert("activeAt".to_owned(), since.to_string().into());
    }
    alert.insert("value".to_owned(), known.and_then(|known| known.get("value")).cloned().unwrap_or_default());
    Some(Value::Object(alert))
}

/// `ALERTS_FOR_STATE` holds the time since which the condition holds.
fn active_since(state: &PrometheusState, labels: &Labels, at: Timestamp) -> Option<Timestamp> {
    let of = |series: &&Series| {
        series.name() == "ALERTS_FOR_STATE"
            && series.labels.iter().filter(|(name, _)| *name != "__name__").eq(labels.iter())
    };
    let series = state.series.iter().find(of)?;
    let sample = series.samples.iter().rev().find(|sample| sample.at <= at.as_millisecond())?;
    #[expect(clippy::cast_possible_truncation, reason = "seconds of this century")]
    Timestamp::from_second(sample.value as i64).ok()
}

fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
