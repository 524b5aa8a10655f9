//! What an investigator is asked, and what that comes to over a recording.

use std::collections::BTreeMap;

use marple_core::{Alert, Labels, Signal, SignalStatus};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::bundle::Bundle;

/// How many alerts a question and an error name.
const NAMED: usize = 30;

/// What is wanted of whoever answers in words: the same of everyone.
const WANTED: &str = "Say what the root cause is, and name the object to change or that failed by its kind, namespace and name. \
    Say so where nothing is broken, and where the cause can't be established.";

/// What an investigator is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ask {
    /// To explain one alert: labels that find exactly one of the recording's.
    Alert(Labels),
    /// A question, as a person would put it.
    Question(String),
    /// To explain all that Alertmanager sent, folded as `marple serve` would. Always `true`.
    Incident(bool),
}

/// What that is, over a recording.
#[derive(Clone, Debug, PartialEq)]
pub enum Asked {
    /// An alert that fires.
    Alert(Box<Signal>),
    /// A question.
    Question(String),
    /// All that was sent, in the order in which it came; not empty.
    Incident(Vec<Signal>),
}

/// The recording does not have what is asked about. Another case or recording helps.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// No alert has these labels.
    #[error("ask.alert: no alert of the recording has the labels {wanted}; it holds {known}")]
    NoAlert {
        /// The labels.
        wanted: String,
        /// The alerts that there are.
        known: String,
    },
    /// Several have.
    #[error(
        "ask.alert: {count} alerts of the recording have the labels {wanted}; add labels that tell one from the others: {known}"
    )]
    Several {
        /// How many.
        count: usize,
        /// The labels.
        wanted: String,
        /// Those that have them.
        known: String,
    },
    /// Nothing was sent.
    #[error(
        "ask.incident: the recording has neither alerts nor signals: record it with --alertmanager, or with --incident"
    )]
    NothingSent,
    /// An alert of the recording has another form.
    #[error("the alerts of the recording: {0}")]
    Malformed(String),
}

impl Ask {
    /// Finds in a recording what is asked about.
    pub fn over(&self, bundle: &Bundle) -> Result<Asked, AskError> {
        match self {
            Self::Question(question) => Ok(Asked::Question(question.clone())),
            Self::Incident(_) => {
                let signals = sent(bundle)?;
                if signals.is_empty() { Err(AskError::NothingSent) } else { Ok(Asked::Incident(signals)) }
            }
            Self::Alert(wanted) => {
                let alerts = alerts(bundle)?;
                let of = |signal: &Signal| wanted.iter().all(|(name, value)| signal.labels.value(name) == Some(value));
                let mut found: Vec<Signal> = alerts.iter().filter(|signal| of(signal)).cloned().collect();
                let wanted = || told(wanted);
                match (found.len(), found.pop()) {
                    (1, Some(signal)) => Ok(Asked::Alert(Box::new(signal))),
                    (0, _) | (_, None) => Err(AskError::NoAlert { wanted: wanted(), known: listed(&alerts) }),
                    (count, Some(last)) => {
                        found.push(last);
                        Err(AskError::Several { count, wanted: wanted(), known: listed(&found) })
                    }
                }
            }
        }
    }
}

impl Asked {
    /// As it is put to whoever takes words.
    pub fn question(&self) -> String {
        let asked = match self {
            Self::Question(question) => question.clone(),
            Self::Alert(signal) => format!("This alert fires, since {}: {}.", signal.starts_at, line(signal)),
            Self::Incident(signals) => {
                let last: BTreeMap<String, &Signal> =
                    signals.iter().map(|signal| (told(&signal.labels), signal)).collect();
                let lines = last.values().take(NAMED).map(|signal| format!("- {}\n", line(signal)));
                let more = match last.len().saturating_sub(NAMED) {
                    0 => String::new(),
                    more => format!("- and {more} more\n"),
                };
                format!("These alerts came, of one incident:\n{}{more}", lines.collect::<String>())
            }
        };
        format!("{asked}\n{WANTED}")
    }
}

/// The alerts of a recording that fire, each once: what Alertmanager holds, and what it posted last of each.
fn alerts(bundle: &Bundle) -> Result<Vec<Signal>, AskError> {
    let mut known: BTreeMap<String, Signal> =
        posted(bundle)?.into_iter().map(|signal| (told(&signal.labels), signal)).collect();
    known.retain(|_, signal| signal.status == SignalStatus::Firing);
    known.extend(held(bundle)?.into_iter().map(|signal| (told(&signal.labels), signal)));
    Ok(known.into_values().collect())
}

/// All that was sent: what Alertmanager posted, else what it holds; and what a forwarder told beside it.
fn sent(bundle: &Bundle) -> Result<Vec<Signal>, AskError> {
    let posted = posted(bundle)?;
    let mut sent = if posted.is_empty() { held(bundle)? } else { posted };
    sent.extend(bundle.signals.iter().cloned());
    Ok(sent)
}

fn posted(bundle: &Bundle) -> Result<Vec<Signal>, AskError> {
    let alerts = bundle.alertmanager.payloads.iter().filter_map(|payload| payload.body.get("alerts")?.as_array());
    alerts.flatten().cloned().map(signal).collect()
}

fn held(bundle: &Bundle) -> Result<Vec<Signal>, AskError> {
    bundle.alertmanager.alerts.iter().cloned().map(as_posted).map(signal).collect()
}

fn signal(alert: Value) -> Result<Signal, AskError> {
    let malformed = |error: &dyn std::fmt::Display| AskError::Malformed(error.to_string());
    let alert: Alert = serde_json::from_value(alert).map_err(|error| malformed(&error))?;
    alert.into_signal().map_err(|error| malformed(&error))
}

/// An alert of Alertmanager's API as its webhook has it: there its status is an object and it ends in the future.
fn as_posted(mut alert: Value) -> Value {
    if let Some(fields) = alert.as_object_mut() {
        fields.insert("status".to_owned(), json!("firing"));
        fields.remove("endsAt");
    }
    alert
}

fn listed(signals: &[Signal]) -> String {
    if signals.is_empty() {
        return "none".to_owned();
    }
    let lines = signals.iter().take(NAMED).map(|signal| told(&signal.labels));
    let more = signals.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    lines.collect::<Vec<_>>().join(", ") + &more
}

/// As `{alertname="KubePodCrashLooping", namespace="shop"}`.
fn told(labels: &Labels) -> String {
    let pairs = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect::<Vec<_>>();
    format!("{{{}}}", pairs.join(", "))
}

fn line(signal: &Signal) -> String {
    let headline = signal.headline();
    let labels = told(&signal.labels);
    if headline == signal.name {
        format!("{} {labels}", signal.name)
    } else {
        format!("{} {labels} ({headline})", signal.name)
    }
}
