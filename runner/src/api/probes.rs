//! What a process that takes nothing in shows of itself.

use axum::Router;
use axum::response::IntoResponse as _;
use axum::routing::get;
use http::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Telemetry, health, problem};

/// Serves `/healthz` and `/metrics` until cancelled. Neither needs a token nor shows anything of the cluster but counts.
pub async fn serve_probes(
    listener: TcpListener,
    telemetry: Telemetry,
    cancel: CancellationToken,
) -> std::io::Result<()> {
    let shown = telemetry.clone();
    let metrics = move || async move {
        ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], shown.render()).into_response()
    };
    let router = Router::new()
        .route("/healthz", get(health::healthy))
        .route("/metrics", get(metrics))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method);
    let stop = cancel.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move { stop.cancelled().await });
    tokio::select! {
        ended = serving => ended,
        () = telemetry.keep_up(&cancel) => Ok(()),
    }
}
