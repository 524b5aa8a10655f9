//! Where a backend is, and how it is spoken to.

use std::collections::BTreeMap;
use std::path::PathBuf;

use marple_core::{Period, Secret};
use reqwest::Url;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

/// A backend that is reached over HTTP.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EndpointConfig {
    /// Base URL, as `http://prometheus-server.monitoring`; a path before that of the API belongs to it.
    #[serde(deserialize_with = "url")]
    #[schemars(with = "String")]
    pub url: Url,
    /// How to log in; without it, not at all.
    #[serde(default)]
    pub auth: Option<Authentication>,
    /// Whose data is asked for, sent as `X-Scope-OrgID` (Mimir, Cortex, Loki, Tempo); several as `a|b`.
    #[serde(default)]
    pub tenant: Option<String>,
    /// Further headers of each request, as `THANOS-TENANT`.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Certificates to trust besides those of the system, in PEM: the text itself or a file's path.
    #[serde(default)]
    pub ca: Option<String>,
    /// What marple shows where the server wants to see a certificate (mTLS).
    #[serde(default)]
    pub client_certificate: Option<ClientCertificate>,
    /// Whether any certificate is believed. Anyone between can then read the credentials.
    #[serde(default)]
    pub insecure_skip_verify: bool,
    /// How long a request may take.
    #[serde(default = "timeout")]
    pub timeout: Period,
}

/// How to log in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Authentication {
    /// With this token.
    Bearer(Secret),
    /// With the token in this file, read again for each request: tokens of service accounts are replaced hourly.
    BearerFile(PathBuf),
    /// With a name and a password.
    Basic {
        /// Name.
        username: String,
        /// Password.
        password: Secret,
    },
}

/// A certificate that is shown to a server.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientCertificate {
    /// The certificate and those between it and its authority, in PEM: the text itself or a file's path.
    pub certificate: String,
    /// Its private key, in PEM: the text itself or a file's path.
    pub key: Secret,
}

impl EndpointConfig {
    /// A backend that asks for no login.
    pub const fn at(url: Url) -> Self {
        Self {
            url,
            auth: None,
            tenant: None,
            headers: BTreeMap::new(),
            ca: None,
            client_certificate: None,
            insecure_skip_verify: false,
            timeout: timeout(),
        }
    }
}

const fn timeout() -> Period {
    Period::seconds(20)
}

/// An address that a client can be sent to, without credentials in it: those would show in messages.
fn url<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    let wrong = |why: &str| serde::de::Error::custom(format!("{why}; write it as http://prometheus.monitoring:9090"));
    let url: Url = text.parse().map_err(|error| wrong(&format!("this is no URL ({error})")))?;
    if !matches!(url.scheme(), "http" | "https") || url.cannot_be_a_base() {
        return Err(wrong("the URL must begin with http:// or https://"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("give name and password under `auth: {basic: {username, password}}`, not in the URL"));
    }
    Ok(url)
}
