//! Hands signals on, at least once.

mod courier;
#[cfg(test)]
pub(crate) mod fixture;
mod http;
mod outbox;
mod parcel;
mod pump;
mod sequence;
mod spool;

use std::time::Duration;

use async_trait::async_trait;
use marple_core::Signal;
use metrics::counter;

pub use courier::Courier;
pub use http::{EndpointError, HttpDeliver, RunnerEndpoint};
pub(crate) use outbox::Outbox;
pub(crate) use pump::Pump;
pub use sequence::{Sequence, SequenceError};
pub use spool::SpoolError;

use crate::metric;
use crate::pauses::Pauses;

/// How long one delivery or answer may take, whatever the receiver's own deadline is.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// A delivery that ends within the deadline.
pub(crate) async fn in_time(delivery: impl Future<Output = Result<(), DeliverError>>) -> Result<(), DeliverError> {
    tokio::time::timeout(DEADLINE, delivery)
        .await
        .unwrap_or_else(|_| Err(DeliverError::Unreachable(format!("no answer in {} s", DEADLINE.as_secs()).into())))
}

/// Hands something on until it is taken, with pauses; an error is the reason of a refusal, after which no try helps.
/// `away` is told each time that a try failed.
pub(crate) async fn until_taken<F>(what: &str, hand_on: impl Fn() -> F, away: impl Fn()) -> Result<(), String>
where
    F: Future<Output = Result<(), DeliverError>>,
{
    let mut pauses = Pauses::default();
    loop {
        let error = match in_time(hand_on()).await {
            Ok(()) => return Ok(()),
            Err(DeliverError::Refused(reason)) => return Err(reason),
            Err(error) => error,
        };
        away();
        let wait = pauses.after(&error);
        counter!(metric::DELIVERY_FAILURES, "class" => error.class()).increment(1);
        tracing::warn!(%error, ?wait, what, "not delivered; it is tried again");
        tokio::time::sleep(wait).await;
    }
}

/// Signals were not taken.
#[derive(Debug, thiserror::Error)]
pub enum DeliverError {
    /// The runner is full. Trying again helps, after the time that it names.
    #[error("the runner is full")]
    Busy {
        /// How long it asks to be left alone.
        retry_after: Option<Duration>,
    },
    /// The runner was not reached, or failed. Trying again helps.
    #[error("the runner was not reached: {0}")]
    Unreachable(Box<dyn std::error::Error + Send + Sync>),
    /// The runner doesn't accept the token. Trying again helps once the token is mended on either side.
    #[error("the runner refuses the token (status {status}); set the same token in the forwarder and the runner")]
    Unauthorized {
        /// The HTTP status, 401 or 403.
        status: u16,
    },
    /// The runner refuses these signals as they are. Trying the same again doesn't help; fewer at once may.
    #[error("the runner refuses the signals: {0}")]
    Refused(String),
}

impl DeliverError {
    /// One word for the metric.
    pub(crate) const fn class(&self) -> &'static str {
        match self {
            Self::Busy { .. } => "busy",
            Self::Unreachable(_) => "unreachable",
            Self::Unauthorized { .. } => "unauthorized",
            Self::Refused(_) => "refused",
        }
    }
}

/// Where signals go: the intake in the same process, or a runner apart ([`Courier`]).
#[async_trait]
pub trait Deliver: Send + Sync {
    /// Hands on; `Ok` when all are stored there for good. What is delivered twice is the same signal.
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError>;
}
