//! The Loki API of a recorded cluster: the logs of its containers, by namespace, pod and container.

mod answer;
mod parse;
mod query;
mod streams;
mod token;

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::pairs::Pairs;
use crate::bundle::Bundle;
use query::Query;
use streams::{LABELS, Stream};

/// How far back is looked where nobody says, as Loki does.
const SINCE: SignedDuration = SignedDuration::from_hours(1);

/// Lines of an answer where nobody says, and at most.
const LINES: usize = 100;
const MOST_LINES: usize = 5_000;

/// Points of a series at most, and into how many a time is cut where nobody says.
const POINTS: i64 = 11_000;
const STEPS: i64 = 250;

/// The longest that one query may take: whoever asked has gone by then.
const QUERY: Duration = Duration::from_secs(30);

/// What the handlers share.
struct Server {
    bundle: Arc<Bundle>,
    /// Made of the logs when the first query comes: most replays are asked for none.
    streams: OnceLock<Vec<Stream>>,
}

impl Server {
    fn streams(&self) -> &[Stream] {
        self.streams.get_or_init(|| streams::of(&self.bundle.kubernetes.logs))
    }
}

/// A request that is not answered, in words.
#[derive(Debug)]
struct Failure(String);

impl IntoResponse for Failure {
    /// Plain text, as Loki's are.
    fn into_response(self) -> Response {
        (StatusCode::BAD_REQUEST, self.0).into_response()
    }
}

/// The API of `bundle`.
pub(super) fn router(bundle: &Arc<Bundle>) -> Router {
    let server = Arc::new(Server { bundle: Arc::clone(bundle), streams: OnceLock::new() });
    Router::new()
        .route("/ready", get("ready\n"))
        .route("/loki/api/v1/labels", get(|| async { answer::success(&json!(LABELS)) }))
        .route("/loki/api/v1/label/{name}/values", get(values))
        .route("/loki/api/v1/series", get(series))
        .route("/loki/api/v1/query", get(instant))
        .route("/loki/api/v1/query_range", get(range))
        .fallback(|| async { (StatusCode::NOT_FOUND, "this part of the API is not served over a recorded incident\n") })
        .with_state(server)
}

async fn values(State(server): State<Arc<Server>>, Path(name): Path<String>) -> Response {
    let mut values: Vec<&str> = server.streams().iter().filter_map(|stream| stream.label(&name)).collect();
    values.sort_unstable();
    values.dedup();
    answer::success(&json!(values))
}

async fn series(State(server): State<Arc<Server>>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let parameters = Parameters::parse(query.as_deref());
    let wanted: Vec<Query> = parameters.all("match[]").map(parse::query).collect::<Result<_, _>>()?;
    let fits = |stream: &&Stream| wanted.is_empty() || wanted.iter().any(|query| query.of().selects(stream));
    let found: Vec<Value> = server.streams().iter().filter(fits).map(Stream::labels).collect();
    Ok(answer::success(&json!(found)))
}

async fn range(State(server): State<Arc<Server>>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let parameters = Parameters::parse(query.as_deref());
    let asked = parse::query(parameters.get("query").unwrap_or_default())?;
    let end = parameters.time("end")?.unwrap_or(server.bundle.now());
    let start = match parameters.time("start")? {
        Some(start) => start,
        None => end.checked_sub(SINCE).map_err(|error| Failure(format!("start: {error}")))?,
    };
    if end < start {
        return Err(Failure("end timestamp must not be before or equal to start time\n".to_owned()));
    }
    match asked {
        Query::Lines(lines) => {
            let forward = parameters.get("direction") == Some("forward");
            let limit = parameters.limit()?.min(MOST_LINES);
            let found =
                move |streams: &[Stream]| Ok(answer::streams(&lines.lines(streams, start, end, forward, limit)));
            away(&server, found).await
        }
        Query::Sums(sums) => {
            let length = end.duration_since(start);
            let step =
                parameters.step()?.unwrap_or_else(|| SignedDuration::from_secs((length.as_secs() / STEPS).max(1)));
            if step <= SignedDuration::ZERO {
                return Err(Failure(
                    "zero or negative query resolution step widths are not accepted. Try a positive integer\n"
                        .to_owned(),
                ));
            }
            if length.as_nanos() / step.as_nanos() > i128::from(POINTS) {
                return Err(Failure(
                    "exceeded maximum resolution of 11,000 points per time series. Try increasing the value of the step parameter\n"
                        .to_owned(),
                ));
            }
            let until = Instant::now() + QUERY;
            away(&server, move |streams| Ok(answer::matrix(&sums.range(streams, start, end, step, until)?))).await
        }
    }
}

/// Looks away from the threads that serve: a heavy query must not hold up others.
async fn away(
    server: &Arc<Server>,
    look: impl FnOnce(&[Stream]) -> Result<Response, Failure> + Send + 'static,
) -> Result<Response, Failure> {
    let server = Arc::clone(server);
    let looked = tokio::task::spawn_blocking(move || look(server.streams())).await;
    looked.unwrap_or_else(|error| Err(Failure(format!("{error}\n"))))
}

async fn instant(State(server): State<Arc<Server>>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let parameters = Parameters::parse(query.as_deref());
    let at = parameters.time("time")?.unwrap_or(server.bundle.now());
    match parse::query(parameters.get("query").unwrap_or_default())? {
        Query::Lines(_) => Err(Failure(
            "log queries are not supported as an instant query type, please change your query to a range query type\n"
                .to_owned(),
        )),
        Query::Sums(sums) => away(&server, move |streams| Ok(answer::vector(&sums.at(streams, at), at))).await,
    }
}

/// The parameters of a request.
struct Parameters(Pairs);

impl Parameters {
    fn parse(query: Option<&str>) -> Self {
        Self(Pairs::parse(query))
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.all(name)
    }

    fn get<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.0.get(name)
    }

    /// A time: nanoseconds, seconds where it has ten digits or a fraction, or RFC 3339.
    fn time(&self, name: &str) -> Result<Option<Timestamp>, Failure> {
        let Some(text) = self.get(name) else { return Ok(None) };
        #[expect(clippy::cast_possible_truncation, reason = "nanoseconds of this century fit")]
        let fraction = || text.parse::<f64>().ok().map(|seconds| (seconds * 1e9) as i128);
        let number = match text.parse::<i128>() {
            Ok(seconds) if text.len() <= 10 => Some(seconds * 1_000_000_000),
            Ok(nanoseconds) => Some(nanoseconds),
            Err(_) => fraction(),
        };
        let time = match number {
            Some(number) => Timestamp::from_nanosecond(number).ok(),
            None => text.parse().ok(),
        };
        time.map(Some).ok_or_else(|| Failure(format!("could not parse '{name}' parameter: {text:?} is no time\n")))
    }

    /// The step, in seconds or as `1m30s`.
    fn step(&self) -> Result<Option<SignedDuration>, Failure> {
        let Some(text) = self.get("step") else { return Ok(None) };
        let step = match text.parse::<f64>() {
            Ok(seconds) => SignedDuration::try_from_secs_f64(seconds).ok(),
            Err(_) => {
                promql_parser::util::parse_duration(text).ok().and_then(|step| SignedDuration::try_from(step).ok())
            }
        };
        step.map(Some).ok_or_else(|| Failure(format!("invalid step: {text:?} is no duration\n")))
    }

    fn limit(&self) -> Result<usize, Failure> {
        self.get("limit")
            .map_or(Ok(LINES), |text| text.parse().map_err(|_| Failure(format!("invalid limit: {text:?}\n"))))
    }
}

#[cfg(test)]
mod tests;
