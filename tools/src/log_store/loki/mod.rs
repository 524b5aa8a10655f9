//! Grafana Loki, over version 1 of its HTTP API.

mod answer;
mod query;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde::de::DeserializeOwned;

use self::answer::{Data, Frame};
use self::query::Labels;
use super::config::{FieldNames, Usual};
use super::store::{OLDEST, Store};
use super::{Counts, Entry, Found, LogStoreError, Search, Wanted};
use crate::endpoint::{Endpoint, Reply};

/// What promtail, Alloy and Fluent Bit, OpenTelemetry, and older charts name their labels.
const USUAL: Usual = Usual {
    namespace: &["namespace", "k8s_namespace_name", "kubernetes_namespace_name", "namespace_name"],
    pod: &["pod", "k8s_pod_name", "kubernetes_pod_name", "pod_name"],
    container: &["container", "k8s_container_name", "kubernetes_container_name", "container_name"],
    level: &[],
    message: &[],
};

/// A Loki.
pub(super) struct Loki {
    endpoint: Endpoint,
    fields: FieldNames,
}

impl Loki {
    pub(super) fn new(endpoint: Endpoint, fields: FieldNames) -> Self {
        Self { endpoint, fields: fields.or(&USUAL) }
    }

    /// The query, with the labels that this Loki has.
    async fn query(&self, search: &Search) -> Result<String, LogStoreError> {
        let selection = match &search.wanted {
            Wanted::Query(query) => return Ok(query.trim().to_owned()),
            Wanted::Fitting(selection) => selection,
        };
        let (from, to) = (nanoseconds(search.from), nanoseconds(search.to));
        let reply = self.endpoint.get("loki/api/v1/labels", &[("start", &from), ("end", &to)]).await?;
        let there: Option<Vec<String>> = read(&reply)?;
        let labels = Labels::new(&self.fields, there.unwrap_or_default());
        query::of(selection, &labels).map_err(LogStoreError::Query)
    }

    async fn range(&self, parameters: &[(&str, &str)]) -> Result<Data, LogStoreError> {
        let reply = self.endpoint.get("loki/api/v1/query_range", parameters).await?;
        read(&reply)
    }

    /// Lines of one end of the time, in the order of time.
    async fn lines(&self, query: &str, search: &Search, backward: bool, limit: usize) -> Result<Data, LogStoreError> {
        let (from, to) = (nanoseconds(search.from), nanoseconds(search.to));
        let direction = if backward { "backward" } else { "forward" };
        let limit = limit.to_string();
        self.range(&[("query", query), ("start", &from), ("end", &to), ("limit", &limit), ("direction", direction)])
            .await
    }

    async fn counts(&self, query: &str, search: &Search) -> Result<Counts, LogStoreError> {
        let step = search.step();
        let seconds = format!("{}s", step.as_secs());
        let counting = format!("sum(count_over_time({query} [{seconds}]))");
        // A point counts what lies before it.
        let first = search.from + step;
        let (from, to) = (nanoseconds(first), nanoseconds(search.to + step));
        let data = self.range(&[("query", &counting), ("start", &from), ("end", &to), ("step", &seconds)]).await?;
        let points = data.points().into_iter().filter(|(_, count)| *count > 0);
        let each = points.filter_map(|(at, count)| Some((at.checked_sub(step).ok()?, count))).collect();
        Ok(Counts { each, step })
    }
}

#[async_trait]
impl Store for Loki {
    fn language(&self) -> &'static str {
        "LogQL"
    }

    async fn search(&self, search: &Search) -> Result<Found, LogStoreError> {
        let query = self.query(search).await?;
        let newest = self.lines(&query, search, true, search.limit).await?;
        if let Some(rows) = newest.rows() {
            return Ok(Found { query, counts: None, oldest: Vec::new(), newest: Vec::new(), rows });
        }
        let newest = newest.entries(&self.fields);
        if newest.is_empty() {
            let counts = Some(Counts { each: Vec::new(), step: search.step() });
            return Ok(Found { query, counts, oldest: Vec::new(), newest, rows: Vec::new() });
        }
        let counts = self.counts(&query, search).await?;
        let more = newest.len() >= search.limit && counts.total() > newest.len() as u64;
        let mut oldest =
            if more { self.lines(&query, search, false, OLDEST).await?.entries(&self.fields) } else { Vec::new() };
        oldest.retain(|entry| newest.first().is_some_and(|first| entry.at < first.at));
        Ok(Found { query, counts: Some(counts), oldest, newest, rows: Vec::new() })
    }

    async fn ready(&self) -> Result<(), LogStoreError> {
        let there: Result<Option<Vec<String>>, _> = read(&self.endpoint.get("loki/api/v1/labels", &[]).await?);
        there.map(|_| ())
    }
}

/// What an answer holds. What Loki says of a query that it can't or won't answer comes as plain text, or as JSON.
fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, LogStoreError> {
    if matches!(reply.status(), StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY) {
        let text = String::from_utf8_lossy(reply.body());
        let why =
            serde_json::from_str::<answer::Refusal>(&text).map_or_else(|_| text.into_owned(), |said| said.message);
        return Err(LogStoreError::Query(format!("Loki refuses the query: {}", reply.told(&why))));
    }
    Ok(reply.json::<Frame<T>>()?.data)
}

/// A time as Loki takes it: nanoseconds since 1970.
fn nanoseconds(at: Timestamp) -> String {
    at.as_nanosecond().to_string()
}

/// Whose line it is, from labels.
fn source(fields: &FieldNames, labels: &std::collections::BTreeMap<String, String>) -> String {
    let first = |names: &[String]| names.iter().find_map(|name| labels.get(name)).filter(|value| !value.is_empty());
    match (first(&fields.pod), first(&fields.container)) {
        (Some(pod), Some(container)) => format!("{pod}/{container}"),
        (Some(pod), None) => pod.clone(),
        (None, _) => labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(","),
    }
}

#[cfg(test)]
mod tests;
