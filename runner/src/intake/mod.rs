//! Signals come in: payloads are checked here, entry by entry; what is usable is committed before it is answered.
//!
//! One unusable entry does not cost the others: it is kept aside with the reason, where an operator can see it.

mod entry;
mod fault;
mod signals;
#[cfg(test)]
mod tests;
mod webhook;

pub use fault::PayloadFault;
pub use signals::read_signals;
pub use webhook::read_webhook;

use marple_core::Signal;

use crate::store::Quarantined;

/// What a payload held.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Payload {
    /// What can be used.
    pub signals: Vec<Signal>,
    /// What can't.
    pub quarantined: Vec<Quarantined>,
    /// Alerts that Alertmanager left out, for its receiver's `max_alerts`.
    pub truncated: u64,
}
