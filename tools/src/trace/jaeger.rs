//! Jaeger, over the HTTP API of its query service.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::store::Store;
use super::{Hit, Search, Span, Trace, TraceStoreError, tree};
use crate::endpoint::Endpoint;
use crate::near::nearest;

/// Services that a message names.
const TOLD: usize = 40;

/// A Jaeger.
pub(super) struct Jaeger {
    endpoint: Endpoint,
}

/// What stands around each answer.
#[derive(Deserialize)]
struct Frame<T> {
    data: Option<T>,
    #[serde(default)]
    errors: Option<Vec<Fault>>,
}

#[derive(Deserialize)]
struct Fault {
    msg: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawTrace {
    #[serde(rename = "traceID")]
    id: String,
    spans: Vec<RawSpan>,
    processes: BTreeMap<String, Process>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Process {
    service_name: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSpan {
    #[serde(rename = "spanID")]
    id: String,
    operation_name: String,
    #[serde(default)]
    references: Vec<Reference>,
    /// Microseconds, both.
    start_time: i64,
    duration: u64,
    #[serde(default)]
    tags: Vec<Tag>,
    #[serde(default)]
    logs: Vec<Log>,
    #[serde(rename = "processID")]
    process: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    ref_type: String,
    #[serde(rename = "spanID")]
    span: String,
}

#[derive(Deserialize)]
struct Tag {
    key: String,
    value: Value,
}

#[derive(Deserialize)]
struct Log {
    #[serde(default)]
    fields: Vec<Tag>,
}

impl Jaeger {
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }

    async fn services(&self) -> Result<Vec<String>, TraceStoreError> {
        let services: Frame<Vec<String>> = self.endpoint.get("api/services", &[]).await?.json()?;
        Ok(services.data.unwrap_or_default())
    }

    /// Jaeger searches by service alone: without one, or with one that it doesn't know, which there are.
    async fn no_service(&self, wanted: Option<&str>) -> Result<TraceStoreError, TraceStoreError> {
        let services = self.services().await?;
        let near = wanted.map(|wanted| nearest(wanted, services.iter().map(String::as_str), 5)).unwrap_or_default();
        let told = if near.is_empty() { services.iter().map(String::as_str).take(TOLD).collect() } else { near };
        let what = match wanted {
            Some(wanted) => format!("Jaeger has no traces of a service {wanted:?}"),
            None => "Jaeger searches by `service`".to_owned(),
        };
        Ok(TraceStoreError::Question(format!("{what}; it has {} services, as {}", services.len(), told.join(", "))))
    }
}

#[async_trait]
impl Store for Jaeger {
    async fn search(&self, search: &Search) -> Result<Vec<Hit>, TraceStoreError> {
        let Some(service) = &search.service else { return Err(self.no_service(None).await?) };
        let (from, to) = (search.from.as_microsecond().to_string(), search.to.as_microsecond().to_string());
        let limit = search.limit.to_string();
        let mut parameters = vec![("service", service.as_str()), ("start", &from), ("end", &to), ("limit", &limit)];
        parameters.extend(search.operation.as_deref().map(|operation| ("operation", operation)));
        parameters.extend(search.failed.then_some(("tags", "{\"error\":\"true\"}")));
        let least = search.slower_than.map(|least| format!("{}us", least.as_micros()));
        parameters.extend(least.as_deref().map(|least| ("minDuration", least)));
        let reply = self.endpoint.get("api/traces", &parameters).await?;
        if reply.status() == StatusCode::BAD_REQUEST {
            let frame: Frame<Value> = serde_json::from_slice(reply.body()).map_err(|_| reply.refused())?;
            return Err(TraceStoreError::Question(format!(
                "Jaeger refuses the search: {}",
                reply.told(&told(frame.errors))
            )));
        }
        let frame: Frame<Vec<RawTrace>> = reply.json()?;
        let hits: Vec<Hit> = frame.data.unwrap_or_default().into_iter().map(read).filter_map(hit).collect();
        if hits.is_empty() && !self.services().await?.contains(service) {
            return Err(self.no_service(Some(service)).await?);
        }
        Ok(hits)
    }

    async fn trace(&self, id: &str) -> Result<Trace, TraceStoreError> {
        let reply = self.endpoint.get(&format!("api/traces/{id}"), &[]).await?;
        let missing = || {
            TraceStoreError::NotFound(format!(
                "Jaeger has no trace {id}; it may be older than what is kept, or was not sampled"
            ))
        };
        if reply.status() == StatusCode::NOT_FOUND {
            return Err(missing());
        }
        let frame: Frame<Vec<RawTrace>> = reply.json()?;
        frame.data.unwrap_or_default().into_iter().next().map(read).ok_or_else(missing)
    }

    async fn ready(&self) -> Result<(), TraceStoreError> {
        self.services().await.map(|_| ())
    }
}

fn told(errors: Option<Vec<Fault>>) -> String {
    errors.unwrap_or_default().into_iter().map(|fault| fault.msg).collect::<Vec<_>>().join("; ")
}

fn hit(trace: Trace) -> Option<Hit> {
    let root = tree::root(&trace)?;
    let (start, end) = tree::extent(&trace)?;
    let duration = Duration::try_from(end.duration_since(start)).unwrap_or_default();
    let root = format!("{} {}", root.service, root.name);
    Some(Hit { id: trace.id.clone(), root, start, duration, trace: Some(trace) })
}

fn read(raw: RawTrace) -> Trace {
    let RawTrace { id, spans, processes } = raw;
    let span = |span: RawSpan| {
        let service = processes.get(&span.process).map_or("?", |process| process.service_name.as_str());
        let parent = span.references.iter().find(|reference| reference.ref_type == "CHILD_OF");
        let parent = parent.or(span.references.first()).map(|reference| reference.span.clone());
        Some(Span {
            failure: failure(&span),
            id: span.id,
            parent,
            service: service.to_owned(),
            name: span.operation_name,
            start: Timestamp::from_microsecond(span.start_time).ok()?,
            duration: Duration::from_micros(span.duration),
        })
    };
    Trace { id, spans: spans.into_iter().filter_map(span).collect() }
}

/// Why a span failed: what it says of its status, what was thrown, or the code of its answer.
fn failure(span: &RawSpan) -> Option<String> {
    let tag = |key: &str| span.tags.iter().find(|tag| tag.key == key).map(|tag| &tag.value);
    let is = |value: &Value| value == &Value::Bool(true) || value == "true" || value == "ERROR";
    if !tag("error").is_some_and(is) && !tag("otel.status_code").is_some_and(is) {
        return None;
    }
    let logged = |keys: &[&str]| {
        let mut fields = span.logs.iter().flat_map(|log| &log.fields);
        fields.find(|field| keys.contains(&field.key.as_str())).map(|field| &field.value)
    };
    let words = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let described =
        tag("otel.status_description").or_else(|| logged(&["exception.message", "error.object", "message"]));
    let coded =
        || tag("http.response.status_code").or_else(|| tag("http.status_code")).map(|code| format!("status {code}"));
    Some(described.map(words).or_else(coded).unwrap_or_default())
}
