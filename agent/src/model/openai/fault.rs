//! Why an attempt gave no answer, and whether another may.

use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::RETRY_AFTER;
use reqwest::{Response, StatusCode};
use serde_json::Value;

use super::super::ModelError;
use super::dialect::{Dialect, refuses_tools};
use super::endpoint::Endpoint;
use super::retry::retry_after;

/// So much of an error's body is read.
const BODY: usize = 64 * 1024;
/// How long an error's body may take.
const BODY_WITHIN: Duration = Duration::from_secs(5);

/// Why an attempt gave no answer.
#[derive(Debug)]
pub(super) enum Fault {
    /// It named a field that it doesn't know, which is left out from now on.
    Dialect(String),
    /// Another attempt may succeed.
    Later { why: String, limited: bool, after: Option<Duration> },
    /// The same, after a time limit of ours.
    Late(String),
    /// No other attempt would.
    Final(ModelError),
}

impl Fault {
    /// The server broke off or failed.
    pub(super) fn later(why: String) -> Self {
        Self::Later { why, limited: false, after: None }
    }

    pub(super) fn into_error(self) -> ModelError {
        match self {
            Self::Final(error) => error,
            Self::Late(why) => ModelError::TimedOut(why),
            Self::Later { why, limited: true, .. } => ModelError::RateLimited(why),
            Self::Dialect(why) | Self::Later { why, .. } => ModelError::Unavailable(why),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dialect(why) | Self::Later { why, .. } | Self::Late(why) => formatter.write_str(why),
            Self::Final(error) => error.fmt(formatter),
        }
    }
}

/// What a refusal is about.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) endpoint: &'a Endpoint,
    pub(super) model: &'a str,
    pub(super) dialect: &'a Dialect,
    /// Whether tools were offered by fields of the API.
    pub(super) with_tools: bool,
    /// How much was learnt of the server when the request was written.
    pub(super) learnt: usize,
}

impl Asked<'_> {
    /// Learns from what was said. Says whether the next request differs, be it by what another request learnt meanwhile.
    fn learns(&self, said: &str) -> bool {
        self.dialect.learn(said, self.with_tools) || self.dialect.learnt() != self.learnt
    }
}

/// The server was not reached, or the connection broke before an answer began.
pub(super) fn unreached(endpoint: &Endpoint, error: reqwest::Error) -> Fault {
    let connect = error.is_connect();
    let error = error.without_url();
    // The innermost reason is the one that names the fault: refused, no such host, certificate.
    let mut reason: &dyn std::error::Error = &error;
    while let Some(source) = reason.source() {
        reason = source;
    }
    let reason = endpoint.harmless(&reason.to_string());
    Fault::later(if connect {
        format!("{endpoint} can't be reached ({reason}); check the model's url")
    } else {
        format!("{endpoint} broke off ({reason})")
    })
}

/// The server answered with an error.
pub(super) async fn refused(asked: &Asked<'_>, response: Response) -> Fault {
    let status = response.status();
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    // Azure says it finer beside the standard.
    let fine = header("retry-after-ms").and_then(|value| value.trim().parse().ok()).map(Duration::from_millis);
    let after = fine.or_else(|| retry_after(header(RETRY_AFTER.as_str())?, Timestamp::now()));
    // Without its text an error is still told by its status.
    let body = tokio::time::timeout(BODY_WITHIN, text(response)).await.unwrap_or_default();
    classified(asked, status, &body, after)
}

fn classified(asked: &Asked<'_>, status: StatusCode, body: &str, after: Option<Duration>) -> Fault {
    let Asked { endpoint, model, .. } = *asked;
    let Said { message, code } = Said::of(body);
    let said = endpoint.harmless(&message);
    let code_of = status.as_u16();
    let told = if said.is_empty() { code_of.to_string() } else { format!("{code_of}: {said}") };
    match code_of {
        // These say so with one status or another, and nothing else of the request is at fault.
        404 | 500 | 501
            if asked.with_tools && refuses_tools(&message.to_ascii_lowercase()) && asked.learns(&message) =>
        {
            Fault::Dialect(told)
        }
        // What a server says here may hold parts of the key.
        401 => Fault::Final(ModelError::Denied(format!(
            "{endpoint} does not accept the key (401); set the model's api_key"
        ))),
        402 => Fault::Final(ModelError::Denied(format!("{endpoint} wants to be paid ({told}); check the account"))),
        403 => Fault::Final(ModelError::Denied(format!(
            "{endpoint} does not allow the key to use {model:?} ({told}); check the model's api_key and name"
        ))),
        404 => Fault::Final(ModelError::NotFound(format!(
            "{endpoint} has no model {model:?}, or no chat completions at this address ({told}); check the model's name and url"
        ))),
        429 if code == "insufficient_quota" => {
            Fault::Final(ModelError::Denied(format!("the account at {endpoint} is used up ({told})")))
        }
        413 => Fault::Final(ModelError::ContextLength(told)),
        400 | 422 if is_length(&code, &message) => Fault::Final(ModelError::ContextLength(told)),
        400 | 422 if asked.learns(&message) => Fault::Dialect(told),
        429 => Fault::Later { why: format!("{endpoint} is asked too much ({told})"), limited: true, after },
        408 | 409 | 425 | 500..=599 => {
            Fault::Later { why: format!("{endpoint} failed ({told})"), limited: false, after }
        }
        _ => Fault::Final(ModelError::Rejected(format!("{endpoint} refuses the request ({told})"))),
    }
}

/// An error that came where an answer was to be: in a stream, or with status 200.
pub(super) fn within(endpoint: &Endpoint, error: &Value) -> Fault {
    let Said { message, code } = Said::of(&serde_json::json!({ "error": error }).to_string());
    let said = endpoint.harmless(&message);
    if is_length(&code, &message) {
        Fault::Final(ModelError::ContextLength(said))
    } else {
        Fault::later(format!("{endpoint} failed in its answer ({said})"))
    }
}

async fn text(mut response: Response) -> String {
    let mut body = Vec::new();
    while body.len() < BODY {
        match response.chunk().await {
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            // A broken body of an error is as good as a short one: the status says what matters.
            Ok(None) | Err(_) => break,
        }
    }
    String::from_utf8_lossy(&body).into_owned()
}

/// What a server says of an error, in one of the forms in use.
struct Said {
    message: String,
    code: String,
}

impl Said {
    fn of(body: &str) -> Self {
        let Ok(value) = serde_json::from_str::<Value>(body) else {
            return Self { message: body.to_owned(), code: String::new() };
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        // Gemini sends a list of one.
        let value = value.get(0).unwrap_or(&value);
        let error = value.get("error").unwrap_or(value);
        let message = ["message", "detail", "msg", "error"].iter().find_map(|name| error.get(name)).and_then(text);
        let code = ["code", "type"].iter().find_map(|name| error.get(name)).and_then(text).unwrap_or_default();
        Self { message: message.or_else(|| text(error)).unwrap_or_else(|| body.to_owned()), code }
    }
}

/// Whether a refusal is about the request's length, in the words of the servers in use.
fn is_length(code: &str, message: &str) -> bool {
    const WORDS: [&str; 13] = [
        "context length",
        "context_length",
        "context window",
        "context size",
        "maximum context",
        "prompt is too long",
        "too many tokens",
        "reduce the length",
        "input tokens exceed",
        "exceeds the maximum number of tokens",
        "exceed context limit",
        "maximum prompt length",
        "input is too long",
    ];
    let message = message.to_ascii_lowercase();
    code == "context_length_exceeded" || WORDS.iter().any(|words| message.contains(words))
}
