//! Answers in Loki's form.

use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::query::{Lines, Series};

/// An answer.
pub(super) fn success(data: &Value) -> Response {
    axum::Json(json!({ "status": "success", "data": data })).into_response()
}

/// Lines of streams.
pub(super) fn streams(found: &[Lines<'_>]) -> Response {
    let stream = |Lines { stream, lines }: &Lines<'_>| {
        let values: Vec<Value> =
            lines.iter().map(|line| json!([line.at.as_nanosecond().to_string(), line.text])).collect();
        json!({ "stream": stream.labels(), "values": values })
    };
    result("streams", &found.iter().map(stream).collect::<Vec<_>>())
}

/// Sums over a time.
pub(super) fn matrix(found: &[Series]) -> Response {
    let series = |Series { labels, points }: &Series| {
        let values: Vec<Value> = points.iter().map(|(at, value)| point(*at, *value)).collect();
        json!({ "metric": labels, "values": values })
    };
    result("matrix", &found.iter().map(series).collect::<Vec<_>>())
}

/// Sums at a time.
pub(super) fn vector(found: &[Series], at: Timestamp) -> Response {
    let sample = |Series { labels, points }: &Series| {
        let value = points.first().map_or(0.0, |(_, value)| *value);
        json!({ "metric": labels, "value": point(at, value) })
    };
    result("vector", &found.iter().map(sample).collect::<Vec<_>>())
}

fn result(kind: &str, result: &[Value]) -> Response {
    success(&json!({ "resultType": kind, "result": result, "stats": {} }))
}

fn point(at: Timestamp, value: f64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this century are exact in a float")]
    let seconds = at.as_millisecond() as f64 / 1000.0;
    json!([seconds, value.to_string()])
}
