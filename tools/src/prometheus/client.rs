//! The client of Prometheus's HTTP API, version 1.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::Labels;
use reqwest::StatusCode;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::answer::{Frame, RawAlerts, RawAnswer, RawGroups, RawTargets};
use super::discover::Discovery;
use super::{ActiveAlert, Answer, Metadata, PrometheusError, Reach, Rule, Series, Target, Warned};
use crate::endpoint::{Endpoint, EndpointConfig, EndpointError, Reply};

/// A stretch of time, and how far apart its points are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first point.
    pub start: Timestamp,
    /// No point is later.
    pub end: Timestamp,
    /// From one point to the next.
    pub step: Duration,
}

/// A Prometheus, or what speaks its API: Thanos, Mimir, Cortex, `VictoriaMetrics`. Cheap to clone; clones share their
/// connections.
#[derive(Clone, Debug)]
pub struct Prometheus(Source);

#[derive(Clone, Debug)]
enum Source {
    Known(Endpoint),
    /// It is looked for when it is first asked.
    Discovered(Arc<Discovery>),
}

impl Prometheus {
    /// The Prometheus of a configuration. Nothing is sent yet.
    pub fn new(config: &EndpointConfig) -> Result<Self, PrometheusError> {
        Ok(Self::asking(Endpoint::new("Prometheus", "prometheus", config)?))
    }

    /// The one that is found in the cluster, when it is first asked.
    pub fn discovered(client: kube::Client, reach: Reach) -> Self {
        Self(Source::Discovered(Arc::new(Discovery::new(client, reach))))
    }

    pub(super) const fn asking(endpoint: Endpoint) -> Self {
        Self(Source::Known(endpoint))
    }

    /// What people should know of where it is; nothing where it is configured.
    pub(super) async fn note(&self) -> Result<Option<String>, PrometheusError> {
        match &self.0 {
            Source::Known(_) => Ok(None),
            Source::Discovered(discovery) => Ok(Some(discovery.found().await?.note)),
        }
    }

    async fn endpoint(&self) -> Result<Endpoint, PrometheusError> {
        match &self.0 {
            Source::Known(endpoint) => Ok(endpoint.clone()),
            Source::Discovered(discovery) => Ok(discovery.found().await?.endpoint),
        }
    }

    /// Evaluates a query at a time, or now.
    pub async fn instant(&self, query: &str, at: Option<Timestamp>) -> Result<Warned<Answer>, PrometheusError> {
        let at = at.map(seconds);
        let form: Vec<(&str, &str)> =
            [("query", query)].into_iter().chain(at.as_deref().map(|at| ("time", at))).collect();
        let Warned { answer, warnings } = self.ask::<RawAnswer>("query", &form).await?;
        Ok(Warned { answer: answer.into(), warnings })
    }

    /// Evaluates a query at each step of a window.
    pub async fn range(&self, query: &str, window: Window) -> Result<Warned<Vec<Series>>, PrometheusError> {
        let (start, end) = (seconds(window.start), seconds(window.end));
        let step = window.step.as_secs_f64().to_string();
        let form = [("query", query), ("start", &start), ("end", &end), ("step", &step)];
        let Warned { answer, warnings } = self.ask::<RawAnswer>("query_range", &form).await?;
        Ok(Warned { answer: Answer::from(answer).into_series(), warnings })
    }

    /// Every alerting and recording rule.
    pub async fn rules(&self) -> Result<Vec<Rule>, PrometheusError> {
        let groups: RawGroups = self.look("rules", &[]).await?;
        Ok(groups.groups.into_iter().flat_map(|group| group.rules).collect())
    }

    /// The rules of these names, as far as the server can choose; an older one gives all.
    pub async fn rules_named(&self, names: &[&str]) -> Result<Vec<Rule>, PrometheusError> {
        let query: Vec<(&str, &str)> = names.iter().map(|name| ("rule_name[]", *name)).collect();
        let groups: RawGroups = self.look("rules", &query).await?;
        let rules = groups.groups.into_iter().flat_map(|group| group.rules);
        Ok(rules.filter(|rule| names.contains(&rule.name.as_str())).collect())
    }

    /// The alerts that are pending or fire.
    pub async fn alerts(&self) -> Result<Vec<ActiveAlert>, PrometheusError> {
        Ok(self.look::<RawAlerts>("alerts", &[]).await?.alerts)
    }

    /// The label sets of the series that a selector finds between two times, at most `limit` of them.
    pub async fn series(
        &self,
        selector: &str,
        start: Timestamp,
        end: Timestamp,
        limit: usize,
    ) -> Result<Vec<Labels>, PrometheusError> {
        let (start, end, limit) = (seconds(start), seconds(end), limit.to_string());
        self.look("series", &[("match[]", selector), ("start", &start), ("end", &end), ("limit", &limit)]).await
    }

    /// The names of all labels.
    pub async fn labels(&self) -> Result<Vec<String>, PrometheusError> {
        self.look("labels", &[]).await
    }

    /// The values of a label; `__name__` gives the metrics' names.
    pub async fn values(&self, label: &str) -> Result<Vec<String>, PrometheusError> {
        self.look(&format!("label/{label}/values"), &[]).await
    }

    /// The values of a label among the series that a selector finds between two times.
    pub async fn values_of(
        &self,
        label: &str,
        selector: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<String>, PrometheusError> {
        let (start, end) = (seconds(start), seconds(end));
        self.look(&format!("label/{label}/values"), &[("match[]", selector), ("start", &start), ("end", &end)]).await
    }

    /// The names of the labels of the series that a selector finds between two times.
    pub async fn labels_of(
        &self,
        selector: &str,
        start: Timestamp,
        end: Timestamp,
    ) -> Result<Vec<String>, PrometheusError> {
        let (start, end) = (seconds(start), seconds(end));
        self.look("labels", &[("match[]", selector), ("start", &start), ("end", &end)]).await
    }

    /// What each metric is, by its name.
    pub async fn metadata(&self) -> Result<BTreeMap<String, Vec<Metadata>>, PrometheusError> {
        self.look("metadata", &[("limit_per_metric", "1")]).await
    }

    /// The targets that are scraped.
    pub async fn targets(&self) -> Result<Vec<Target>, PrometheusError> {
        Ok(self.look::<RawTargets>("targets", &[("state", "active")]).await?.targets)
    }

    /// The data of any answer of the API, by the path after `/api/v1/`, as `label/__name__/values`: what is recorded is kept
    /// as it was told.
    pub async fn data(&self, what: &str, parameters: &[(&str, &str)]) -> Result<Warned<Value>, PrometheusError> {
        if matches!(what, "query" | "query_range") {
            return self.ask(what, parameters).await;
        }
        self.get(what, parameters).await
    }

    async fn ask<T: DeserializeOwned>(&self, what: &str, form: &[(&str, &str)]) -> Result<Warned<T>, PrometheusError> {
        let endpoint = self.endpoint().await?;
        let reply = endpoint.ask(&path(what), form).await;
        Self::read(&endpoint, &self.heard(reply)?)
    }

    async fn look<T: DeserializeOwned>(&self, what: &str, query: &[(&str, &str)]) -> Result<T, PrometheusError> {
        Ok(self.get(what, query).await?.answer)
    }

    async fn get<T: DeserializeOwned>(&self, what: &str, query: &[(&str, &str)]) -> Result<Warned<T>, PrometheusError> {
        let endpoint = self.endpoint().await?;
        let reply = self.heard(endpoint.get(&path(what), query).await)?;
        if OPTIONAL.contains(&what) && lacks(&reply) {
            return Err(PrometheusError::Lacks { server: endpoint.peer().to_string(), what: what.to_owned() });
        }
        Self::read(&endpoint, &reply)
    }

    /// An answer; where a server that was found is away, it is looked for again next time.
    fn heard(&self, reply: Result<Reply, EndpointError>) -> Result<Reply, PrometheusError> {
        if let (Source::Discovered(discovery), Err(error)) = (&self.0, &reply)
            && error.is_away()
        {
            discovery.forget();
        }
        Ok(reply?)
    }

    fn read<T: DeserializeOwned>(endpoint: &Endpoint, reply: &Reply) -> Result<Warned<T>, PrometheusError> {
        if !reply.status().is_success() {
            let Ok(frame) = serde_json::from_slice::<Frame<IgnoredAny>>(reply.body()) else {
                return Err(reply.refused().into());
            };
            return Err(refused(endpoint, reply, frame));
        }
        match reply.json::<Frame<T>>()? {
            Frame { status, data: Some(answer), mut warnings, is_partial, .. } if status == "success" => {
                if is_partial {
                    warnings.push("the answer is partial: some storage nodes did not answer".to_owned());
                }
                Ok(Warned { answer, warnings })
            }
            frame => Err(refused(endpoint, reply, frame)),
        }
    }
}

/// Parts of the API that some servers lack: Mimir knows no targets, vmselect neither these nor rules.
const OPTIONAL: [&str; 4] = ["rules", "alerts", "targets", "metadata"];

fn lacks(reply: &Reply) -> bool {
    reply.status() == StatusCode::NOT_FOUND
        || reply.status() == StatusCode::BAD_REQUEST
            && String::from_utf8_lossy(reply.body()).contains("unsupported path")
}

/// What servers say where a query would load or return more than they allow.
const MUCH: [&str; 8] = [
    "exceeded maximum resolution",
    "too many samples",
    "too many series",
    "too many points",
    "exceeded the limit",
    "exceeded the maximum",
    "exceeds",
    "limit (",
];

/// The error of an answer that says what is wrong.
fn refused<T>(endpoint: &Endpoint, reply: &Reply, frame: Frame<T>) -> PrometheusError {
    let why = frame.error.unwrap_or_default();
    if MUCH.iter().any(|words| why.contains(words)) {
        return PrometheusError::TooMuch(reply.told(&why));
    }
    match frame.error_type.as_deref() {
        Some("bad_data" | "execution" | "422" | "400") => {
            PrometheusError::Query(why.trim_start_matches("invalid parameter \"query\": ").to_owned())
        }
        Some("timeout" | "canceled") => {
            EndpointError::Timeout { peer: endpoint.peer().clone(), after: endpoint.timeout() }.into()
        }
        _ => reply.failed(&why).into(),
    }
}

fn path(what: &str) -> String {
    format!("api/v1/{what}")
}

/// A time as Prometheus takes it: seconds since 1970 with milliseconds.
fn seconds(at: Timestamp) -> String {
    let millis = at.as_millisecond();
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}
