//! `alertmanager_silence`: silences alerts for a while.

use async_trait::async_trait;
use jiff::SignedDuration;
use marple_core::Period;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::diff::digest;
use super::only_planned;
use super::silences::{Draft, Matcher, Silences};
use crate::{Effect, Look, Output, Plan, Preview, Tool, ToolError, ToolSpec, arguments};

/// The longest silence: what is quiet for longer is forgotten.
const LONGEST: Period = Period::hours(24);

/// Alerts that are shown.
const SHOWN: usize = 20;

/// Silences alerts.
pub(super) struct Silence {
    silences: Silences,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// As alertname=Down, pod=~cart-.*; all hold.
    matchers: Vec<String>,
    /// As 2h; at most 24h.
    duration: String,
    /// Why.
    comment: String,
}

impl Silence {
    pub(super) fn new(silences: Silences) -> Self {
        let description = "Silences alerts for a while, when a person approves.";
        Self { silences, spec: arguments::spec::<Arguments>("alertmanager_silence", description, Effect::Write) }
    }
}

#[async_trait]
impl Tool for Silence {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn plan(&self, arguments: Value, look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        let Arguments { matchers, duration, comment } = arguments::parse(&self.spec.name, arguments)?;
        let wrong = |why: String| ToolError::Arguments(format!("{}: {why}", self.spec.name));
        let matchers: Vec<Matcher> =
            matchers.iter().map(|matcher| matcher.parse()).collect::<Result<_, _>>().map_err(wrong)?;
        if !matchers.iter().any(Matcher::narrows) {
            return Err(wrong(
                "these matchers would silence everything: give one with a value, as alertname=Down".to_owned(),
            ));
        }
        let period: Period =
            duration.parse().map_err(|error: marple_core::period::PeriodError| wrong(error.to_string()))?;
        if period > LONGEST || period < Period::minutes(1) {
            return Err(wrong(format!("{period} is no time to silence for: from 1m to {LONGEST}")));
        }
        let length = SignedDuration::try_from(period.duration()).unwrap_or(SignedDuration::ZERO);
        let told = matchers.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        if let Some((id, ends)) = self.silences.same(&matchers).await? {
            return Err(wrong(format!("{{{told}}} is silenced already until {ends} ({id})")));
        }
        let mut alerts: Vec<String> = self.silences.fitting(&matchers).await?.iter().map(labels).collect();
        // Alertmanager gives them in any order.
        alerts.sort();
        let ends_at = look.now.checked_add(length).unwrap_or(look.now);
        let draft = Draft { matchers, starts_at: look.now, ends_at, comment };
        let diff = format!("+ silence {{{told}}} for {period}: {}\n{}", draft.comment, hidden(&alerts));
        let basis = digest(&json!([told, period.to_string(), draft.comment, alerts]));
        let preview = Preview { title: format!("silence {{{told}}} for {period}"), object: None, diff, basis };
        Ok(Some(Box::new(SilencePlan { silences: self.silences.clone(), draft, preview })))
    }

    async fn call(&self, _arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        Err(only_planned(&self.spec.name))
    }
}

/// What a silence would hide now.
fn hidden(alerts: &[String]) -> String {
    let mut text = match alerts.len() {
        0 => "hides nothing that fires now\n".to_owned(),
        1 => "hides 1 alert that fires now:\n".to_owned(),
        count => format!("hides {count} alerts that fire now:\n"),
    };
    for labels in alerts.iter().take(SHOWN) {
        text.push_str(&format!("- {labels}\n"));
    }
    if alerts.len() > SHOWN {
        text.push_str(&format!("… {} more …\n", alerts.len() - SHOWN));
    }
    text
}

/// An alert's labels, in one line.
fn labels(alert: &Value) -> String {
    let label = |(name, value): (&String, &Value)| format!("{name}={value}");
    alert.as_object().into_iter().flatten().map(label).collect::<Vec<_>>().join(" ")
}

/// A silence that was shown.
struct SilencePlan {
    silences: Silences,
    draft: Draft,
    preview: Preview,
}

#[async_trait]
impl Plan for SilencePlan {
    fn preview(&self) -> &Preview {
        &self.preview
    }

    async fn carry_out(&self, by: &str, _look: &Look) -> Result<Output, ToolError> {
        // A restart in between may have left one: two would be two to take back.
        if let Some((id, ends)) = self.silences.same(&self.draft.matchers).await? {
            return Err(ToolError::Arguments(format!("it is silenced already until {ends} ({id})")));
        }
        let id = self.silences.set(&self.draft, by).await?;
        Ok(Output {
            title: format!("{}, approved by {by}", self.preview.title),
            content: format!("Done: silence {id} until {}.\n{}", self.draft.ends_at, self.preview.diff),
            ..Output::default()
        })
    }
}
