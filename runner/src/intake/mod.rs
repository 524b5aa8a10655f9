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

use marple_core::{Labels, Signal};
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
    /// Takes secrets out of what people wrote into it. Labels stay: they say which alert it is, and routes match them.
    pub fn redact(&mut self, redact: &dyn Redact) {
        self::redact(&mut self.signals, redact);
        for entry in &mut self.quarantined {
            entry.body = redact.redact(&entry.body);
        }
    }
}

/// Takes secrets out of the annotations of signals.
pub fn redact(signals: &mut [Signal], redact: &dyn Redact) {
    for signal in signals {
        let annotations = std::mem::take(&mut signal.annotations);
        signal.annotations =
            annotations.iter().map(|(name, text)| (name, annotation(name, text, redact))).collect::<Labels>();
    }
}

/// An annotation's text, read for itself and as what stands after its name: that may tell that it is a secret.
fn annotation(name: &str, text: &str, redact: &dyn Redact) -> String {
    let whole = redact.redact(&format!("{name}: {}", redact.redact(text)));
    whole.strip_prefix(name).and_then(|rest| rest.strip_prefix(": ")).map_or(whole.clone(), str::to_owned)
}
