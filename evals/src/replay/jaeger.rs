//! The API of a Jaeger query service over the recorded traces.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::pairs::Pairs;
use crate::bundle::{Bundle, RecordedSpan, RecordedTrace};

/// Traces of an answer where nobody says, as Jaeger does.
const LIMIT: usize = 20;

type Answer = Result<Value, (StatusCode, String)>;

/// The API of `bundle`.
pub(super) fn router(bundle: &Arc<Bundle>) -> Router {
    Router::new()
        .route("/api/services", get(services))
        .route("/api/services/{service}/operations", get(operations))
        .route("/api/traces", get(search))
        .route("/api/traces/{id}", get(trace))
        .fallback(|| async {
            refused(StatusCode::NOT_FOUND, "this part of the API is not served over a recorded incident")
        })
        .with_state(Arc::clone(bundle))
}

async fn services(State(bundle): State<Arc<Bundle>>) -> Response {
    let spans = bundle.traces.iter().flat_map(|trace| &trace.spans);
    listed(&spans.map(|span| span.service.as_str()).collect())
}

async fn operations(State(bundle): State<Arc<Bundle>>, Path(service): Path<String>) -> Response {
    let spans = bundle.traces.iter().flat_map(|trace| &trace.spans);
    listed(&spans.filter(|span| span.service == service).map(|span| span.name.as_str()).collect())
}

async fn trace(State(bundle): State<Arc<Bundle>>, Path(id): Path<String>) -> Response {
    // Its leading zeros may be left out.
    let plain = |id: &str| id.trim_start_matches('0').to_lowercase();
    match bundle.traces.iter().find(|trace| plain(&trace.id) == plain(&id)) {
        Some(found) => axum::Json(json!({ "data": [shown(found)] })).into_response(),
        None => refused(StatusCode::NOT_FOUND, "trace not found"),
    }
}

async fn search(State(bundle): State<Arc<Bundle>>, RawQuery(query): RawQuery) -> Response {
    match found(&bundle, &Pairs::parse([query.as_deref().unwrap_or_default()])) {
        Ok(data) => axum::Json(json!({ "data": data })).into_response(),
        Err((code, why)) => refused(code, &why),
    }
}

/// The newest traces that are meant, one span of which fulfils all that is asked.
fn found(bundle: &Bundle, parameters: &Pairs) -> Answer {
    let bad = |why: &str| (StatusCode::BAD_REQUEST, why.to_owned());
    let service = parameters.get("service").ok_or_else(|| bad("parameter 'service' is required"))?;
    let time = |name: &str| {
        let parse = |text: &str| text.parse().ok().and_then(|us| Timestamp::from_microsecond(us).ok());
        let wrong = || bad(&format!("parameter '{name}' is no time in microseconds since 1970"));
        parameters.get(name).map(|text| parse(text).ok_or_else(wrong)).transpose()
    };
    let (start, end) = (time("start")?, time("end")?);
    let length = |name: &str| {
        let wrong = || bad(&format!("parameter '{name}' is no length of time, as 1.2s or 500ms"));
        parameters.get(name).map(|text| duration(text).ok_or_else(wrong)).transpose()
    };
    let (least, most) = (length("minDuration")?, length("maxDuration")?);
    let tags: BTreeMap<String, String> = parameters
        .get("tags")
        .map(|text| serde_json::from_str(text).map_err(|error| bad(&format!("malformed 'tags' parameter: {error}"))))
        .transpose()?
        .unwrap_or_default();
    if let Some(other) = tags.keys().find(|key| *key != "error") {
        return Err(bad(&format!("the tag {other:?} was not recorded: only `error` was")));
    }
    let limit = parameters.get("limit").map(|text| text.parse().map_err(|_| bad("unable to parse 'limit'")));
    let limit = limit.transpose()?.unwrap_or(LIMIT);
    let meant = |span: &RecordedSpan| {
        let took = Duration::from_micros(span.duration_us);
        span.service == service
            && parameters.get("operation").is_none_or(|name| name == span.name)
            && start.is_none_or(|start| span.start >= start)
            && end.is_none_or(|end| span.start <= end)
            && least.is_none_or(|least| took >= least)
            && most.is_none_or(|most| took <= most)
            && tags.get("error").is_none_or(|failed| (failed == "true") == span.failure.is_some())
    };
    let mut traces: Vec<&RecordedTrace> = bundle.traces.iter().filter(|trace| trace.spans.iter().any(meant)).collect();
    traces.sort_by_key(|trace| std::cmp::Reverse(trace.start()));
    Ok(traces.into_iter().take(limit).map(shown).collect())
}

/// A trace in Jaeger's JSON, with a process a service.
fn shown(trace: &RecordedTrace) -> Value {
    let services: BTreeSet<&str> = trace.spans.iter().map(|span| span.service.as_str()).collect();
    let process = |service: &str| format!("p{}", services.iter().take_while(|one| **one < service).count() + 1);
    let processes: serde_json::Map<String, Value> =
        services.iter().map(|service| (process(service), json!({ "serviceName": service, "tags": [] }))).collect();
    let span = |span: &RecordedSpan| {
        let references: Vec<Value> = span
            .parent
            .iter()
            .map(|parent| json!({ "refType": "CHILD_OF", "traceID": trace.id, "spanID": parent }))
            .collect();
        let tag = |key: &str, kind: &str, value: Value| json!({ "key": key, "type": kind, "value": value });
        let mut tags = Vec::new();
        if let Some(why) = &span.failure {
            tags.push(tag("error", "bool", true.into()));
            tags.extend((!why.is_empty()).then(|| tag("otel.status_description", "string", why.as_str().into())));
        }
        json!({
            "traceID": trace.id, "spanID": span.id, "operationName": span.name, "references": references,
            "startTime": span.start.as_microsecond(), "duration": span.duration_us, "tags": tags, "logs": [],
            "processID": process(&span.service), "warnings": null,
        })
    };
    json!({
        "traceID": trace.id, "spans": trace.spans.iter().map(span).collect::<Vec<_>>(),
        "processes": processes, "warnings": null,
    })
}

fn listed(names: &BTreeSet<&str>) -> Response {
    axum::Json(json!({ "data": names, "total": names.len(), "errors": null })).into_response()
}

fn refused(code: StatusCode, why: &str) -> Response {
    let errors = json!([{ "code": code.as_u16(), "msg": why }]);
    (code, axum::Json(json!({ "data": null, "errors": errors }))).into_response()
}

/// A length of time in Go's form with one unit, as `1.2s`.
fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (number, unit) = text.split_at(at);
    let seconds = match unit {
        "us" | "µs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3_600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()
}
