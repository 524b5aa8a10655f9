//! Which alert or condition a signal is about.

use marple_core::{Fingerprint, Signal, SignalSource};

use crate::correlate::HeldMember;

/// An alert or condition over its life: fingerprints of different sources may collide.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) source: SignalSource,
    pub(super) fingerprint: Fingerprint,
}

impl Key {
    pub(super) const fn of(signal: &Signal) -> Self {
        Self { source: signal.source, fingerprint: signal.fingerprint }
    }

    pub(super) const fn of_member(member: &HeldMember) -> Self {
        Self { source: member.source, fingerprint: member.fingerprint }
    }
}
