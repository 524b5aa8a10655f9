//! The Prometheus API of a recorded cluster.

mod answer;
mod coverage;
mod labels;
mod parameters;
mod queries;
mod real;
mod rules;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Map, Value};
use tokio_util::sync::CancellationToken;

use super::RealPrometheus;
use crate::bundle::{Bundle, PrometheusState};
use crate::promql::Store;
use crate::promql::coverage::Coverage;
use answer::Failure;
use parameters::Parameters;
use real::Real;

/// What the handlers share.
struct Server {
    bundle: Arc<Bundle>,
    store: Store,
    coverage: Coverage,
    now: Timestamp,
    real: Option<Arc<Real>>,
    cancel: CancellationToken,
}

/// The API of `bundle`. `real` is a Prometheus that answers the queries which are not evaluated here, or all of them once
/// it is ready; what it is for ends with `cancel`.
pub(super) fn router(bundle: &Arc<Bundle>, real: Option<RealPrometheus>, cancel: &CancellationToken) -> Router {
    let store = bundle.prometheus.as_ref().map(|state| Store::new(&state.series, state.evaluation_interval_ms));
    let store = store.unwrap_or_else(|| Store::new(&[], 60_000));
    let (coverage, real) = (coverage::of(bundle), real.map(|real| Arc::new(Real::new(real))));
    let (bundle, now) = (Arc::clone(bundle), bundle.now());
    let server = Arc::new(Server { bundle, store, coverage, now, real, cancel: cancel.clone() });
    Router::new()
        .route("/-/healthy", get("Prometheus Server is Healthy.\n"))
        .route("/-/ready", get("Prometheus Server is Ready.\n"))
        .route("/api/v1/query", query("/api/v1/query", queries::instant))
        .route("/api/v1/query_range", query("/api/v1/query_range", queries::range))
        .route("/api/v1/series", endpoint(labels::series))
        .route("/api/v1/labels", endpoint(labels::names))
        .route("/api/v1/label/{name}/values", get(label_values))
        .route("/api/v1/rules", endpoint(rules::rules))
        .route("/api/v1/alerts", endpoint(rules::alerts))
        .route("/api/v1/metadata", endpoint(metadata))
        .route("/api/v1/status/buildinfo", endpoint(|server, _| Ok(server.state()?.build.clone())))
        .fallback(|| async { Failure::not_found("this part of the API is not served over a recorded incident") })
        .with_state(server)
}

type Handler = fn(&Server, &Parameters) -> Result<Value, Failure>;

/// An endpoint that takes its parameters from the query and from a form.
fn endpoint(handler: Handler) -> axum::routing::MethodRouter<Arc<Server>> {
    let run = async move |State(server): State<Arc<Server>>, RawQuery(query): RawQuery, form: String| {
        let parameters = Parameters::parse(query.as_deref().unwrap_or_default(), &form);
        respond(evaluate(&server, move |server| handler(server, &parameters)).await)
    };
    axum::routing::get(run).post(run)
}

/// An endpoint of queries.
fn query(path: &'static str, handler: Handler) -> axum::routing::MethodRouter<Arc<Server>> {
    let run = async move |State(server): State<Arc<Server>>, RawQuery(query): RawQuery, form: String| {
        let parameters = Parameters::parse(query.as_deref().unwrap_or_default(), &form);
        answered(&server, path, parameters, handler).await.unwrap_or_else(IntoResponse::into_response)
    };
    axum::routing::get(run).post(run)
}

/// The answer to a query, with what of it could not be known. Where a real Prometheus is ready and wanted first it
/// answers; else what is refused here is put to it.
async fn answered(
    server: &Arc<Server>,
    path: &'static str,
    mut parameters: Parameters,
    handler: Handler,
) -> Result<Response, Failure> {
    let state = server.state()?;
    let covered = move |server: &Server| {
        let warnings = coverage::covered(server, path, &mut parameters)?;
        Ok((parameters, warnings))
    };
    let (parameters, warnings) = evaluate(server, covered).await?;
    if let Some(real) = server.real.as_ref().filter(|real| real.is_first()) {
        if let Some(running) = real.ready() {
            match running.ask(path, parameters.all_of()).await {
                Ok((code, answer)) => return Ok(answer::real(code, answer, &warnings)),
                // It may have been killed; what is here answers in its place.
                Err(error) => tracing::warn!(%error, "Prometheus does not answer"),
            }
        } else {
            real.begin(&server.bundle, &server.cancel);
        }
    }
    let asked = parameters.clone();
    match (evaluate(server, move |server| handler(server, &asked)).await, &server.real) {
        (Ok(data), _) => Ok(answer::warned(&data, &warnings)),
        (Err(failure), Some(real)) if failure.is_refusal() => match real.ask(state, path, parameters.all_of()).await {
            Ok((code, answer)) => Ok(answer::real(code, answer, &warnings)),
            Err(error) => Err(failure.and(&error.to_string())),
        },
        (Err(failure), _) => Err(failure),
    }
}

async fn label_values(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let parameters = Parameters::parse(query.as_deref().unwrap_or_default(), "");
    respond(evaluate(&server, move |server| labels::values(server, &name, &parameters)).await)
}

/// Evaluates away from the threads that serve: a heavy query must not hold up others.
async fn evaluate<T: Send + 'static>(
    server: &Arc<Server>,
    evaluation: impl FnOnce(&Server) -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let server = Arc::clone(server);
    let evaluated = tokio::task::spawn_blocking(move || {
        server.state()?;
        evaluation(&server)
    });
    evaluated.await.unwrap_or_else(|error| Err(Failure::internal(&error.to_string())))
}

fn respond(evaluated: Result<Value, Failure>) -> Response {
    match evaluated {
        Ok(data) => answer::success(&data),
        Err(failure) => failure.into_response(),
    }
}

impl Server {
    fn state(&self) -> Result<&PrometheusState, Failure> {
        self.bundle.prometheus.as_ref().ok_or_else(|| Failure::unavailable("no Prometheus was recorded in this bundle"))
    }
}

/// `/api/v1/metadata`
fn metadata(server: &Server, parameters: &Parameters) -> Result<Value, Failure> {
    let all = server.state()?.metadata.as_object().cloned().unwrap_or_default();
    let limit = parameters.limit()?.unwrap_or(usize::MAX);
    let wanted = |name: &str| parameters.get("metric").is_none_or(|metric| metric == name);
    Ok(Value::Object(all.into_iter().filter(|(name, _)| wanted(name)).take(limit).collect::<Map<_, _>>()))
}
