//! The older transport of MCP (2024-11-05): a stream of events that names an address, to which messages are posted.

use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::stream::{BoxStream, StreamExt};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Url};
use rmcp::model::{ClientJsonRpcMessage, ServerJsonRpcMessage};
use rmcp::service::RoleClient;
use rmcp::transport::Transport;

use super::connection::{ConnectError, LARGEST};
use super::settings::Address;

/// How long a message may take to be accepted.
const POSTING: Duration = Duration::from_secs(30);

/// A message was not accepted.
#[derive(Debug, thiserror::Error)]
pub(super) enum PostError {
    /// It did not come through.
    #[error("post a message: {0}")]
    Request(#[from] reqwest::Error),
    /// It was refused.
    #[error("a message was answered with HTTP {0}")]
    Refused(u16),
    /// It could not be written.
    #[error("write a message: {0}")]
    Message(#[from] serde_json::Error),
}

/// The transport.
pub(super) struct EventsTransport {
    client: Client,
    headers: HeaderMap,
    /// Where messages are posted.
    endpoint: Url,
    messages: BoxStream<'static, String>,
}

impl EventsTransport {
    /// Opens the stream and waits for the address in it.
    pub(super) async fn connect(client: Client, address: &Address, headers: HeaderMap) -> Result<Self, ConnectError> {
        let failed = |error: reqwest::Error| ConnectError(error.without_url().to_string());
        let request = client.get(address.url.clone()).headers(headers.clone()).header(ACCEPT, "text/event-stream");
        let answer = request.send().await.map_err(failed)?;
        if !answer.status().is_success() {
            return Err(ConnectError(format!(
                "the stream of events was answered with HTTP {}",
                answer.status().as_u16()
            )));
        }
        let mut events = Box::pin(bounded(answer).eventsource().filter_map(|event| std::future::ready(event.ok())));
        let endpoint = loop {
            let Some(event) = events.next().await else {
                return Err(ConnectError("the stream of events ended before it named an address".to_owned()));
            };
            if event.event == "endpoint" {
                break event.data;
            }
        };
        let endpoint =
            address.url.join(endpoint.trim()).map_err(|error| ConnectError(format!("{endpoint:?}: {error}")))?;
        // Headers may be credentials.
        if endpoint.origin() != address.url.origin() {
            return Err(ConnectError(format!("it names an address of another host, {endpoint}")));
        }
        let messages =
            events.filter_map(|event| std::future::ready((event.event == "message").then_some(event.data))).boxed();
        Ok(Self { client, headers, endpoint, messages })
    }
}

/// The body's chunks, up to an event that is too large: such a stream ends.
fn bounded(answer: reqwest::Response) -> impl futures::Stream<Item = Result<bytes::Bytes, reqwest::Error>> + Send {
    let chunks = answer.bytes_stream().scan(0, |since, chunk| {
        let ends = |chunk: &bytes::Bytes| {
            [&b"\n\n"[..], b"\r\n\r\n"].iter().any(|end| chunk.windows(end.len()).any(|part| part == *end))
        };
        match &chunk {
            Ok(chunk) if ends(chunk) => *since = 0,
            Ok(chunk) => *since += chunk.len(),
            Err(_) => {}
        }
        std::future::ready((*since <= LARGEST).then_some(chunk))
    });
    chunks.take_while(|chunk| std::future::ready(chunk.is_ok()))
}

impl Transport<RoleClient> for EventsTransport {
    type Error = PostError;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = Result<(), PostError>> + Send + 'static {
        let request = self.client.post(self.endpoint.clone()).headers(self.headers.clone()).timeout(POSTING);
        async move {
            let body = serde_json::to_vec(&message)?;
            let answer = request.header(CONTENT_TYPE, "application/json").body(body).send().await;
            let status = answer.map_err(reqwest::Error::without_url)?.status();
            if status.is_success() { Ok(()) } else { Err(PostError::Refused(status.as_u16())) }
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        loop {
            let text = self.messages.next().await?;
            match serde_json::from_str(&text) {
                Ok(message) => return Some(message),
                Err(error) => tracing::debug!(%error, "a message of an MCP server can't be read"),
            }
        }
    }

    async fn close(&mut self) -> Result<(), PostError> {
        self.messages = futures::stream::empty().boxed();
        Ok(())
    }
}
