//! The HTTP interface.
//!
//! | method and path | what it does |
//! |---|---|
//! | `POST /api/alerts` | takes Alertmanager's webhook, version 4 |
//! | `POST /api/signals` | takes an array of signals, from a forwarder apart |
//! | `GET /api/signals` | which of those are held as firing |
//! | `GET /api/signals/told` | when each of them was told that holds, or has ended after `since` |
//! | `POST /api/changes` | takes what changed in the cluster, from a forwarder apart |
//! | `GET /api/changes` | lists what changed, latest first; `namespace`, `since`, `until`, `limit` |
//! | `POST /api/handle` | takes what Robusta's forwarder sends: one object that was made, written or deleted |
//! | `GET /api/changes/kept` | how the objects of a kind were, for a forwarder that begins again; `cluster`, `kind` |
//! | `POST /api/topology` | takes what hangs together with what, from a forwarder apart |
//! | `GET /api/topology` | what is known of an object: its owners, what it needs, what hangs on it; `kind`, `namespace`, `name` |
//! | `GET /api/incidents` | lists incidents; `status`, `object`, `since`, `before`, `limit` |
//! | `GET /api/incidents/{id}` | one incident with members, story, findings, conclusion and titles of evidence |
//! | `GET /api/incidents/{id}/evidence/{evidence}` | one piece of evidence; of a text beyond 8 MiB the beginning |
//! | `GET /api/incidents/{id}/evidence/{evidence}/text` | its text, whole |
//! | `POST /api/incidents/{id}/acknowledge`, `…/resolve` | notes that a person has taken it, or that it is over |
//! | `POST /api/incidents/{id}/feedback` | notes whether its conclusion was right, and what it was |
//! | `POST /api/incidents/{id}/investigate` | has the model look into it, whatever was concluded |
//! | `GET /api/spending` | what the model has cost today, and whether it may be asked |
//! | `POST /api/spending/stop`, `…/resume` | stops the model at once; lets it be asked again |
//! | `GET /api/configuration` | since when the configuration holds, and what is wrong with a newer one |
//! | `GET /api/quarantine` | entries of payloads that could not be used |
//! | `GET /api/outbox/dead` | messages that were given up |
//! | `POST /api/outbox/{id}/resend` | tries one of those again |
//! | `GET /api/approvals` | calls that a person is asked for, latest first |
//! | `POST /api/approvals/{id}` | a person's word on one of them, with a token of its own |
//! | `GET /incidents/{id}`, `…/evidence/{evidence}`, `…/drawing.svg` | the same for people, as pages; by a signed link or the token |
//! | `POST /api/chat`, `GET /api/chat/{talk}` | answers a question, as HolmesGPT does; goes on with a stream that broke off |
//! | `POST /api/investigate`, `POST /api/issue_chat` | the same for older clients of HolmesGPT |
//! | `POST /api/checks/execute` | a question that passes or fails, as HolmesGPT makes checks |
//! | `GET /api/model`, `GET /api/info` | what answers |
//! | `POST /v1/chat/completions`, `GET /v1/models`, `…/{id}` | answers a question, as OpenAI's API does |
//! | `GET /api/conversations/{id}/evidence`, `…/{evidence}`, `…/text` | what was looked at in a conversation |
//! | `GET /healthz`, `GET /readyz`, `GET /metrics` | for the kubelet and Prometheus; without a token |

mod approvals;
mod changes;
mod chat;
mod configuration;
mod conversations;
mod dialect;
mod endings;
mod handle;
mod health;
mod incidents;
mod outbox;
mod page;
mod people;
mod pieces;
mod probes;
mod problem;
mod receive;
mod serve;
mod spending;
mod state;
mod telemetry;
#[cfg(test)]
mod tests;
mod token;
mod topology;

pub use configuration::{Refused, Standing};
pub use probes::serve_probes;
pub use serve::{ServeError, serve};
pub use state::{ApiState, Live};
pub use telemetry::Telemetry;

use std::time::Duration;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use http::StatusCode;
use tower_http::timeout::TimeoutLayer;

/// How long a request may take in all. A post that the store has not committed by then is refused, and sent again by
/// whoever sent it.
const DEADLINE: Duration = Duration::from_secs(30);

/// The routes.
pub fn router(state: ApiState) -> Router {
    let guarded = Router::new()
        .route("/api/alerts", post(receive::alerts))
        .route("/api/signals", post(receive::signals).get(receive::firing))
        .route("/api/signals/told", get(receive::told))
        .route("/api/changes", post(changes::take_in).get(changes::list))
        .route("/api/changes/kept", get(changes::kept))
        .route("/api/conversations/{id}/evidence", get(conversations::list))
        .route("/api/conversations/{id}/evidence/{evidence}", get(conversations::evidence))
        .route("/api/conversations/{id}/evidence/{evidence}/text", get(conversations::evidence_text))
        .route("/api/topology", post(topology::take_in).get(topology::shown))
        .route("/api/handle", post(handle::take_in))
        .route("/api/incidents", get(incidents::list))
        .route("/api/incidents/{id}", get(incidents::one))
        .route("/api/incidents/{id}/evidence/{evidence}", get(incidents::evidence))
        .route("/api/incidents/{id}/evidence/{evidence}/text", get(incidents::evidence_text))
        .route("/api/incidents/{id}/acknowledge", post(endings::acknowledge))
        .route("/api/incidents/{id}/resolve", post(endings::resolve))
        .route("/api/incidents/{id}/feedback", post(people::feedback))
        .route("/api/incidents/{id}/investigate", post(people::investigate))
        .route("/api/spending", get(spending::shown))
        .route("/api/spending/stop", post(spending::stop))
        .route("/api/spending/resume", post(spending::resume))
        .route("/api/configuration", get(configuration::shown))
        .route("/api/quarantine", get(receive::quarantine))
        .route("/api/outbox/dead", get(outbox::dead))
        .route("/api/outbox/{id}/resend", post(outbox::resend))
        .route_layer(from_fn_with_state(state.clone(), token::check));
    let approvals = Router::new()
        .route("/api/approvals", get(approvals::list))
        .route_layer(from_fn_with_state(state.clone(), token::check_either))
        .route(
            "/api/approvals/{id}",
            post(approvals::decide).route_layer(from_fn_with_state(state.clone(), token::check_approver)),
        );
    Router::new()
        .route("/healthz", get(health::healthy))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/incidents/{id}", get(page::incident))
        .route("/incidents/{id}/evidence/{evidence}", get(page::evidence))
        .route("/incidents/{id}/evidence/{evidence}/drawing.svg", get(page::drawing))
        .merge(guarded)
        .merge(approvals)
        .layer(TimeoutLayer::with_status_code(StatusCode::SERVICE_UNAVAILABLE, DEADLINE))
        // Answers take as long as their budget says.
        .merge(chat::routes().route_layer(from_fn_with_state(state.clone(), token::check_either)))
        .fallback(problem::no_such_path)
        .method_not_allowed_fallback(problem::no_such_method)
        .layer(from_fn(dialect::speak))
        .with_state(state)
}
