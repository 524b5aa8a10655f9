//! Incidents as pages, for whoever has a link to one.

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{Html, IntoResponse as _, Response};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderName, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use jiff::Timestamp;
use marple_core::{EvidenceId, IncidentId};
use serde::Deserialize;

use super::{ApiState, token};
use crate::dispatch::StoredViews;
use crate::outbox::{ViewError, Views as _};
use crate::page::{self, IncidentPage};
use crate::render::{Links, View};

/// How many lines of its story are shown.
const LINES: u32 = 500;

/// What a link carries.
#[derive(Debug, Deserialize)]
pub(super) struct Signed {
    expires: Option<i64>,
    signature: Option<String>,
}

/// The page of an incident.
pub(super) async fn incident(
    State(state): State<ApiState>,
    Path(id): Path<String>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let id = admitted(&state, &id, &signed, &headers)?;
        let view = view(&state, id).await?;
        let timeline = state.store.timeline(id, LINES).await.map_err(|_| Closed::Away)?;
        let evidence = state.store.evidence_entries(id).await.map_err(|_| Closed::Away)?;
        Ok(page::incident(&IncidentPage { view, timeline, evidence, query: signed.carried_on() }))
    };
    answer(shown.await)
}

/// The page of a piece of its evidence.
pub(super) async fn evidence(
    State(state): State<ApiState>,
    Path((id, evidence)): Path<(String, String)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let (id, evidence) = admitted_to(&state, (&id, &evidence), &signed, &headers)?;
        let view = view(&state, id).await?;
        let kept = state.store.evidence(id).get(evidence).await.map_err(|_| Closed::Away)?;
        let kept = kept.ok_or(Closed::Missing)?;
        let citations = view.conclusion.iter().flat_map(marple_core::Conclusion::citations);
        let quotes: Vec<&str> = citations
            .filter(|citation| citation.evidence == evidence)
            .map(|citation| citation.quote.as_str())
            .collect();
        Ok(page::evidence(&view.incident, &kept, &quotes, &signed.carried_on()))
    };
    answer(shown.await)
}

/// What a piece of its evidence looks like.
pub(super) async fn drawing(
    State(state): State<ApiState>,
    Path((id, evidence)): Path<(String, String)>,
    Query(signed): Query<Signed>,
    headers: HeaderMap,
) -> Response {
    let shown = async {
        let (id, evidence) = admitted_to(&state, (&id, &evidence), &signed, &headers)?;
        let drawing = state.store.evidence(id).drawing(evidence).await.map_err(|_| Closed::Away)?;
        drawing.ok_or(Closed::Missing)
    };
    match shown.await {
        Ok(svg) => {
            let headers = [
                (CONTENT_TYPE, "image/svg+xml"),
                (CONTENT_SECURITY_POLICY, page::drawing_policy()),
                (X_CONTENT_TYPE_OPTIONS, "nosniff"),
                (CACHE_CONTROL, "no-store"),
            ];
            (headers, svg).into_response()
        }
        closed => answer(closed),
    }
}

impl Signed {
    /// The query that links of the page carry on: what was checked, and nothing else.
    fn carried_on(&self) -> String {
        match (self.expires, &self.signature) {
            (Some(expires), Some(signature)) => format!("expires={expires}&signature={signature}"),
            _ => String::new(),
        }
    }
}

/// Why a page is not shown.
enum Closed {
    Refused,
    Missing,
    Away,
}

/// The incident of an address, where it may be seen: by a signed link, by the token, or by everybody where there is none.
fn admitted(state: &ApiState, id: &str, signed: &Signed, headers: &HeaderMap) -> Result<IncidentId, Closed> {
    let id: IncidentId = id.parse().map_err(|_| Closed::Missing)?;
    let by_link = match (state.link_key(), signed.expires, &signed.signature) {
        (None, _, _) => true,
        (Some(key), Some(expires), Some(signature)) => key.admits(id, expires, signature, Timestamp::now()),
        (Some(_), _, _) => false,
    };
    if by_link || state.token().is_some_and(|token| token::bears(headers, &token)) {
        return Ok(id);
    }
    metrics::counter!("marple_http_unauthorized_total").increment(1);
    Err(Closed::Refused)
}

/// The same of a piece of its evidence.
fn admitted_to(
    state: &ApiState,
    (id, evidence): (&str, &str),
    signed: &Signed,
    headers: &HeaderMap,
) -> Result<(IncidentId, EvidenceId), Closed> {
    Ok((admitted(state, id, signed, headers)?, evidence.parse().map_err(|_| Closed::Missing)?))
}

async fn view(state: &ApiState, id: IncidentId) -> Result<View, Closed> {
    let told = state.told();
    let views =
        StoredViews { store: state.store.clone(), cluster: told.cluster, links: Links::default(), model: told.model };
    views.view(id).await.map_err(|error| match error {
        ViewError::Gone(_) => Closed::Missing,
        ViewError::Unavailable { .. } => Closed::Away,
    })
}

/// The page, with what keeps a browser from doing anything with it but showing it.
fn answer(shown: Result<String, Closed>) -> Response {
    let (status, page) = match shown {
        Ok(page) => (StatusCode::OK, page),
        Err(Closed::Refused) => (
            StatusCode::FORBIDDEN,
            page::notice(
                "This link is no longer valid",
                "It has expired, or was cut off on its way. The newest message about the incident has a newer one; \
                 `marple incident show` shows it without a link.",
            ),
        ),
        Err(Closed::Missing) => (
            StatusCode::NOT_FOUND,
            page::notice("There is no such incident", "It may be older than what is kept (`store.retention`)."),
        ),
        Err(Closed::Away) => (
            StatusCode::SERVICE_UNAVAILABLE,
            page::notice("The store can't be read now", "Try again in a moment; /readyz says what is wrong."),
        ),
    };
    let headers = [
        (CONTENT_SECURITY_POLICY, page::policy()),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        // The address is what opens the page: it must not go to where the page's links lead.
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-robots-tag"), "noindex"),
    ];
    (status, headers, Html(page)).into_response()
}
