//! A connection to a server.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use reqwest::header::HeaderMap;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation};
use rmcp::service::{ClientInitializeError, Peer, RoleClient, RunningService, ServiceExt};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::{StreamableHttpClientTransportConfig, StreamableHttpError};

use super::settings::{Address, Reach};
use super::sse::EventsTransport;
use super::stdio::Program;
use crate::endpoint::chain;

/// How long connecting may take, the first words of both sides included.
const DEADLINE: Duration = Duration::from_secs(10);

/// The largest answer that is taken, in bytes.
pub(super) const LARGEST: usize = 8 * 1024 * 1024;

/// A server could not be connected to. Trying again helps where it is down.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct ConnectError(pub(super) String);

/// A connection to a server. Dropped, it is closed, and a program that it speaks to is ended.
pub(super) struct Connection {
    service: RunningService<RoleClient, ClientConfig>,
    /// Held for its end.
    _program: Option<Program>,
}

impl Connection {
    /// Connects.
    pub(super) async fn open(reach: &Reach) -> Result<Self, ConnectError> {
        let opened = tokio::time::timeout(DEADLINE, Self::connect(reach)).await;
        opened.unwrap_or_else(|_| Err(ConnectError(format!("no answer in {} s", DEADLINE.as_secs()))))
    }

    async fn connect(reach: &Reach) -> Result<Self, ConnectError> {
        let of = |service| Self { service, _program: None };
        match reach {
            Reach::Program { .. } => {
                let (mut program, streams) = Program::start(reach)?;
                match us().serve(streams).await {
                    Ok(service) => Ok(Self { service, _program: Some(program) }),
                    Err(error) => Err(ConnectError(format!("{}{}", told(&error), program.last_words().await))),
                }
            }
            Reach::Http(address) => {
                let mut config = StreamableHttpClientTransportConfig::with_uri(address.url.as_str());
                config.custom_headers = headers(address)?
                    .into_iter()
                    .filter_map(|(name, value)| Some((name?, value)))
                    .collect::<HashMap<_, _>>();
                let config = config.max_json_response_size(LARGEST).max_sse_event_size(LARGEST);
                let transport = StreamableHttpClientTransport::with_client(client(address)?, config);
                us().serve(transport).await.map(of).map_err(|error| ConnectError(told(&error)))
            }
            Reach::Events(address) => {
                let transport = EventsTransport::connect(client(address)?, address, headers(address)?).await?;
                us().serve(transport).await.map(of).map_err(|error| ConnectError(told(&error)))
            }
        }
    }

    /// Whether the other side is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.service.is_closed()
    }

    /// What is spoken to.
    pub(super) fn peer(&self) -> &Peer<RoleClient> {
        self.service.peer()
    }
}

/// What is said of marple. It offers the server nothing: no sampling, no files, no questions to people.
fn us() -> ClientConfig {
    ClientConfig::new(ClientCapabilities::default(), Implementation::new("marple", env!("CARGO_PKG_VERSION")))
}

fn client(address: &Address) -> Result<reqwest::Client, ConnectError> {
    reqwest::Client::builder()
        // Headers may be credentials: they go where the configuration says or nowhere.
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(DEADLINE)
        .pool_max_idle_per_host(0)
        .danger_accept_invalid_certs(address.insecure)
        .build()
        .map_err(|error| ConnectError(error.to_string()))
}

fn headers(address: &Address) -> Result<HeaderMap, ConnectError> {
    let mut headers = HeaderMap::new();
    for (name, value) in &address.headers {
        let wrong = || ConnectError(format!("the header {name:?} has a name or value that HTTP doesn't allow"));
        let mut value = HeaderValue::from_str(value.expose()).map_err(|_| wrong())?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_str(name).map_err(|_| wrong())?, value);
    }
    Ok(headers)
}

/// Why connecting failed; the names of a transport's types say nothing to people.
fn told(error: &ClientInitializeError) -> String {
    match error {
        ClientInitializeError::TransportError { error, .. } => of_transport(error.error.as_ref()),
        other => chain(other),
    }
}

/// A failed request's causes: the transport's error tells them as no source of its own.
fn of_transport(error: &(dyn std::error::Error + Send + Sync + 'static)) -> String {
    match error.downcast_ref::<StreamableHttpError<reqwest::Error>>() {
        Some(StreamableHttpError::Client(request)) => chain(request),
        _ => chain(error),
    }
}
