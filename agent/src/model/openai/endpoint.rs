//! Where requests go, and with which headers.

use std::fmt;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::super::ModelConfig;

/// A model's configuration that can't be used. Nothing but another setting helps.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ModelConfigError {
    /// The URL is none.
    #[error("the model's url {url:?} is no http or https URL: {why}")]
    Url {
        /// As configured.
        url: String,
        /// Why not.
        why: String,
    },
    /// A header's name or value can't be sent.
    #[error("the model's header {name:?} can't be sent: its name or value has characters that HTTP doesn't allow")]
    Header {
        /// Its name.
        name: String,
    },
}

/// Where requests go, and with which headers. Its `Debug` and its text hold no secret.
pub(super) struct Endpoint {
    url: Url,
    headers: HeaderMap,
    secrets: Vec<String>,
}

impl Endpoint {
    pub(super) fn of(config: &ModelConfig) -> Result<Self, ModelConfigError> {
        let wrong = |why: &str| ModelConfigError::Url { url: config.url.clone(), why: why.to_owned() };
        let base = config.url.trim().trim_end_matches('/');
        let full =
            if base.ends_with("/chat/completions") { base.to_owned() } else { format!("{base}/chat/completions") };
        let url = Url::parse(&full).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("its scheme is another"));
        }
        let mut headers = HeaderMap::new();
        let mut secrets = Vec::new();
        let key = config.api_key.iter().filter(|key| !key.expose().trim().is_empty());
        let bearer =
            key.map(|key| (AUTHORIZATION.as_str(), format!("Bearer {}", key.expose().trim()), key.expose().trim()));
        let extra =
            config.extra_headers.iter().map(|(name, value)| (name.as_str(), value.expose().to_owned(), value.expose()));
        for (name, text, secret) in bearer.chain(extra) {
            let wrong = || ModelConfigError::Header { name: name.to_owned() };
            let mut value = HeaderValue::from_str(&text).map_err(|_| wrong())?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(name.as_bytes()).map_err(|_| wrong())?, value);
            if !secret.is_empty() {
                secrets.push(secret.to_owned());
            }
        }
        Ok(Self { url, headers, secrets })
    }

    pub(super) fn url(&self) -> &Url {
        &self.url
    }

    pub(super) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What a server says, on one line, short, and without the secrets that it was sent.
    pub(super) fn harmless(&self, said: &str) -> String {
        let mut line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.secrets {
            line = line.replace(secret.as_str(), "[secret]");
        }
        match line.char_indices().nth(300) {
            Some((end, _)) => format!("{} …", line.get(..end).unwrap_or_default()),
            None => line,
        }
    }
}

impl fmt::Display for Endpoint {
    /// The model's server, without user, password and query.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.url.host_str().unwrap_or_default();
        match self.url.port() {
            Some(port) => write!(formatter, "the model's server {host}:{port}"),
            None => write!(formatter, "the model's server {host}"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
