//! Who may come in.

use std::borrow::Cow;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
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
    given(headers).is_some_and(|given| token.is(&given))
}

fn given(headers: &HeaderMap) -> Option<Cow<'_, [u8]>> {
    // Clients of HolmesGPT send it so.
    if let Some(key) = headers.get("x-api-key") {
        return Some(Cow::Borrowed(key.as_bytes()));
    }
    headers.get(AUTHORIZATION).map(HeaderValue::as_bytes).and_then(credentials)
}

/// The token of an Authorization header, or the password of one whose sender knows no tokens but takes a login in its URL;
/// the scheme's case doesn't matter (RFC 9110, 11.1).
fn credentials(header: &[u8]) -> Option<Cow<'_, [u8]>> {
    let space = header.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = header.split_at_checked(space)?;
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(Cow::Borrowed(rest.trim_ascii()));
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let login = STANDARD.decode(rest.trim_ascii()).ok()?;
    let colon = login.iter().position(|byte| *byte == b':')?;
    login.get(colon + 1..).map(|password| Cow::Owned(password.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_and_the_password_of_a_login_are_taken_and_nothing_else() {
        let given =
            |header: &str| credentials(header.as_bytes()).map(|given| String::from_utf8_lossy(&given).into_owned());
        assert_eq!(given("bearer  s3cret "), Some("s3cret".to_owned()));
        let login = |text: &str| format!("BASIC {}", STANDARD.encode(text));
        assert_eq!(given(&login("any:s3:cret")), Some("s3:cret".to_owned()));
        assert_eq!(given(&login("s3cret")), None);
        assert_eq!(given("Basic s3cret"), None);
        assert_eq!(given("Digest s3cret"), None);
        assert_eq!(given("s3cret"), None);
    }
}
