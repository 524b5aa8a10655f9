//! What the sinks that speak HTTP have in common.

use std::time::Duration;

use reqwest::header::{HeaderMap, RETRY_AFTER};

use super::SinkError;

/// The longest that a receiver may ask to be left alone; a longer wish is cut to it.
const LONGEST_PAUSE: Duration = Duration::from_hours(1);
/// The most of an answer that is read.
const ANSWER_LIMIT: usize = 4 << 20;

/// The HTTP client of all sinks. It follows no redirects: a message goes where the configuration says or nowhere.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(Duration::from_secs(5))
        .user_agent(concat!("marple/", env!("CARGO_PKG_VERSION")))
        .build()
}

/// What a failed request means. A request that never got a connection was not sent; all else may have been.
pub(super) fn classify(what: &str, error: reqwest::Error) -> SinkError {
    // The address may hold a token.
    let error = error.without_url();
    let mut reason = format!("{what}: {error}");
    let mut source = std::error::Error::source(&error);
    while let Some(cause) = source {
        reason.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    if error.is_connect() || error.is_builder() { SinkError::not_sent(reason) } else { SinkError::unanswered(reason) }
}

/// The `Retry-After` of an answer, where it is given in seconds as Slack and most others do.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(LONGEST_PAUSE))
}

/// Reads an answer, at most 4 MiB of it.
pub(super) async fn read(what: &str, mut answer: reqwest::Response) -> Result<Vec<u8>, SinkError> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| classify(what, error))? {
        if body.len() + chunk.len() > ANSWER_LIMIT {
            return Err(SinkError::unanswered(format!("{what}: the answer is longer than {ANSWER_LIMIT} bytes")));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
