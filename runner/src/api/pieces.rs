//! Shows pieces of evidence, whoever has them.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use futures::stream::{self, StreamExt as _};
use http::header;
use marple_core::evidence::EvidenceIdError;
use marple_core::{Evidence, EvidenceId};
use marple_tools::{EvidenceError, EvidenceLog};

use super::problem::Problem;

/// The id of a piece, as it stands in a path.
pub(super) fn id(text: &str) -> Result<EvidenceId, Problem> {
    text.parse().map_err(|error: EvidenceIdError| Problem::bad_request(error.to_string()))
}

/// One piece; of a text of many MiB the beginning. `of` says whose it is.
pub(super) async fn whole(log: &dyn EvidenceLog, wanted: EvidenceId, of: &str) -> Result<Json<Evidence>, Problem> {
    log.get(wanted).await?.map(Json).ok_or_else(|| missing(wanted, of))
}

/// The whole text of one piece, a chunk at a time.
pub(super) async fn text(log: Arc<dyn EvidenceLog>, wanted: EvidenceId, of: &str) -> Result<Response, Problem> {
    let layout = log.layout(wanted).await?.ok_or_else(|| missing(wanted, of))?;
    let chunks = stream::iter(0..layout.len()).then(move |number| {
        let log = Arc::clone(&log);
        async move { log.chunk(wanted, number).await }
    });
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], Body::from_stream(chunks)).into_response())
}

fn missing(wanted: EvidenceId, of: &str) -> Problem {
    Problem::not_found(format!("{of} has no evidence {wanted}"))
}

impl From<EvidenceError> for Problem {
    fn from(error: EvidenceError) -> Self {
        Self::internal(error.to_string())
    }
}
