//! What a backend answered.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http::header::{CONTENT_TYPE, HeaderMap, LOCATION, RETRY_AFTER};
use http_body::Body;
use http_body_util::BodyExt as _;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Endpoint, EndpointError};

/// The largest answer that is read: far more than anyone can use, and it fits into memory.
const LARGEST: usize = 32 << 20;

/// What a backend answered, whole.
#[derive(Debug)]
pub struct Reply {
    endpoint: Endpoint,
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

/// Reads an answer to its end. A refused login and a full queue are errors whatever they say; what else the status
/// means is the backend's own to know.
pub(super) async fn read<B>(
    endpoint: &Endpoint,
    response: http::Response<B>,
    broken: impl FnOnce(&B::Error) -> EndpointError,
) -> Result<Reply, EndpointError>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (head, mut rest) = response.into_parts();
    let peer = || endpoint.peer().clone();
    let refused = matches!(head.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    if refused && !endpoint.is_proxied() {
        return Err(EndpointError::Unauthorized { peer: peer(), status: head.status.as_u16() });
    }
    if head.status == StatusCode::TOO_MANY_REQUESTS {
        return Err(EndpointError::Busy { peer: peer(), after: retry_after(&head.headers) });
    }
    let mut body = Vec::new();
    while let Some(frame) = rest.frame().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) => return Err(broken(&error)),
        };
        let Some(chunk) = frame.data_ref() else { continue };
        if body.len() + chunk.len() > LARGEST {
            return Err(EndpointError::TooLarge { peer: peer(), limit: LARGEST >> 20 });
        }
        body.extend_from_slice(chunk);
    }
    if refused {
        return Err(of_proxy(endpoint, head.status, &body));
    }
    Ok(Reply { endpoint: endpoint.clone(), status: head.status, headers: head.headers, body })
}

/// A refusal that came through the API server: its own, which says so, or the backend's.
fn of_proxy(endpoint: &Endpoint, status: StatusCode, body: &[u8]) -> EndpointError {
    let peer = endpoint.peer().clone();
    match serde_json::from_slice::<Status>(body) {
        Ok(own) if own.kind == "Status" => EndpointError::Forbidden { peer, why: endpoint.told(&own.message) },
        _ => EndpointError::Unauthorized { peer, status: status.as_u16() },
    }
}

/// What the API server says of a request that it did not let through.
#[derive(Deserialize)]
struct Status {
    kind: String,
    #[serde(default)]
    message: String,
}

impl Reply {
    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// Its body.
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// Its body as JSON. A status that is no success, and a body of another form, are errors.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, EndpointError> {
        if !self.status.is_success() {
            return Err(self.refused());
        }
        serde_json::from_slice(&self.body).map_err(|error| self.strange(&self.form_told(&error.to_string())))
    }

    /// The error of an answer that is no success and doesn't say why in a form that the caller knows.
    pub fn refused(&self) -> EndpointError {
        let text = String::from_utf8_lossy(&self.body);
        if self.status.is_server_error() {
            return self.failed(&text);
        }
        if let Some(to) = self.headers.get(LOCATION).and_then(|to| to.to_str().ok()) {
            return self.strange(&format!("HTTP {}, it sends on to {to}", self.status.as_u16()));
        }
        self.strange(&format!("HTTP {}, {:?}", self.status.as_u16(), self.endpoint.told(&text)))
    }

    /// The error of a backend that says why it failed.
    pub fn failed(&self, why: &str) -> EndpointError {
        let (peer, status) = (self.endpoint.peer().clone(), self.status.as_u16());
        EndpointError::Failed { peer, status, why: self.endpoint.told(why) }
    }

    /// The error of an answer that is not in the form of the backend's API.
    pub fn strange(&self, why: &str) -> EndpointError {
        EndpointError::Answer { peer: self.endpoint.peer().clone(), why: self.endpoint.told(why) }
    }

    /// A text that the backend said, as it may be told: its start, without what is configured as secret.
    pub fn told(&self, text: &str) -> String {
        self.endpoint.told(text)
    }

    /// What is wrong with the form of a body: a page for people is more to the point than where it is no JSON.
    fn form_told(&self, error: &str) -> String {
        let media_type = self.headers.get(CONTENT_TYPE).and_then(|media_type| media_type.to_str().ok());
        match media_type {
            Some(media_type) if !media_type.contains("json") => format!("it answers in {media_type} ({error})"),
            _ => error.to_owned(),
        }
    }
}

/// How long a server asks to wait, where it says so in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
