//! One endpoint of the configuration: which addresses are its own, and how it is asked.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use reqwest::header::HeaderMap;
use reqwest::{RequestBuilder, Url};

use super::guard::{Guard, Names};
use super::{HttpConfig, HttpEndpoint, HttpError};
use crate::endpoint::credentials::{self, Credentials};
use crate::endpoint::{EndpointConfig, deepest, tls};
use crate::gate::glob;

/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);

/// Hosts that may be asked alike.
pub(super) struct Site {
    config: HttpEndpoint,
    headers: HeaderMap,
    credentials: Credentials,
    guard: Guard,
    client: reqwest::Client,
}

impl Site {
    pub(super) fn new(config: &HttpEndpoint, all: &HttpConfig, names: &Arc<dyn Names>) -> Result<Self, HttpError> {
        let hosts = config.hosts.join(", ");
        let wrong = |why: String| HttpError::Configuration(format!("the endpoint of {hosts}: {why}"));
        if config.hosts.is_empty() {
            return Err(HttpError::Configuration("an endpoint has no `hosts`".to_owned()));
        }
        if let Some(host) = config.hosts.iter().find(|host| host.is_empty() || host.contains(['/', '@', ' '])) {
            return Err(wrong(format!("{host:?} is no host; write it as status.example.com or *.example.com")));
        }
        // An address that is listed as it is, is on the list: nothing else can be meant.
        let literal = config.hosts.iter().filter_map(|host| bare(host).parse::<IpAddr>().ok()).map(IpNet::from);
        let networks = config.networks.iter().map(|network| network.0).chain(literal).collect();
        let guard = Guard { names: Arc::clone(names), networks, private: !all.block_internal_ips };
        let login = EndpointConfig {
            auth: config.auth.clone(),
            headers: config.headers.clone(),
            ca: config.ca.clone(),
            ..EndpointConfig::at(placeholder()?)
        };
        let builder = reqwest::Client::builder()
            .user_agent(concat!("marple/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            // Each hop of a redirect is checked like the first request.
            .redirect(reqwest::redirect::Policy::none())
            // A proxy would look names up itself, and connect where it likes.
            .no_proxy()
            // Each request looks its name up and is checked anew.
            .pool_max_idle_per_host(0)
            .dns_resolver(Arc::new(guard.clone()));
        let client =
            tls::configured(builder, &login).map_err(wrong)?.build().map_err(|error| wrong(deepest(&error)))?;
        let headers = credentials::headers(&login).map_err(wrong)?;
        Ok(Self { config: config.clone(), headers, credentials: Credentials::of(&login), guard, client })
    }

    /// Whether the address is one of this endpoint's.
    pub(super) fn lists(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.');
        let port = url.port_or_known_default().unwrap_or_default();
        let usual = if url.scheme() == "https" { 443 } else { 80 };
        let listed = if self.config.ports.is_empty() { port == usual } else { self.config.ports.contains(&port) };
        (listed || self.config.any_port)
            && self.config.hosts.iter().any(|pattern| glob::fits(pattern.trim_end_matches('.'), host))
            && self.path(url.path())
    }

    fn path(&self, path: &str) -> bool {
        let all = self.config.paths.is_empty() || self.config.paths.iter().any(|pattern| pattern == "*");
        // Some servers decode these before they look, and would take the rest for another path.
        let hidden = || {
            let lower = path.to_lowercase();
            ["%2f", "%5c", "%2e", "%25", "%00"].iter().any(|code| lower.contains(code))
        };
        all || !hidden() && self.config.paths.iter().any(|pattern| glob::fits_exactly(pattern, path))
    }

    /// A request, with its credentials where they may go. Fails where the host is an address that may not be reached.
    pub(super) async fn request(&self, url: &Url, credentials: bool) -> Result<RequestBuilder, HttpError> {
        let host = url.host_str().unwrap_or_default();
        // A name is looked up as the connection is made, and checked there.
        if let Ok(address) = bare(host).parse() {
            self.guard.check(host, address).map_err(|refused| HttpError::Denied(refused.to_string()))?;
        }
        let request = self.client.get(url.clone());
        if !credentials {
            return Ok(request);
        }
        self.credentials.log_in(request.headers(self.headers.clone())).await.map_err(HttpError::Configuration)
    }

    /// A body of the site without what logs in there: some pages show what they were asked with.
    pub(super) fn hidden_in(&self, body: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(body) {
            Ok(text) => self.credentials.hidden(&text).into_bytes(),
            Err(other) => other.into_bytes(),
        }
    }

    /// As `*.example.com/api/*`, for messages.
    pub(super) fn told(&self) -> Vec<String> {
        let ports = match self.config.ports.as_slice() {
            [] => String::new(),
            ports => format!(":{}", ports.iter().map(ToString::to_string).collect::<Vec<_>>().join("|")),
        };
        let paths: Vec<&str> = match self.config.paths.as_slice() {
            [] => vec![""],
            paths => paths.iter().map(|path| if path == "*" { "" } else { path.as_str() }).collect(),
        };
        let hosts = self.config.hosts.iter();
        hosts.flat_map(|host| paths.iter().map(|path| format!("{host}{ports}{path}")).collect::<Vec<_>>()).collect()
    }
}

/// A host without the brackets of an IPv6 address.
fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// The address that a login's configuration must have and that is never asked.
fn placeholder() -> Result<Url, HttpError> {
    Url::parse("http://unset.invalid").map_err(|error| HttpError::Configuration(error.to_string()))
}
