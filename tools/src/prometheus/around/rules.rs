//! The rules of the alerts, and the values that they are about.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::Timestamp;
use marple_core::{Labels, ObjectRef, Signal};
use tokio_util::sync::CancellationToken;

use super::asker::Asker;
use super::standard::RATE;
use super::{Answered, Drawn, Found, Keep, Question};
use crate::Look;
use crate::kubernetes::Clock;
use crate::prometheus::expression::Expression;
use crate::prometheus::number::Unit;
use crate::prometheus::{Rule, RuleKind, Window, selector, written};

/// The most alerts whose rules are read, and the most parts of an expression whose values are.
const RULES: usize = 8;
const PARTS: usize = 3;

/// Active alerts that are told with a rule.
const ACTIVE: usize = 10;

/// Labels that name what an alert is about. Others may have been added on the way, as a cluster's name.
const NAMING: [&str; 18] = [
    "namespace",
    "pod",
    "container",
    "node",
    "instance",
    "service",
    "deployment",
    "statefulset",
    "daemonset",
    "replicaset",
    "job_name",
    "cronjob",
    "persistentvolumeclaim",
    "horizontalpodautoscaler",
    "ingress",
    "device",
    "mountpoint",
    "reason",
];

/// Labels by which requests are told apart.
const OF_REQUESTS: &str = "namespace, pod, service, code, status, status_code, grpc_code";

/// The rules of the signals' names, each with the values around the start.
pub(super) async fn read(asker: &Asker<'_>, signals: &[Signal], window: Window, now: Timestamp) -> Vec<Found> {
    let mut alerts: BTreeMap<&str, Vec<&Signal>> = BTreeMap::new();
    for signal in signals {
        if alerts.contains_key(signal.name.as_str()) || alerts.len() < RULES {
            alerts.entry(&signal.name).or_default().push(signal);
        }
    }
    let names: Vec<&str> = alerts.keys().copied().collect();
    if names.is_empty() {
        return Vec::new();
    }
    let rules = asker.ask(asker.prometheus.rules_named(&names)).await.unwrap_or_default();
    let rule_of = |name: &str, signals: &[&Signal]| {
        let alerting = rules.iter().filter(|rule| rule.name == name && rule.kind == RuleKind::Alerting);
        // Rules of one name differ in severity and threshold: the signal's severity tells which it was.
        let fitting = |rule: &&Rule| signals.iter().any(|signal| signal.labels.matches(&plain(&rule.labels)));
        alerting.clone().find(fitting).or_else(|| alerting.clone().next())
    };
    let found: Vec<(&Rule, Vec<&Signal>)> =
        alerts.into_iter().filter_map(|(name, signals)| Some((rule_of(name, &signals)?, signals))).collect();
    let looks = found.iter().map(|(rule, signals)| of_rule(asker, rule, signals, window, now));
    join_all(looks).await.into_iter().flatten().collect()
}

/// Labels without those whose value a template makes.
fn plain(labels: &Labels) -> Labels {
    labels.iter().filter(|(_, value)| !value.contains("{{")).collect()
}

async fn of_rule(asker: &Asker<'_>, rule: &Rule, signals: &[&Signal], window: Window, now: Timestamp) -> Vec<Found> {
    let to = identity(rule, signals);
    let (values, requests) = questions(rule, &to);
    let ask = async |questions: Vec<Question>| -> Vec<Answered> {
        let looks = questions.into_iter().map(|question| question.ask(asker, window));
        join_all(looks)
            .await
            .into_iter()
            .flatten()
            .map(|answered| kept(answered, &to))
            .filter(|answered| !answered.series.is_empty())
            .collect()
    };
    let (values, requests) = tokio::join!(ask(values), ask(requests));
    let start = signals.iter().map(|signal| signal.starts_at).min();
    let look = Look { incident_start: start, now, cancel: CancellationToken::new() };
    let object = object(signals);
    let mut found = vec![Found {
        title: format!("rule of the alert {} and its expression's values (Prometheus)", rule.name),
        object: object.clone(),
        head: written::rule(rule, Clock::of(&look), ACTIVE),
        answers: values,
        graph: Some(Drawn {
            title: format!("{}: {}", rule.name, rule.query),
            threshold: Expression::read(&rule.query).and_then(|expression| Some(expression.compared()?.1)),
        }),
    }];
    if !requests.is_empty() {
        let title = format!("requests that the alert {} is about (Prometheus)", rule.name);
        found.push(Found { title, object, head: String::new(), answers: requests, graph: None });
    }
    found
}

/// The questions for the expression's values, and for the requests that it counts, where it does.
fn questions(rule: &Rule, to: &BTreeMap<String, BTreeSet<String>>) -> (Vec<Question>, Vec<Question>) {
    let Some(expression) = Expression::read(&rule.query) else {
        let whole = Question { what: "the expression", query: rule.query.clone(), unit: Unit::Plain, keep: Keep::All };
        return (vec![whole], Vec::new());
    };
    let parts = expression.parts().into_iter().take(PARTS);
    let values = parts.map(|part| {
        let unit = part.unit();
        Question::of("values that the expression's conditions are about", part.restricted(to).text(), unit)
    });
    let requests = expression.metrics().into_iter().filter(|metric| counts_requests(metric)).take(PARTS);
    let requests = requests.filter_map(|metric| {
        let metric = selector::of_metric(&metric);
        let query = Expression::read(&format!("sum by ({OF_REQUESTS}) (rate({metric}[{RATE}]))"))?;
        Some(Question::of("requests", query.restricted(to).text(), Unit::PerSecond))
    });
    (values.collect(), requests.collect())
}

fn counts_requests(metric: &str) -> bool {
    let counter = metric.ends_with("_total") || metric.ends_with("_count");
    counter && ["request", "http", "grpc", "rpc"].iter().any(|word| metric.contains(word))
}

/// The labels that tell what the alerts are about, with their values: those that the expression gave, as far as all
/// the signals still have them.
fn identity(rule: &Rule, signals: &[&Signal]) -> BTreeMap<String, BTreeSet<String>> {
    let added = |name: &str| name == "alertname" || rule.labels.get(name).is_some();
    let given: BTreeSet<&str> =
        rule.alerts.iter().flat_map(|alert| alert.labels.iter().map(|(name, _)| name)).collect();
    let names: Vec<&str> = if given.is_empty() { NAMING.to_vec() } else { given.into_iter().collect() };
    let values = |name: &str| -> Option<BTreeSet<String>> {
        signals.iter().map(|signal| signal.labels.get(name).map(str::to_owned)).collect()
    };
    let naming = names.into_iter().filter(|name| !added(name) && selector::is_label(name));
    naming.filter_map(|name| Some((name.to_owned(), values(name)?))).filter(|(_, values)| !values.is_empty()).collect()
}

/// The series that don't contradict the labels: an expression that could not be narrowed gives those of others too.
fn kept(mut answered: Answered, to: &BTreeMap<String, BTreeSet<String>>) -> Answered {
    answered.series.retain(|series| {
        to.iter().all(|(name, values)| series.labels.get(name).is_none_or(|value| values.contains(value)))
    });
    answered
}

/// The object of the alerts, where they have one.
fn object(signals: &[&Signal]) -> Option<ObjectRef> {
    let mut subjects = signals.iter().map(|signal| signal.subject.as_ref());
    let first = subjects.next()??;
    subjects.all(|subject| subject == Some(first)).then(|| first.clone())
}
