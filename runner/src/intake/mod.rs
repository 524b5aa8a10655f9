//! Signals come in: payloads are checked here, entry by entry; what is usable is committed before it is answered.
//!
//! One unusable entry does not cost the others: it is kept aside with the reason, where an operator can see it.

mod changes;
mod entry;
mod fault;
mod redact;
mod signals;
#[cfg(test)]
mod tests;
mod topology;
mod webhook;

pub use changes::{read_changes, redacted_changes};
pub use fault::PayloadFault;
pub use redact::redact;
pub use signals::read_signals;
pub use topology::read_topology;
pub use webhook::read_webhook;

use marple_core::Signal;
use marple_tools::Redact;

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

impl Payload {
    /// Takes secrets out of all that is kept of it.
    pub fn redact(&mut self, redact: &dyn Redact) {
        self::redact(&mut self.signals, redact);
        for entry in &mut self.quarantined {
            for text in [&mut entry.body, &mut entry.reason, &mut entry.pointer] {
                if let Some(clean) = redact.without_secrets(text) {
                    *text = clean;
                }
            }
        }
    }
}
