//! `VictoriaLogs`.

mod query;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::config::{FieldNames, Usual};
use super::store::{OLDEST, Store};
use super::{Counts, Entry, Found, LogStoreError, Search, Wanted, quote};
use crate::endpoint::{Endpoint, Reply};

/// What Vector and vlagent, Fluent Bit and promtail, and OpenTelemetry name their fields.
const USUAL: Usual = Usual {
    namespace: &["kubernetes.pod_namespace", "kubernetes.namespace_name", "k8s.namespace.name", "namespace"],
    pod: &["kubernetes.pod_name", "k8s.pod.name", "pod"],
    container: &["kubernetes.container_name", "k8s.container.name", "container"],
    level: &["level", "severity"],
    message: &["_msg"],
};

/// A `VictoriaLogs`.
pub(super) struct Victoria {
    endpoint: Endpoint,
    fields: FieldNames,
}

/// How many lines there are in each stretch of time.
#[derive(Deserialize)]
struct Hits {
    hits: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    timestamps: Vec<Timestamp>,
    values: Vec<u64>,
}

impl Victoria {
    pub(super) fn new(endpoint: Endpoint, fields: FieldNames) -> Self {
        Self { endpoint, fields: fields.or(&USUAL) }
    }

    async fn ask(&self, what: &str, form: &[(&str, &str)]) -> Result<Reply, LogStoreError> {
        let reply = self.endpoint.post_form(&format!("select/logsql/{what}"), form).await?;
        match reply.status() {
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => {
                let why = reply.told(&String::from_utf8_lossy(reply.body()));
                Err(LogStoreError::Query(format!("VictoriaLogs refuses the query: {why}")))
            }
            status if status.is_success() => Ok(reply),
            _ => Err(reply.refused().into()),
        }
    }

    async fn lines(&self, query: &str, search: &Search) -> Result<Vec<Map<String, Value>>, LogStoreError> {
        let (from, to) = (search.from.to_string(), search.to.to_string());
        let reply = self.ask("query", &[("query", query), ("start", &from), ("end", &to)]).await?;
        let lines = reply.body().split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
        lines
            .map(|line| serde_json::from_slice(line).map_err(|error| reply.strange(&error.to_string()).into()))
            .collect()
    }

    /// Lines of one end of the time, in the order of time.
    async fn entries(
        &self,
        query: &str,
        search: &Search,
        newest: bool,
        limit: usize,
    ) -> Result<Vec<Entry>, LogStoreError> {
        let order = if newest { " desc" } else { "" };
        let rows = self.lines(&format!("{query} | sort by (_time){order} limit {limit}"), search).await?;
        let mut entries: Vec<Entry> = rows.iter().filter_map(|row| self.entry(row)).collect();
        entries.sort_by_key(|entry| entry.at);
        Ok(entries)
    }

    fn entry(&self, row: &Map<String, Value>) -> Option<Entry> {
        let first =
            |names: &[String]| names.iter().find_map(|name| row.get(name)?.as_str()).filter(|text| !text.is_empty());
        let at = row.get("_time")?.as_str()?.parse().ok()?;
        let source = match (first(&self.fields.pod), first(&self.fields.container)) {
            (Some(pod), Some(container)) => format!("{pod}/{container}"),
            (Some(pod), None) => pod.to_owned(),
            (None, _) => row.get("_stream").and_then(Value::as_str).unwrap_or_default().to_owned(),
        };
        let line = first(&self.fields.message).map_or_else(|| Value::Object(row.clone()).to_string(), str::to_owned);
        Some(Entry { at, source, line })
    }

    async fn counts(&self, query: &str, search: &Search) -> Result<Counts, LogStoreError> {
        let step = search.step();
        let (from, to, seconds) = (search.from.to_string(), search.to.to_string(), format!("{}s", step.as_secs()));
        let reply = self.ask("hits", &[("query", query), ("start", &from), ("end", &to), ("step", &seconds)]).await?;
        let hits: Hits = reply.json()?;
        let groups = hits.hits.into_iter().flat_map(|group| group.timestamps.into_iter().zip(group.values));
        let mut each: Vec<(Timestamp, u64)> = groups.filter(|(_, count)| *count > 0).collect();
        each.sort_unstable();
        Ok(Counts { each, step })
    }
}

#[async_trait]
impl Store for Victoria {
    fn language(&self) -> &'static str {
        "LogsQL"
    }

    async fn search(&self, search: &Search) -> Result<Found, LogStoreError> {
        let query = match &search.wanted {
            Wanted::Fitting(selection) => query::of(selection, &self.fields),
            Wanted::Query(query) => query.trim().to_owned(),
        };
        // What a pipe makes of lines may be anything: it is shown as it comes.
        if matches!(search.wanted, Wanted::Query(_)) && quote::unquoted(&query).contains('|') {
            let rows = self.lines(&query, search).await?.into_iter().take(search.limit);
            let rows = rows.map(|row| Value::Object(row).to_string()).collect();
            return Ok(Found { query, counts: None, oldest: Vec::new(), newest: Vec::new(), rows });
        }
        let counts = self.counts(&query, search).await?;
        let newest = match counts.total() {
            0 => Vec::new(),
            _ => self.entries(&query, search, true, search.limit).await?,
        };
        let more = counts.total() > newest.len() as u64;
        let mut oldest = if more { self.entries(&query, search, false, OLDEST).await? } else { Vec::new() };
        oldest.retain(|entry| newest.first().is_some_and(|first| entry.at < first.at));
        Ok(Found { query, counts: Some(counts), oldest, newest, rows: Vec::new() })
    }

    async fn ready(&self) -> Result<(), LogStoreError> {
        self.ask("query", &[("query", "_time:1m | limit 1")]).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
