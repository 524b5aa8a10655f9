//! Where messages go.
//!
//! A sink says one incident to one receiver and gives back a receipt, by which it later changes what it said. It is
//! called by the outbox (`crate::outbox`), which repeats it until it confirms; so each sink makes sure that a
//! repetition isn't seen twice.

mod config;
mod error;
mod file;
mod net;
mod payload;
mod sink;
mod slack;
mod stdout;
mod webhook;

pub use config::{ConfigError, ReceiverConfig, build};
pub use error::SinkError;
pub use file::{FileConfig, FileSink};
pub use net::client;
pub use payload::{Payload, PayloadEvidence, schema};
pub use sink::{Attempt, ProgressError, ReceiptProgress, Sink};
pub use slack::{SlackConfig, SlackSink};
pub use stdout::{Colour, StdoutConfig, StdoutSink};
pub use webhook::{DELIVERY_HEADER, SIGNATURE_HEADER, WebhookConfig, WebhookSink, signature};
