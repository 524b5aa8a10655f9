//! Delivers to a runner apart.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use marple_core::{Period, Secret, Signal};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{StatusCode, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::parcel::{Content, Parcel};
use super::{DeliverError, Sequence};
use crate::change::Kept;
use crate::known::{KnownError, Telling};

/// The longest excerpt of a refusal that is shown, in characters.
const EXCERPT: usize = 300;

/// The longest that a runner may ask to be left alone.
const LONGEST_WAIT: Duration = Duration::from_mins(5);

/// The runner to which a forwarder apart delivers.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunnerEndpoint {
    /// Its address, as `http://marple.monitoring:8080`; signals are posted to `/api/signals` under it, changes to
    /// `/api/changes` and what hangs together to `/api/topology`; what it holds of the first two is read from there.
    pub url: String,
    /// The bearer token that it expects. Default: none.
    #[serde(default)]
    pub token: Option<Secret>,
    /// How long one post may take, as `10s`. Default: `10s`.
    #[serde(default = "default_timeout")]
    pub timeout: Period,
}

const fn default_timeout() -> Period {
    Period::seconds(10)
}

/// Why an endpoint can't be used. Trying again doesn't help.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// Not an address.
    #[error("runner.url {url:?}: {reason}; give an address as http://marple.monitoring:8080")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A token that no header can carry.
    #[error("runner.token holds characters that an HTTP header can't carry, perhaps a line break at its end")]
    Token,
    /// The client could not be made.
    #[error("the HTTP client: {0}")]
    Client(#[source] reqwest::Error),
}

/// Posts to a runner, and reads what it holds: the wire of a [`super::Courier`].
#[derive(Clone, Debug)]
pub struct HttpDeliver {
    client: reqwest::Client,
    signals: Url,
    told: Url,
    changes: Url,
    kept: Url,
    topology: Url,
}

impl HttpDeliver {
    /// A client of this runner. The process must have installed a rustls crypto provider.
    pub fn new(endpoint: &RunnerEndpoint) -> Result<Self, EndpointError> {
        let fault = |reason: String| EndpointError::Url { url: endpoint.url.clone(), reason };
        let under = |path: &str| {
            Url::parse(&format!("{}{path}", endpoint.url.trim_end_matches('/')))
                .map_err(|error| fault(error.to_string()))
        };
        let (signals, told, topology) = (under("/api/signals")?, under("/api/signals/told")?, under("/api/topology")?);
        let (changes, kept) = (under("/api/changes")?, under("/api/changes/kept")?);
        if !matches!(signals.scheme(), "http" | "https") {
            return Err(fault(format!("{} is not http or https", signals.scheme())));
        }
        let mut headers = HeaderMap::new();
        if let Some(token) = &endpoint.token {
            let mut value =
                HeaderValue::from_str(&format!("Bearer {}", token.expose())).map_err(|_| EndpointError::Token)?;
            value.set_sensitive(true);
            headers.insert(reqwest::header::AUTHORIZATION, value);
        }
        let client = reqwest::Client::builder()
            .default_headers(headers)
            .timeout(endpoint.timeout.duration())
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("marple-forwarder/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(EndpointError::Client)?;
        Ok(Self { client, signals, told, changes, kept, topology })
    }
}

impl HttpDeliver {
    /// Posts a parcel; `Ok` when all of it is stored there for good.
    pub(super) async fn post(&self, parcel: &Parcel) -> Result<(), DeliverError> {
        let unreachable = |error: reqwest::Error| DeliverError::Unreachable(Box::new(error.without_url()));
        let mut request = match &parcel.content {
            Content::Signals(signals) => self.client.post(self.signals.clone()).json(signals),
            Content::Changes(batch) => self.client.post(self.changes.clone()).json(batch),
            Content::Topology(batch) => self.client.post(self.topology.clone()).json(batch),
        };
        if let Some(sequence) = parcel.sequence {
            request = request.header(Sequence::HEADER, sequence.to_string());
        }
        let response = request.send().await.map_err(unreachable)?;
        let status = response.status();
        if status.is_success() {
            return Ok(());
        }
        let wait = retry_after(response.headers(), Timestamp::now());
        if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
            return Err(DeliverError::Busy { retry_after: wait });
        }
        if matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(DeliverError::Unauthorized { status: status.as_u16() });
        }
        // What a client can do nothing about is tried again; so is a time-out of the server, and a route that is
        // not there (yet): a proxy answers so while the runner starts.
        if status.is_server_error() || matches!(status, StatusCode::REQUEST_TIMEOUT | StatusCode::NOT_FOUND) {
            return Err(DeliverError::Unreachable(format!("it answered {status}").into()));
        }
        let text = response.text().await.unwrap_or_else(|error| error.without_url().to_string());
        Err(DeliverError::Refused(format!("{status}: {}", text.chars().take(EXCERPT).collect::<String>())))
    }

    async fn get<T: DeserializeOwned>(&self, url: Url) -> Result<T, KnownError> {
        let away = |error: reqwest::Error| KnownError::away(error.without_url());
        let response = self.client.get(url).send().await.map_err(away)?;
        let status = response.status();
        let later =
            status.is_server_error() || matches!(status, StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT);
        let refused = |error: reqwest::Error| KnownError { answered: !later, ..away(error) };
        let whole = response.error_for_status().map_err(refused)?.bytes().await.map_err(away)?;
        serde_json::from_slice(&whole).map_err(|error| KnownError { source: error.into(), answered: true })
    }

    /// Each signal of a forwarder that the runner holds as firing.
    pub(super) async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
        self.get(self.signals.clone()).await
    }

    /// When each condition was told that holds, or has ended since.
    pub(super) async fn told(&self, since: Timestamp) -> Result<Vec<Telling>, KnownError> {
        let mut url = self.told.clone();
        url.query_pairs_mut().append_pair("since", &since.to_string());
        self.get(url).await
    }

    /// How the objects of a kind were.
    pub(super) async fn kept(&self, cluster: &str, kind: &str) -> Result<Kept, KnownError> {
        let mut url = self.kept.clone();
        url.query_pairs_mut().append_pair("cluster", cluster).append_pair("kind", kind);
        self.get(url).await
    }
}

/// Seconds or a date (RFC 9110, section 10.2.3).
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Ok(seconds) = text.parse() {
        Duration::from_secs(seconds)
    } else {
        let date = DateTimeParser::new().parse_timestamp(text).ok()?;
        Duration::try_from(date.duration_since(now)).unwrap_or(Duration::ZERO)
    };
    Some(wait.min(LONGEST_WAIT))
}

#[cfg(test)]
mod tests;
