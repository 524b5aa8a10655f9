//! Who may come in.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
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
    let Some(token) = &state.token else { return next.run(request).await };
    let given = request.headers().get(AUTHORIZATION).map(HeaderValue::as_bytes).and_then(bearer);
    if given.is_some_and(|given| token.is(given)) {
        return next.run(request).await;
    }
    metrics::counter!("marple_http_unauthorized_total").increment(1);
    let what = match given {
        Some(_) => "the bearer token is not the one of `server.token`",
        None => "a bearer token is needed: Authorization: Bearer …",
    };
    let mut response = Problem::unauthorized(what).into_response();
    response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"marple\""));
    response
}

/// The token of an Authorization header; the scheme's case doesn't matter (RFC 9110, 11.1).
fn bearer(header: &[u8]) -> Option<&[u8]> {
    let (scheme, token) = header.split_at_checked(7)?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}
