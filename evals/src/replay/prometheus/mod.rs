//! The Prometheus API of a recorded cluster.

mod answer;
mod labels;
mod parameters;
mod queries;
mod rules;

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

/// What the handlers share.
struct Server {
    bundle: Arc<Bundle>,
    store: Store,
    now: Timestamp,
}

/// The API of `bundle`.
pub(super) fn router(bundle: &Arc<Bundle>) -> Router {
    let store = bundle.prometheus.as_ref().map(|state| Store::new(&state.series, state.evaluation_interval_ms));
    let store = store.unwrap_or_else(|| Store::new(&[], 60_000));
    let server = Arc::new(Server { bundle: Arc::clone(bundle), store, now: bundle.now() });
    Router::new()
        .route("/-/healthy", get("Prometheus Server is Healthy.\n"))
        .route("/-/ready", get("Prometheus Server is Ready.\n"))
        .route("/api/v1/query", endpoint(queries::instant))
        .route("/api/v1/query_range", endpoint(queries::range))
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
    let run = move |State(server): State<Arc<Server>>, RawQuery(query): RawQuery, form: String| {
        respond(server, query, form, handler)
    };
    axum::routing::get(run).post(run)
}

async fn label_values(
    State(server): State<Arc<Server>>,
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    respond(server, query, String::new(), move |server, parameters| labels::values(server, &name, parameters)).await
}

/// Evaluates away from the threads that serve: a heavy query must not hold up others.
async fn respond(
    server: Arc<Server>,
    query: Option<String>,
    form: String,
    handler: impl FnOnce(&Server, &Parameters) -> Result<Value, Failure> + Send + 'static,
) -> Response {
    let parameters = Parameters::parse(query.as_deref().unwrap_or_default(), &form);
    let evaluated = tokio::task::spawn_blocking(move || {
        server.state()?;
        handler(&server, &parameters)
    });
    match evaluated.await {
        Ok(Ok(data)) => answer::success(&data),
        Ok(Err(failure)) => failure.into_response(),
        Err(error) => Failure::internal(&error.to_string()).into_response(),
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
