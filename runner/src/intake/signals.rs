//! Signals as a forwarder sends them.

use marple_core::Signal;
use serde::Deserialize;
use serde_json::Value;

use super::entry::{aside, check, kind};
use super::{Payload, PayloadFault};

/// Reads an array of signals.
pub fn read_signals(body: &[u8]) -> Result<Payload, PayloadFault> {
    if let Ok(signals) = serde_json::from_slice::<Vec<Signal>>(body) {
        return Ok(Payload { signals, ..Payload::default() });
    }
    let whole: Value = serde_json::from_slice(body).map_err(|error| PayloadFault::syntax(&error))?;
    let Value::Array(entries) = &whole else {
        return Err(PayloadFault::at("", format!("signals are an array, this is {}", kind(&whole))));
    };
    let mut payload = Payload::default();
    for (index, entry) in entries.iter().enumerate() {
        let pointer = format!("/{index}");
        let read = check(entry, &pointer, "starts_at", "ends_at")
            .and_then(|()| Signal::deserialize(entry).map_err(|error| PayloadFault::at(&pointer, error.to_string())));
        match read {
            Ok(signal) => payload.signals.push(signal),
            Err(fault) => payload.quarantined.push(aside("signals", fault, entry)),
        }
    }
    Ok(payload)
}
