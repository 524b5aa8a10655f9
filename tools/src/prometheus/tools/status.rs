//! `prometheus_status`: what is scraped and which alerts are active.

use std::collections::BTreeMap;

use async_trait::async_trait;
use marple_core::Labels;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{counted, instant};
use crate::kubernetes::Clock;
use crate::prometheus::number::Unit;
use crate::prometheus::{ActiveAlert, Prometheus, PrometheusError, Target, labels};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Lines of each kind that a model is shown.
const SHOWN: usize = 30;

/// What is scraped and which alerts are active.
pub(super) struct Status {
    prometheus: Prometheus,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    of: Of,
    /// Part of a job's, an alert's or another label's value.
    word: Option<String>,
}

#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Of {
    Targets,
    Alerts,
}

impl Status {
    pub(super) fn new(prometheus: Prometheus) -> Self {
        let description = "Scrape targets with why those down are, or the alerts that are pending or fire.";
        Self { prometheus, spec: arguments::spec::<Arguments>("prometheus_status", description, Effect::Read) }
    }

    async fn targets(&self, word: &str, look: &Look) -> Result<(String, Vec<String>), PrometheusError> {
        let targets = match self.prometheus.targets().await {
            Ok(targets) => targets,
            Err(PrometheusError::Lacks { server, .. }) => return self.by_up(&server, look).await,
            Err(error) => return Err(error),
        };
        let targets: Vec<Target> = targets.into_iter().filter(|target| has(&target.labels, word)).collect();
        Ok((summed(&targets), down(&targets, Clock::of(look))))
    }

    /// Of a server that only holds what others scrape, the metric that they write of each target.
    async fn by_up(&self, server: &str, look: &Look) -> Result<(String, Vec<String>), PrometheusError> {
        let series = self.prometheus.instant("up == 0", Some(look.now)).await?.answer.into_series();
        let head = format!("{server} doesn't tell its targets; those whose metric `up` is 0: {}\n", series.len());
        let lines = instant(&series, Unit::Plain, usize::MAX);
        Ok((head, lines.lines().map(str::to_owned).collect()))
    }

    async fn alerts(&self, word: &str, look: &Look) -> Result<(String, Vec<String>), PrometheusError> {
        let mut alerts: Vec<ActiveAlert> = self.prometheus.alerts().await?;
        alerts.retain(|alert| has(&alert.labels, word));
        alerts.sort_by(|left, right| left.state.cmp(&right.state).then(right.active_at.cmp(&left.active_at)));
        let common = labels::common(alerts.iter().map(|alert| &alert.labels));
        let clock = Clock::of(look);
        let legend = clock.legend().map(|legend| format!(" {legend}")).unwrap_or_default();
        let line = |alert: &ActiveAlert| {
            let since = alert.active_at.map(|at| format!(" since {}", clock.when(at))).unwrap_or_default();
            let value = alert.value.map(|value| format!(", value {}", Unit::Plain.told(value))).unwrap_or_default();
            format!("{}{since}{value}: {}", alert.state, labels::told(&alert.labels, &common))
        };
        let head = format!("{}{legend}, the newest first\n", counted(alerts.len(), "active alert"));
        Ok((head + &labels::common_line(&common), alerts.iter().map(line).collect()))
    }
}

#[async_trait]
impl Tool for Status {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let Arguments { of, word } = arguments::parse(&self.spec.name, arguments)?;
        let word = word.unwrap_or_default().trim().to_lowercase();
        let (what, (head, lines)) = match of {
            Of::Targets => ("scrape targets", self.targets(&word, look).await?),
            Of::Alerts => ("active alerts", self.alerts(&word, look).await?),
        };
        let with = if word.is_empty() { String::new() } else { format!(" with {word:?}") };
        let text = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let content = format!("{head}{}", text(&lines));
        let more = lines.len().saturating_sub(SHOWN);
        let view = (more > 0).then(|| {
            let shown = lines.get(..SHOWN).unwrap_or_default();
            format!("{head}{}… {more} more left out; narrow it by `word` …\n", text(shown))
        });
        Ok(Output { title: format!("{what} of Prometheus{with}"), content, view, ..Output::default() })
    }
}

/// Whether one of the labels' values holds the word.
fn has(labels: &Labels, word: &str) -> bool {
    word.is_empty() || labels.iter().any(|(_, value)| value.to_lowercase().contains(word))
}

/// How many targets of each job are up.
fn summed(targets: &[Target]) -> String {
    let mut jobs: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for target in targets {
        let (up, all) = jobs.entry(target.labels.get("job").unwrap_or("without a job")).or_default();
        *up += usize::from(target.health == "up");
        *all += 1;
    }
    let told: Vec<String> = jobs.iter().map(|(job, (up, all))| format!("{job} {up} of {all}")).collect();
    format!("{}; up: {}\n", counted(targets.len(), "target"), told.join(", "))
}

/// A line for each target that is not up.
fn down(targets: &[Target], clock: Clock) -> Vec<String> {
    let down = || targets.iter().filter(|target| target.health != "up");
    let line = |target: &Target| {
        let scraped = target.last_scrape.map(|at| format!(", last scraped {}", clock.when(at))).unwrap_or_default();
        let why = if target.last_error.is_empty() { "no reason is given" } else { target.last_error.trim() };
        let labels = labels::told(&target.labels, &Labels::new());
        format!("{}: {labels} at {}{scraped}: {why}", target.health, target.scrape_url)
    };
    down().map(line).collect()
}
