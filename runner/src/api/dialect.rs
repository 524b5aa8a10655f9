//! Errors as the clients of a path read them.

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::Response;
use http::StatusCode;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use serde_json::{Value, json};

/// HolmesGPT's paths; what lies below is theirs too.
const HOLMES: [&str; 6] =
    ["/api/chat", "/api/investigate", "/api/issue_chat", "/api/checks", "/api/model", "/api/info"];

/// HolmesGPT's code of an error for want of room, and of any other.
const LIMITED: u16 = 5204;
const OTHER: u16 = 1;

/// What is wrong, beside an answer's status: whoever writes the answer leaves it for the dialect of its path.
#[derive(Clone, Debug, Default)]
pub(super) struct Fault {
    /// What went wrong and what to do.
    pub(super) words: String,
    /// The field of the request that is wrong.
    pub(super) param: Option<&'static str>,
    /// What went wrong, in one word.
    pub(super) code: Option<&'static str>,
}

/// Whose errors a path gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Own,
    Holmes,
    OpenAi,
}

impl Dialect {
    fn of(path: &str) -> Self {
        let below = |base: &str| path.strip_prefix(base).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if below("/v1") {
            Self::OpenAi
        } else if HOLMES.iter().any(|base| below(base)) {
            Self::Holmes
        } else {
            Self::Own
        }
    }
}

/// Has errors told in the dialect of the request's path.
pub(super) async fn speak(request: Request, next: Next) -> Response {
    let dialect = Dialect::of(request.uri().path());
    let mut response = next.run(request).await;
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || dialect == Dialect::Own {
        return response;
    }
    let fault = response.extensions_mut().remove::<Fault>().unwrap_or_else(|| Fault {
        words: status.canonical_reason().unwrap_or("it failed").to_lowercase(),
        ..Fault::default()
    });
    let body = if dialect == Dialect::OpenAi { openai(status, &fault) } else { holmes(status, &fault.words) };
    let (mut parts, _) = response.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    parts.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Response::from_parts(parts, Body::from(body.to_string()))
}

/// An error of OpenAI's API.
pub(super) fn openai(status: StatusCode, fault: &Fault) -> Value {
    let (kind, code) = match status {
        StatusCode::UNAUTHORIZED => ("authentication_error", Some("invalid_api_key")),
        StatusCode::FORBIDDEN => ("permission_error", None),
        StatusCode::TOO_MANY_REQUESTS => ("rate_limit_error", Some("rate_limit_exceeded")),
        status if status.is_client_error() => ("invalid_request_error", None),
        _ => ("server_error", None),
    };
    let Fault { words, param, code: own } = fault;
    json!({ "error": { "message": words, "type": kind, "param": param, "code": own.or(code) } })
}

/// An error of HolmesGPT's API, with our own field beside theirs.
fn holmes(status: StatusCode, words: &str) -> Value {
    json!({ "detail": words, "error": words, "error_code": holmes_code(status == StatusCode::TOO_MANY_REQUESTS) })
}

/// HolmesGPT's code of an error.
pub(super) const fn holmes_code(limited: bool) -> u16 {
    if limited { LIMITED } else { OTHER }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_whose_errors_are_read_there() {
        for (path, wanted) in [
            ("/v1", Dialect::OpenAi),
            ("/v1/nothing", Dialect::OpenAi),
            ("/v10", Dialect::Own),
            ("/api/chat", Dialect::Holmes),
            ("/api/chat/1", Dialect::Holmes),
            ("/api/checks/execute", Dialect::Holmes),
            ("/api/chats", Dialect::Own),
            ("/api/alerts", Dialect::Own),
        ] {
            assert_eq!(Dialect::of(path), wanted, "{path}");
        }
    }
}
