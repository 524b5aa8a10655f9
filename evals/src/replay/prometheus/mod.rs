//! The Prometheus API of a recorded cluster.

mod answer;
mod labels;
mod parameters;
mod queries;
mod real;
mod rules;
#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::bundle::{Bundle, PrometheusState};
use crate::promql::Store;
use answer::Failure;
use parameters::Parameters;
use real::Real;

/// What the handlers share.
struct Server {
    bundle: Arc<Bundle>,
    store: Store,
    now: Timestamp,
    real: Option<Real>,
}

/// The API of `bundle`. `program` is a Prometheus that answers the queries which are not evaluated here.
pub(super) fn router(bundle: &Arc<Bundle>, program: Option<PathBuf>) -> Router {
    let store = bundle.prometheus.as_ref().map(|state| Store::new(&state.series, state.evaluation_interval_ms));
    let store = store.unwrap_or_else(|| Store::new(&[], 60_000));
    let real = program.map(Real::new);
    let server = Arc::new(Server { bundle: Arc::clone(bundle), store, now: bundle.now(), real });
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
        respond(evaluate(&server, query, form, handler).await)
    };
    axum::routing::get(run).post(run)
}

/// An endpoint of queries: what is refused here is put to the real Prometheus, where there is one.
fn query(path: &'static str, handler: Handler) -> axum::routing::MethodRouter<Arc<Server>> {
    let run = async move |State(server): State<Arc<Server>>, RawQuery(query): RawQuery, form: String| {
        let evaluated = evaluate(&server, query.clone(), form.clone(), handler).await;
        match (evaluated, &server.real, &server.bundle.prometheus) {
            (Err(failure), Some(real), Some(state)) if failure.is_refusal() => {
                let mut parameters = Parameters::parse(query.as_deref().unwrap_or_default(), &form).into_all();
                if path == "/api/v1/query"
                    && !parameters.iter().any(|(name, value)| name == "time" && !value.is_empty())
                {
                    parameters.push(("time".to_owned(), server.now.to_string()));
                }
                match real.ask(state, path, &parameters).await {
                    Ok((code, answer)) => (code, axum::Json(answer)).into_response(),
                    Err(error) => failure.and(&error.to_string()).into_response(),
                }
            }
            (evaluated, _, _) => respond(evaluated),
        }
    };
    axum::routing::get(run).post(run)
}

async fn label_values(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let values = move |server: &Server, parameters: &Parameters| labels::values(server, &name, parameters);
    respond(evaluate(&server, query, String::new(), values).await)
}

/// Evaluates away from the threads that serve: a heavy query must not hold up others.
async fn evaluate(
    server: &Arc<Server>,
    query: Option<String>,
    form: String,
    handler: impl FnOnce(&Server, &Parameters) -> Result<Value, Failure> + Send + 'static,
) -> Result<Value, Failure> {
    let server = Arc::clone(server);
    let parameters = Parameters::parse(query.as_deref().unwrap_or_default(), &form);
    let evaluated = tokio::task::spawn_blocking(move || {
        server.state()?;
        handler(&server, &parameters)
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
