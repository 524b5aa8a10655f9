//! Signals for tests.

use jiff::Timestamp;
use marple_core::{Fingerprint, Labels, ObjectRef, Severity, Signal, SignalSource, SignalStatus};

/// A signal that differs from others by its number.
pub(crate) fn signal(number: u64, status: SignalStatus) -> Signal {
    Signal {
        source: SignalSource::Forwarder,
        fingerprint: Fingerprint::from_bits(number),
        status,
        name: "PodCrashLooping".to_owned(),
        severity: Severity::Warning,
        subject: Some(ObjectRef::namespaced("Pod", "shop", format!("cart-{number}"))),
        labels: [("alertname", "PodCrashLooping")].into_iter().collect::<Labels>(),
        annotations: Labels::new(),
        starts_at: Timestamp::UNIX_EPOCH,
        ends_at: (status == SignalStatus::Resolved).then_some(Timestamp::UNIX_EPOCH),
        generator_url: None,
    }
}
