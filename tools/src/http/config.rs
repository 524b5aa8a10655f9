//! Where pages may be got from.

use std::collections::BTreeMap;

use marple_core::{Period, Secret};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::endpoint::Authentication;
use crate::network::Network;

/// Pages and APIs that may be read by GET: status pages, wikis, health checks. Without endpoints the tool is not
/// offered.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// Where requests may go, redirects too.
    pub endpoints: Vec<HttpEndpoint>,
    /// How long one request may take, redirects and all.
    pub timeout: Period,
    /// Whether names that lead to private addresses are refused. Even if not, those that lead to loopback and link-local
    /// ones are, unless `networks` lists them, and a cloud's metadata service is never reached.
    pub block_internal_ips: bool,
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self { endpoints: Vec::new(), timeout: Period::seconds(15), block_internal_ips: true }
    }
}

/// Hosts that may be asked alike.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HttpEndpoint {
    /// Names or addresses, where `*` stands for any letters, as `*.example.com`.
    pub hosts: Vec<String>,
    /// Paths, where `*` stands for any letters, as `/api/*`; all by default.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Ports; 80 for http and 443 for https by default.
    #[serde(default)]
    pub ports: Vec<u16>,
    /// Whether all ports are listed: files of toolsets don't name any.
    #[serde(skip)]
    pub(crate) any_port: bool,
    /// Networks inside that these hosts may lead to, as `10.96.0.0/16`.
    #[serde(default)]
    pub networks: Vec<Network>,
    /// How to log in; without it, not at all.
    #[serde(default)]
    pub auth: Option<Authentication>,
    /// Further headers of each request. Like the login they go to these hosts only, and not along a redirect to another.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Certificates to trust besides those of the system, in PEM: the text itself or a file's path.
    #[serde(default)]
    pub ca: Option<String>,
}
