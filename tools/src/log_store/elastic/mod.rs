//! Elasticsearch and `OpenSearch`, over their search API, which is the same.

mod answer;
mod query;

use async_trait::async_trait;
use reqwest::StatusCode;
use serde_json::{Value, json};

use self::answer::{Answer, Refusal};
use super::config::{FieldNames, Usual};
use super::store::{OLDEST, Store};
use super::{Counts, Found, LogStoreError, Search, Wanted};
use crate::endpoint::Endpoint;

/// What Filebeat and Elastic Agent, Fluent Bit and Fluentd, and OpenTelemetry name their fields.
const USUAL: Usual = Usual {
    namespace: &[
        "kubernetes.namespace",
        "kubernetes.namespace_name",
        "k8s.namespace.name",
        "resource.attributes.k8s.namespace.name",
    ],
    pod: &["kubernetes.pod.name", "kubernetes.pod_name", "k8s.pod.name", "resource.attributes.k8s.pod.name"],
    container: &[
        "kubernetes.container.name",
        "kubernetes.container_name",
        "k8s.container.name",
        "resource.attributes.k8s.container.name",
    ],
    level: &["log.level", "level", "severity", "severity_text"],
    message: &["message", "log", "body.text", "body", "msg"],
};

/// An Elasticsearch or `OpenSearch`.
pub(super) struct Elastic {
    endpoint: Endpoint,
    path: String,
    fields: FieldNames,
    time: String,
}

impl Elastic {
    pub(super) fn new(endpoint: Endpoint, index: Option<&str>, fields: FieldNames) -> Result<Self, LogStoreError> {
        let index = index.unwrap_or("*");
        let fits = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || "*,-_.:+".contains(letter);
        if index.is_empty() || !index.chars().all(fits) {
            return Err(LogStoreError::Configuration(format!(
                "`index` is {index:?}; wanted are names of indices in small letters, as logs-* or logs-a,logs-b"
            )));
        }
        let fields = fields.or(&USUAL);
        let time = fields.time.clone().unwrap_or_default();
        Ok(Self { endpoint, path: format!("{index}/_search"), fields, time })
    }

    /// The newest lines and the counts, or the oldest lines alone.
    async fn ask(&self, query: &Value, search: &Search, newest: bool, size: usize) -> Result<Answer, LogStoreError> {
        let mut body = json!({
            "size": size,
            "track_total_hits": newest,
            "query": query,
            "sort": [{self.time.clone(): {"order": if newest { "desc" } else { "asc" }, "unmapped_type": "date"}}],
        });
        if newest && let Some(body) = body.as_object_mut() {
            let interval = format!("{}s", search.step().as_secs());
            let counted =
                json!({"date_histogram": {"field": self.time, "fixed_interval": interval, "min_doc_count": 1}});
            body.insert("aggs".to_owned(), json!({ "over_time": counted }));
        }
        self.post(&body).await
    }

    async fn post(&self, body: &Value) -> Result<Answer, LogStoreError> {
        // Indices that are closed, or gone since the pattern was written, are no fault of the search.
        let reply = self
            .endpoint
            .post_json(&self.path, &[("ignore_unavailable", "true"), ("allow_no_indices", "true")], body)
            .await?;
        if matches!(reply.status(), StatusCode::BAD_REQUEST | StatusCode::NOT_FOUND)
            && let Ok(refusal) = serde_json::from_slice::<Refusal>(reply.body())
        {
            let why = reply.told(&refusal.told());
            return Err(LogStoreError::Query(format!("{} refuses the query: {why}", self.endpoint.peer().name)));
        }
        let answer: Answer = reply.json()?;
        if answer.timed_out {
            return Err(reply.failed("it gave up in the middle of the search; ask for a shorter time").into());
        }
        Ok(answer)
    }
}

#[async_trait]
impl Store for Elastic {
    fn language(&self) -> &'static str {
        "Lucene query or query DSL"
    }

    async fn search(&self, search: &Search) -> Result<Found, LogStoreError> {
        let filter = match &search.wanted {
            Wanted::Fitting(selection) => query::of(selection, &self.fields).map_err(LogStoreError::Query)?,
            Wanted::Query(query) => vec![query::written(query).map_err(LogStoreError::Query)?],
        };
        let (from, to) = (search.from.to_string(), search.to.to_string());
        let told = Value::Array(filter.clone()).to_string();
        let time =
            json!({"range": {self.time.clone(): {"gte": from, "lte": to, "format": "strict_date_optional_time"}}});
        let query = json!({"bool": {"filter": std::iter::once(time).chain(filter).collect::<Vec<_>>()}});
        let answer = self.ask(&query, search, true, search.limit).await?;
        let newest = answer.entries(&self.fields, &self.time);
        let counts = Counts { each: answer.counts(), step: search.step() };
        let mut oldest = Vec::new();
        if counts.total() > newest.len() as u64 {
            oldest = self.ask(&query, search, false, OLDEST).await?.entries(&self.fields, &self.time);
            oldest.retain(|entry| newest.first().is_some_and(|first| entry.at < first.at));
        }
        Ok(Found { query: told, counts: Some(counts), oldest, newest, rows: Vec::new() })
    }

    async fn ready(&self) -> Result<(), LogStoreError> {
        let body = json!({"size": 0, "track_total_hits": false, "terminate_after": 1});
        self.post(&body).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests;
