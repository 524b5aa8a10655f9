//! Queries.

use serde_json::{Number, Value, json};

use super::Server;
use super::answer::Failure;
use super::parameters::Parameters;
use crate::promql::{Element, Points, Result as Answer, number};

/// `/api/v1/query`: without a time, at the time of the recording.
pub(super) fn instant(server: &Server, parameters: &Parameters) -> Result<Value, Failure> {
    let at = parameters.time("time")?.unwrap_or(server.now.as_millisecond());
    let answer = server.store.instant(parameters.get("query").unwrap_or_default(), at)?;
    Ok(match answer {
        Answer::Scalar(value) => json!({ "resultType": "scalar", "result": point(at, value) }),
        Answer::Text(text) => json!({ "resultType": "string", "result": [time(at), text] }),
        Answer::Vector(elements) => {
            let of = |Element { labels, value }: &Element| json!({ "metric": &**labels, "value": point(at, *value) });
            json!({ "resultType": "vector", "result": elements.iter().map(of).collect::<Vec<_>>() })
        }
        Answer::Matrix(matrix) => json!({ "resultType": "matrix", "result": rows(&matrix) }),
    })
}

/// `/api/v1/query_range`
pub(super) fn range(server: &Server, parameters: &Parameters) -> Result<Value, Failure> {
    let (start, end) = (parameters.required_time("start")?, parameters.required_time("end")?);
    let step = parameters.duration("step")?;
    let matrix = server.store.range(parameters.get("query").unwrap_or_default(), start, end, step)?;
    Ok(json!({ "resultType": "matrix", "result": rows(&matrix) }))
}

fn rows(matrix: &[Points]) -> Vec<Value> {
    let row = |Points { labels, points }: &Points| {
        let points: Vec<Value> = points.iter().map(|(at, value)| point(*at, *value)).collect();
        json!({ "metric": &**labels, "values": points })
    };
    matrix.iter().map(row).collect()
}

fn point(at: i64, value: f64) -> Value {
    json!([time(at), number::json(value)])
}

/// A time in seconds, whole where it is.
fn time(at: i64) -> Value {
    if at % 1000 == 0 {
        return Value::from(at / 1000);
    }
    #[expect(clippy::cast_precision_loss, reason = "times of this century are exact in a float")]
    let seconds = at as f64 / 1000.0;
    Number::from_f64(seconds).map_or(Value::Null, Value::Number)
}
