//! Why a backend gave no answer.

use std::fmt;
use std::time::Duration;

use crate::ToolError;

/// A backend, as messages name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// What it is, as `Prometheus`.
    pub name: &'static str,
    /// Where it is configured, as `prometheus`.
    pub setting: &'static str,
    /// Where it is.
    pub url: String,
}

impl fmt::Display for Peer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} at {}", self.name, self.url)
    }
}

/// Why a backend gave no answer, with what to do.
///
/// A retry can help for `Unreachable`, `Timeout`, `Busy` and `Failed`; the question must change for `TooLarge`, the
/// configuration for the others.
#[derive(Debug, thiserror::Error)]
pub enum EndpointError {
    /// The configuration can't be used.
    #[error("{setting}: {why}")]
    Configuration {
        /// Which element of the configuration.
        setting: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// No connection, or it broke.
    #[error("{peer} can't be reached: {why}; check `{}.url` and that a network policy lets marple through", peer.setting)]
    Unreachable {
        /// Which backend.
        peer: Peer,
        /// What the network said.
        why: String,
    },
    /// No answer in time.
    #[error("{peer} gave no answer in {} s; ask for a shorter time or for less", after.as_secs_f64())]
    Timeout {
        /// Which backend.
        peer: Peer,
        /// How long it was waited for.
        after: Duration,
    },
    /// The login was refused.
    #[error("{peer} refused the login (HTTP {status}); check `{0}.auth`, `{0}.tenant` and `{0}.headers`", peer.setting)]
    Unauthorized {
        /// Which backend.
        peer: Peer,
        /// 401 or 403.
        status: u16,
    },
    /// The API server, through which it is asked, does not let marple through.
    #[error("the API server does not let marple through to {peer}: {why}; allow `get` on `services/proxy`, or set `{}.url`", peer.setting)]
    Forbidden {
        /// Which backend.
        peer: Peer,
        /// What the API server said.
        why: String,
    },
    /// It has too much to do.
    #[error("{peer} takes no more requests now (HTTP 429{}); ask again later, or for less", waiting(*after))]
    Busy {
        /// Which backend.
        peer: Peer,
        /// How long it asks to wait.
        after: Option<Duration>,
    },
    /// The answer is larger than what is read.
    #[error("the answer of {peer} is larger than {limit} MiB; ask for a shorter time, fewer labels or a sum")]
    TooLarge {
        /// Which backend.
        peer: Peer,
        /// What is read at most.
        limit: usize,
    },
    /// It failed in answering.
    #[error("{peer} failed (HTTP {status}): {why}")]
    Failed {
        /// Which backend.
        peer: Peer,
        /// The status of its answer.
        status: u16,
        /// What it said.
        why: String,
    },
    /// What came is not the backend's answer.
    #[error("what answers at {} doesn't speak the API of {}: {why}; check `{}.url`, also its path", peer.url, peer.name, peer.setting)]
    Answer {
        /// Which backend.
        peer: Peer,
        /// What is wrong with it.
        why: String,
    },
}

impl EndpointError {
    /// Whether any other question would fail likewise.
    pub fn is_away(&self) -> bool {
        match self {
            Self::Configuration { .. }
            | Self::Unreachable { .. }
            | Self::Unauthorized { .. }
            | Self::Forbidden { .. }
            | Self::Answer { .. } => true,
            Self::Timeout { .. } | Self::Busy { .. } | Self::TooLarge { .. } | Self::Failed { .. } => false,
        }
    }
}

impl From<EndpointError> for ToolError {
    fn from(error: EndpointError) -> Self {
        let text = error.to_string();
        match error {
            EndpointError::TooLarge { .. } => Self::Arguments(text),
            EndpointError::Unauthorized { .. } | EndpointError::Forbidden { .. } => Self::Forbidden(text),
            EndpointError::Configuration { .. }
            | EndpointError::Unreachable { .. }
            | EndpointError::Timeout { .. }
            | EndpointError::Busy { .. }
            | EndpointError::Failed { .. }
            | EndpointError::Answer { .. } => Self::Backend(text),
        }
    }
}

fn waiting(after: Option<Duration>) -> String {
    after.map(|after| format!(", wait {} s", after.as_secs())).unwrap_or_default()
}

/// The innermost cause: the outer ones say only that a request failed.
pub(crate) fn deepest(error: &dyn std::error::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    deepest.to_string()
}

/// An error and its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.extend([": ", &cause_text]);
        }
        source = cause.source();
    }
    text
}
