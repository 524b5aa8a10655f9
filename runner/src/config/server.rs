//! The listener.

use std::net::{Ipv4Addr, SocketAddr};

use marple_core::{Period, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use super::ConfigError;

/// Where signals come in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Address and port. Beyond loopback a token is required.
    pub listen: SocketAddr,
    /// The bearer token that Alertmanager and other clients send.
    pub token: Option<Secret>,
    /// The bearer token of those who may approve calls. Absent: nobody may.
    pub approver_token: Option<Secret>,
    /// The address under which people reach marple, for links in messages. A link opens the page of its incident without
    /// the token.
    pub base_url: Option<String>,
    /// How long a link holds after its incident last changed. Default: `7d`.
    pub link_lifetime: Period,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            token: None,
            approver_token: None,
            base_url: None,
            link_lifetime: Period::days(7),
        }
    }
}

impl ServerConfig {
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.token.is_none() && !self.listen.ip().is_loopback() {
            return Err(ConfigError::value(
                "server.token",
                format!("{} is reachable from other machines: set a token, or listen on 127.0.0.1", self.listen),
            ));
        }
        if self.token.as_ref().is_some_and(|token| token.expose().trim().is_empty()) {
            return Err(ConfigError::value("server.token", "is empty: anyone would be let in"));
        }
        if let Some(approver) = &self.approver_token {
            if approver.expose().trim().is_empty() {
                return Err(ConfigError::value("server.approver_token", "is empty: anyone could approve"));
            }
            if self.token.as_ref().is_some_and(|token| token.expose() == approver.expose()) {
                return Err(ConfigError::value(
                    "server.approver_token",
                    "is the same as `server.token`: whoever posts alerts could approve changes",
                ));
            }
        }
        if let Some(url) = &self.base_url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            return Err(ConfigError::value("server.base_url", format!("{url:?} is no http or https URL")));
        }
        if !(Period::hours(1)..=Period::days(90)).contains(&self.link_lifetime) {
            let what = format!("{} is not between 1h and 90d", self.link_lifetime);
            return Err(ConfigError::value("server.link_lifetime", what));
        }
        Ok(())
    }
}
