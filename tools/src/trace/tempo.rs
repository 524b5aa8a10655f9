//! Grafana Tempo, over its HTTP API and `TraceQL`.

use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::store::Store;
use super::{Hit, Search, Span, Trace, TraceStoreError};
use crate::endpoint::{Endpoint, Reply};
use crate::log_store::quoted;

/// A Tempo.
pub(super) struct Tempo {
    endpoint: Endpoint,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Found {
    #[serde(default)]
    traces: Vec<Summary>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Summary {
    #[serde(rename = "traceID")]
    trace_id: String,
    #[serde(default)]
    root_service_name: String,
    #[serde(default)]
    root_trace_name: String,
    start_time_unix_nano: String,
    /// Left out below a millisecond.
    #[serde(default)]
    duration_ms: u64,
}

/// A trace in OpenTelemetry's JSON, as the versions of the API wrap it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Whole {
    #[serde(default, alias = "resourceSpans")]
    batches: Vec<Batch>,
    trace: Option<Box<Whole>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Batch {
    #[serde(default)]
    resource: Resource,
    #[serde(default, alias = "instrumentationLibrarySpans")]
    scope_spans: Vec<Scope>,
}

#[derive(Default, Deserialize)]
struct Resource {
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
struct Scope {
    #[serde(default)]
    spans: Vec<RawSpan>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawSpan {
    span_id: String,
    #[serde(default)]
    parent_span_id: String,
    #[serde(default)]
    name: String,
    start_time_unix_nano: Nanoseconds,
    end_time_unix_nano: Nanoseconds,
    #[serde(default)]
    attributes: Vec<Attribute>,
    #[serde(default)]
    status: Status,
    #[serde(default)]
    events: Vec<Event>,
}

/// OpenTelemetry writes it as text; some write a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Nanoseconds {
    Text(String),
    Number(u64),
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    code: Code,
    #[serde(default)]
    message: String,
}

/// By its name, or by its number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Name(String),
    Number(u8),
}

impl Default for Code {
    fn default() -> Self {
        Self::Number(0)
    }
}

#[derive(Deserialize)]
struct Event {
    #[serde(default)]
    attributes: Vec<Attribute>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Attribute {
    key: String,
    #[serde(default)]
    value: AttributeValue,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AttributeValue {
    string_value: Option<String>,
    int_value: Option<serde_json::Value>,
}

impl Tempo {
    pub(super) const fn new(endpoint: Endpoint) -> Self {
        Self { endpoint }
    }
}

#[async_trait]
impl Store for Tempo {
    async fn search(&self, search: &Search) -> Result<Vec<Hit>, TraceStoreError> {
        let (from, to) = (search.from.as_second().to_string(), (search.to.as_second() + 1).to_string());
        let (query, limit) = (query(search), search.limit.to_string());
        let parameters = [("q", query.as_str()), ("start", &from), ("end", &to), ("limit", &limit)];
        let found: Found = read(&self.endpoint.get("api/search", &parameters).await?)?;
        let hit = |summary: Summary| {
            let start = Timestamp::from_nanosecond(summary.start_time_unix_nano.parse().ok()?).ok()?;
            let root = format!("{} {}", summary.root_service_name, summary.root_trace_name).trim().to_owned();
            let duration = Duration::from_millis(summary.duration_ms);
            Some(Hit { id: summary.trace_id, root, start, duration, trace: None })
        };
        Ok(found.traces.into_iter().filter_map(hit).collect())
    }

    async fn trace(&self, id: &str) -> Result<Trace, TraceStoreError> {
        let reply = self.endpoint.get(&format!("api/traces/{id}"), &[]).await?;
        if reply.status() == StatusCode::NOT_FOUND {
            return Err(TraceStoreError::NotFound(format!(
                "Tempo has no trace {id}; it may be older than what is kept, or was not sampled"
            )));
        }
        let whole: Whole = read(&reply)?;
        let whole = whole.trace.map_or(whole.batches, |inner| inner.batches);
        let mut spans = Vec::new();
        for batch in whole {
            let service = text(&batch.resource.attributes, "service.name").unwrap_or("?").to_owned();
            let raw = batch.scope_spans.into_iter().flat_map(|scope| scope.spans);
            spans.extend(raw.filter_map(|span| read_span(span, &service)));
        }
        Ok(Trace { id: id.to_owned(), spans })
    }

    async fn ready(&self) -> Result<(), TraceStoreError> {
        let reply = self.endpoint.get("api/echo", &[]).await?;
        if reply.status().is_success() { Ok(()) } else { Err(reply.refused().into()) }
    }
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, TraceStoreError> {
    if reply.status() == StatusCode::BAD_REQUEST {
        let why = reply.told(&String::from_utf8_lossy(reply.body()));
        return Err(TraceStoreError::Question(format!("Tempo refuses the search: {why}")));
    }
    Ok(reply.json()?)
}

fn read_span(span: RawSpan, service: &str) -> Option<Span> {
    let (start, end) = (span.start_time_unix_nano.read()?, span.end_time_unix_nano.read()?);
    let failed = match &span.status.code {
        Code::Name(name) => name == "STATUS_CODE_ERROR",
        Code::Number(number) => *number == 2,
    };
    let message = || {
        let thrown = span.events.iter().find_map(|event| text(&event.attributes, "exception.message"));
        let code = || span.attributes.iter().find(|attribute| attribute.key.ends_with("status_code"));
        let told = (!span.status.message.is_empty()).then_some(span.status.message.as_str()).or(thrown);
        told.map(str::to_owned).or_else(|| Some(format!("status {}", code()?.value.int_value.as_ref()?)))
    };
    Some(Span {
        failure: failed.then(|| message().unwrap_or_default()),
        parent: (!span.parent_span_id.is_empty()).then_some(span.parent_span_id),
        id: span.span_id,
        service: service.to_owned(),
        name: span.name,
        start: Timestamp::from_nanosecond(i128::from(start)).ok()?,
        duration: Duration::from_nanos(end.saturating_sub(start)),
    })
}

impl Nanoseconds {
    fn read(&self) -> Option<u64> {
        match self {
            Self::Text(text) => text.parse().ok(),
            Self::Number(number) => Some(*number),
        }
    }
}

fn text<'a>(attributes: &'a [Attribute], key: &str) -> Option<&'a str> {
    attributes.iter().find(|attribute| attribute.key == key)?.value.string_value.as_deref()
}

/// The search as `TraceQL`.
fn query(search: &Search) -> String {
    let mut conditions = Vec::new();
    conditions.extend(search.service.as_ref().map(|service| format!("resource.service.name = {}", quoted(service))));
    conditions.extend(search.operation.as_ref().map(|operation| format!("name = {}", quoted(operation))));
    conditions.extend(search.failed.then(|| "status = error".to_owned()));
    conditions.extend(search.slower_than.map(|least| format!("duration > {}us", least.as_micros())));
    if conditions.is_empty() { "{}".to_owned() } else { format!("{{ {} }}", conditions.join(" && ")) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn search(service: Option<&str>) -> Search {
        let (from, to) = (Timestamp::UNIX_EPOCH, Timestamp::UNIX_EPOCH);
        Search {
            service: service.map(str::to_owned),
            operation: None,
            failed: false,
            slower_than: None,
            from,
            to,
            limit: 1,
        }
    }

    #[test]
    fn a_search_is_written_in_traceql() {
        assert_eq!(query(&search(None)), "{}");
        let all = Search {
            operation: Some("GET /".to_owned()),
            failed: true,
            slower_than: Some(Duration::from_millis(500)),
            ..search(Some("cart"))
        };
        assert_eq!(
            query(&all),
            "{ resource.service.name = \"cart\" && name = \"GET /\" && status = error && duration > 500000us }"
        );
    }

    proptest! {
        #[test]
        fn no_name_of_a_service_becomes_syntax(service: String) {
            let query = query(&search(Some(&service)));
            let rest = query.strip_prefix("{ resource.service.name = ").unwrap();
            prop_assert_eq!(crate::log_store::go_unquoted(rest), Some((service, " }")));
        }
    }
}
