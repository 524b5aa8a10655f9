//! Who may come in.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
use marple_core::Secret;
use sha2::{Digest as _, Sha256};

use super::ApiState;
use super::problem::Problem;

/// The bearer token, as its digest: comparing digests takes the same time whatever was sent.
#[derive(Clone)]
pub(super) struct Token([u8; 32]);

impl Token {
    pub(super) fn new(secret: &Secret) -> Self {
        Self(Sha256::digest(secret.expose()).into())
    }

    fn is(&self, given: &[u8]) -> bool {
        let given: [u8; 32] = Sha256::digest(given).into();
        self.0.iter().zip(given).fold(0, |differs, (ours, theirs)| differs | (ours ^ theirs)) == 0
    }
}

/// Lets a request through that bears the token.
pub(super) async fn check(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(token) = state.token() else { return next.run(request).await };
    if bears(request.headers(), &token) {
        return next.run(request).await;
    }
    refused(given(request.headers()).is_some(), "the bearer token is not the one of `server.token`")
}

/// Lets a request through that bears the token of who may approve calls. There is no way in without one.
pub(super) async fn check_approver(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let Some(token) = state.approver() else {
        return Problem::forbidden("nobody may approve: set `server.approver_token`").into_response();
    };
    if bears(request.headers(), &token) {
        return next.run(request).await;
    }
    refused(given(request.headers()).is_some(), "the bearer token is not the one of `server.approver_token`")
}

/// Lets a request through that bears either.
pub(super) async fn check_either(state: State<ApiState>, request: Request, next: Next) -> Response {
    let approver = state.approver().is_some_and(|token| bears(request.headers(), &token));
    if approver { next.run(request).await } else { check(state, request, next).await }
}

fn refused(given: bool, wrong: &'static str) -> Response {
    metrics::counter!("marple_http_unauthorized_total").increment(1);
    let what = if given { wrong } else { "a bearer token is needed: Authorization: Bearer …" };
    let mut response = Problem::unauthorized(what).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"marple\""));
    response
}

/// Whether a request bears the token.
pub(super) fn bears(headers: &HeaderMap, token: &Token) -> bool {
    given(headers).is_some_and(|given| token.is(given))
}

fn given(headers: &HeaderMap) -> Option<&[u8]> {
    headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).and_then(bearer)
}

/// The token of an Authorization header; the scheme's case doesn't matter (RFC 9110, 11.1).
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
