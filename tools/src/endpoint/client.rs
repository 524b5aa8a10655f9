//! The client of a backend.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode, Url};
use serde_json::Value;

use super::credentials::{self, Credentials};
use super::error::deepest;
use super::form::encoded;
use super::{EndpointConfig, EndpointError, Peer, Reply, reply, tls};

/// How long a connection may take to be made.
const CONNECT: Duration = Duration::from_secs(5);

/// A backend. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Endpoint(Arc<Inner>);

struct Inner {
    peer: Peer,
    way: Way,
    timeout: Duration,
}

/// How requests get there.
enum Way {
    Direct {
        client: reqwest::Client,
        base: Url,
        credentials: Credentials,
    },
    /// Through the API server, which logs marple in there and nowhere else.
    Proxied {
        client: kube::Client,
        base: String,
    },
}

/// A Service that is reached through the API server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ServicePath<'a> {
    /// Its namespace.
    pub(crate) namespace: &'a str,
    /// Its name.
    pub(crate) service: &'a str,
    /// Its port.
    pub(crate) port: u16,
    /// Whether it speaks TLS.
    pub(crate) tls: bool,
    /// What comes before the API's path: empty, or with a slash at its end.
    pub(crate) prefix: &'a str,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Endpoint").field(&self.0.peer).finish()
    }
}

/// The body of a request: its media type and its text.
type Body = (&'static str, String);

impl Endpoint {
    /// The backend of a configuration: what it is, as `Prometheus`, and the element that says where it is, as
    /// `prometheus`. Nothing is sent yet.
    pub fn new(name: &'static str, setting: &'static str, config: &EndpointConfig) -> Result<Self, EndpointError> {
        let wrong = |why: String| EndpointError::Configuration { setting, why };
        let builder = reqwest::Client::builder()
            .default_headers(credentials::headers(config).map_err(wrong)?)
            .user_agent(concat!("marple/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.timeout.duration().min(CONNECT))
            // A redirect could carry the credentials elsewhere.
            .redirect(reqwest::redirect::Policy::none());
        let builder = tls::configured(builder, config).map_err(wrong)?;
        let client = builder.build().map_err(|error| wrong(deepest(&error)))?;
        let mut base = config.url.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base.set_query(None);
        base.set_fragment(None);
        let peer = Peer { name, setting, url: base.to_string() };
        let way = Way::Direct { client, base, credentials: Credentials::of(config) };
        Ok(Self(Arc::new(Inner { peer, way, timeout: config.timeout.duration() })))
    }

    /// A Service of the cluster, through the API server: takes `get` on `services/proxy` in its namespace.
    pub(crate) fn proxied(
        name: &'static str,
        setting: &'static str,
        client: kube::Client,
        to: ServicePath<'_>,
        timeout: Duration,
    ) -> Self {
        let ServicePath { namespace, service, port, tls, prefix } = to;
        let scheme = if tls { "https:" } else { "" };
        let base = format!("/api/v1/namespaces/{namespace}/services/{scheme}{service}:{port}/proxy/{prefix}");
        let url = format!("Service {namespace}/{service}:{port} through the API server");
        let peer = Peer { name, setting, url };
        Self(Arc::new(Inner { peer, way: Way::Proxied { client, base }, timeout }))
    }

    /// The backend, as messages name it.
    pub fn peer(&self) -> &Peer {
        &self.0.peer
    }

    /// How long a request may take.
    pub fn timeout(&self) -> Duration {
        self.0.timeout
    }

    /// Asks a path below the base URL, as `api/v1/labels`; each part of it must be escaped.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Reply, EndpointError> {
        self.send(Method::GET, path, query, None).await
    }

    /// Asks a path below the base URL by a form, since a query may be longer than a URL; by GET where nothing else is let
    /// through.
    pub async fn ask(&self, path: &str, form: &[(&str, &str)]) -> Result<Reply, EndpointError> {
        // The API server takes a POST for `create` on `services/proxy`, which one who only looks doesn't have.
        if matches!(self.0.way, Way::Proxied { .. }) {
            return self.get(path, form).await;
        }
        let posted = self.post_form(path, form).await?;
        if matches!(posted.status(), StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED) {
            return self.get(path, form).await;
        }
        Ok(posted)
    }

    /// Asks a path below the base URL with a form.
    pub async fn post_form(&self, path: &str, form: &[(&str, &str)]) -> Result<Reply, EndpointError> {
        self.send(Method::POST, path, &[], Some(("application/x-www-form-urlencoded", encoded(form)))).await
    }

    /// Asks a path below the base URL with a JSON value.
    pub async fn post_json(&self, path: &str, query: &[(&str, &str)], body: &Value) -> Result<Reply, EndpointError> {
        self.send(Method::POST, path, query, Some(("application/json", body.to_string()))).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        query: &[(&str, &str)],
        body: Option<Body>,
    ) -> Result<Reply, EndpointError> {
        let wrong = |why: String| EndpointError::Configuration { setting: self.0.peer.setting, why };
        match &self.0.way {
            Way::Direct { client, base, credentials } => {
                let extended = base.join(path);
                let mut url = extended.map_err(|error| wrong(format!("`url` can't be extended by {path}: {error}")))?;
                if !query.is_empty() {
                    url.set_query(Some(&encoded(query)));
                }
                let mut request = client.request(method, url).timeout(self.0.timeout);
                if let Some((media_type, text)) = body {
                    request = request.header(CONTENT_TYPE, media_type).body(text);
                }
                let request = credentials.log_in(request).await.map_err(wrong)?;
                let response = request.send().await.map_err(|error| self.broken(&error))?;
                reply::read(self, response.into(), |error| self.broken(error)).await
            }
            Way::Proxied { client, base } => {
                let query = if query.is_empty() { String::new() } else { format!("?{}", encoded(query)) };
                let mut request = http::Request::builder().method(method).uri(format!("{base}{path}{query}"));
                if let Some((media_type, _)) = &body {
                    request = request.header(CONTENT_TYPE, *media_type);
                }
                let body = body.map(|(_, text)| text.into_bytes()).unwrap_or_default();
                let request = request.body(kube::client::Body::from(body)).map_err(|error| wrong(error.to_string()))?;
                let peer = || self.0.peer.clone();
                let unreachable =
                    |why: String| EndpointError::Unreachable { peer: peer(), why: format!("the API server: {why}") };
                let asked = async {
                    let response = client.send(request).await.map_err(|error| unreachable(deepest(&error)))?;
                    reply::read(self, response, |error| unreachable(error.to_string())).await
                };
                match tokio::time::timeout(self.0.timeout, asked).await {
                    Ok(reply) => reply,
                    Err(_) => Err(EndpointError::Timeout { peer: peer(), after: self.0.timeout }),
                }
            }
        }
    }

    /// Whether it is the API server that answers for the backend.
    pub(super) fn is_proxied(&self) -> bool {
        matches!(self.0.way, Way::Proxied { .. })
    }

    /// The error of a connection that broke.
    fn broken(&self, error: &reqwest::Error) -> EndpointError {
        let peer = self.0.peer.clone();
        if error.is_timeout() && !error.is_connect() {
            return EndpointError::Timeout { peer, after: self.0.timeout };
        }
        EndpointError::Unreachable { peer, why: deepest(error) }
    }

    /// A text of the backend as it may be told: its start, without what is configured as secret.
    pub(super) fn told(&self, text: &str) -> String {
        const LONGEST: usize = 300;
        let text = match &self.0.way {
            Way::Direct { credentials, .. } => credentials.hidden(text.trim()),
            Way::Proxied { .. } => text.trim().to_owned(),
        };
        if text.chars().count() <= LONGEST {
            text
        } else {
            format!("{}…", text.chars().take(LONGEST - 1).collect::<String>())
        }
    }
}
