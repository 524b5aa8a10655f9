//! Where requests go, and with which headers.

use std::fmt;

use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use super::super::{ModelConfig, Provider};

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
    /// A model that is named and not there.
    #[error("there is no model {name:?}; the models are {known}")]
    Unknown {
        /// As named.
        name: String,
        /// Those that there are.
        known: String,
    },
}

/// Whose API a host is, in the names of OpenTelemetry's conventions; others that speak OpenAI's are told as that.
const PROVIDERS: [(&str, &str); 9] = [
    ("anthropic.com", "anthropic"),
    ("generativelanguage.googleapis.com", "gcp.gemini"),
    ("aiplatform.googleapis.com", "gcp.vertex_ai"),
    ("amazonaws.com", "aws.bedrock"),
    ("deepseek.com", "deepseek"),
    ("mistral.ai", "mistral_ai"),
    ("groq.com", "groq"),
    ("perplexity.ai", "perplexity"),
    ("x.ai", "x_ai"),
];

/// Where requests go, and with which headers. Its `Debug` and its text hold no secret.
pub(super) struct Endpoint {
    url: Url,
    headers: HeaderMap,
    secrets: Vec<String>,
}

impl Endpoint {
    pub(super) fn of(config: &ModelConfig) -> Result<Self, ModelConfigError> {
        let wrong = |why: &str| ModelConfigError::Url { url: config.url.clone(), why: why.to_owned() };
        let mut url = Url::parse(config.url.trim()).map_err(|error| wrong(&error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(wrong("its scheme is another"));
        }
        let azure = Azure::of(&url);
        if let Some(why) = azure.fault(&url) {
            return Err(wrong(why));
        }
        let base = url.path().trim_end_matches('/');
        let full =
            if base.ends_with("/chat/completions") { base.to_owned() } else { format!("{base}/chat/completions") };
        url.set_path(&full);
        url.set_fragment(None);
        let mut headers = HeaderMap::new();
        let mut secrets = Vec::new();
        let key = config.api_key.as_ref().filter(|key| !key.expose().trim().is_empty());
        let login = key.map(|key| {
            let key = key.expose().trim();
            // Azure takes a token of Entra as a bearer, and its own keys under a name of their own.
            if azure == Azure::No || key.starts_with("eyJ") {
                (AUTHORIZATION.as_str(), format!("Bearer {key}"), key)
            } else {
                ("api-key", key.to_owned(), key)
            }
        });
        let extra =
            config.extra_headers.iter().map(|(name, value)| (name.as_str(), value.expose().to_owned(), value.expose()));
        for (name, text, secret) in login.into_iter().chain(extra) {
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

    /// Whose API it is, by its host.
    pub(super) fn provider(&self) -> Provider {
        let host = self.url.host_str().unwrap_or_default();
        let known = PROVIDERS.iter().find(|(domain, _)| host == *domain || host.ends_with(&format!(".{domain}")));
        let name = match Azure::of(&self.url) {
            Azure::No => known.map_or("openai", |(_, name)| name),
            Azure::Host | Azure::Deployment => "azure.ai.openai",
        };
        Provider { name, host: Some(host.to_owned()), port: self.url.port_or_known_default() }
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

/// Whether a server is Azure's, which wants another header and, at its older addresses, a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Azure {
    No,
    /// By its name.
    Host,
    /// By the path of a deployment, as behind a gateway.
    Deployment,
}

impl Azure {
    fn of(url: &Url) -> Self {
        const DOMAINS: [&str; 3] = [".openai.azure.com", ".cognitiveservices.azure.com", ".services.ai.azure.com"];
        if url.path().contains("/openai/deployments/") {
            Self::Deployment
        } else if url.host_str().is_some_and(|host| DOMAINS.iter().any(|domain| host.ends_with(domain))) {
            Self::Host
        } else {
            Self::No
        }
    }

    /// What the address lacks.
    fn fault(self, url: &Url) -> Option<&'static str> {
        match self {
            Self::Deployment if !url.query_pairs().any(|(name, _)| name == "api-version") => {
                Some("a deployment of Azure is asked with a version: add ?api-version=2024-10-21 at the end")
            }
            Self::Host if matches!(url.path(), "" | "/" | "/openai" | "/openai/") => Some(
                "of Azure the base is needed: https://NAME.openai.azure.com/openai/v1, or the older \
                 https://NAME.openai.azure.com/openai/deployments/DEPLOYMENT?api-version=2024-10-21",
            ),
            _ => None,
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn endpoint(url: &str, key: &str) -> Result<(String, Vec<(String, String)>), ModelConfigError> {
        let config: ModelConfig = serde_json::from_value(json!({"url": url, "name": "m", "api_key": key})).unwrap();
        let endpoint = Endpoint::of(&config)?;
        let headers =
            endpoint.headers().iter().map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()));
        Ok((endpoint.url().to_string(), headers.collect()))
    }

    #[test]
    fn each_provider_is_asked_at_its_address_with_its_header() {
        let bearer = |key: &str| ("authorization".to_owned(), format!("Bearer {key}"));
        let own = |key: &str| ("api-key".to_owned(), key.to_owned());
        for (url, key, asked, header) in [
            ("https://api.openai.com/v1", "k", "https://api.openai.com/v1/chat/completions", bearer("k")),
            ("http://vllm.models:8000/v1/", "k", "http://vllm.models:8000/v1/chat/completions", bearer("k")),
            ("http://ollama:11434/v1/chat/completions", "k", "http://ollama:11434/v1/chat/completions", bearer("k")),
            (
                "https://generativelanguage.googleapis.com/v1beta/openai/",
                "k",
                "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
                bearer("k"),
            ),
            ("https://api.anthropic.com/v1", "k", "https://api.anthropic.com/v1/chat/completions", bearer("k")),
            (
                "https://shop.openai.azure.com/openai/v1",
                "k",
                "https://shop.openai.azure.com/openai/v1/chat/completions",
                own("k"),
            ),
            (
                "https://shop.openai.azure.com/openai/deployments/gpt-5?api-version=2024-10-21",
                "k",
                "https://shop.openai.azure.com/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21",
                own("k"),
            ),
            // A token of Entra, and a gateway before Azure.
            (
                "https://gateway.shop/openai/deployments/gpt-5/?api-version=2024-10-21",
                "eyJ0",
                "https://gateway.shop/openai/deployments/gpt-5/chat/completions?api-version=2024-10-21",
                bearer("eyJ0"),
            ),
        ] {
            assert_eq!(endpoint(url, key), Ok((asked.to_owned(), vec![header])), "{url}");
        }
    }

    #[test]
    fn an_address_of_azure_that_lacks_something_is_told_what() {
        let why = |url: &str| endpoint(url, "k").unwrap_err().to_string();
        let version = why("https://shop.openai.azure.com/openai/deployments/gpt-5");
        assert!(version.ends_with("add ?api-version=2024-10-21 at the end"), "{version}");
        let base = why("https://shop.openai.azure.com");
        assert!(base.contains("the base is needed: https://NAME.openai.azure.com/openai/v1"), "{base}");
    }
}
