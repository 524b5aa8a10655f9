//! Signals that came in.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Signal, SignalSource};
use marple_forwarder::{Sequence, Telling};
use serde::Serialize;

use super::StoreError;

/// The place of a signal in the order in which signals were accepted; never given twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct SignalSeq(pub i64);

/// An entry of a payload that could not be used, kept so that somebody can see why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Quarantined {
    /// Where it came in: `alerts` or `signals`.
    pub origin: &'static str,
    /// What is wrong with it.
    pub reason: String,
    /// Where in the payload the fault is, as a JSON pointer.
    pub pointer: String,
    /// The entry as it came, cut at 16 KiB.
    pub body: String,
}

/// What is kept of an unusable entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct QuarantineEntry {
    /// Where it came in: `alerts` or `signals`.
    pub origin: String,
    /// What is wrong with it.
    pub reason: String,
    /// Where in the payload the fault was, as a JSON pointer.
    pub pointer: String,
    /// The entry as it came, cut at 16 KiB.
    pub body: String,
    /// How often the same came.
    pub count: u64,
    /// When it came first.
    pub first_at: Timestamp,
    /// When it came last.
    pub last_at: Timestamp,
}

/// How many were accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Accepted {
    /// Signals that were not known.
    pub new: usize,
    /// Signals that had been accepted before.
    pub duplicate: usize,
}

/// Signals, from their acceptance to their correlation.
#[async_trait]
pub trait Signals: Send + Sync {
    /// Keeps signals; when it returns they survive a crash and the loss of power.
    ///
    /// Idempotent: a signal of the same source, fingerprint, start, status and end is a duplicate, unless the opposite
    /// status came more than a minute ago (Alertmanager keeps the start of an alert that it lost sight of for a while).
    async fn accept(
        &self,
        signals: Vec<Signal>,
        quarantined: Vec<Quarantined>,
        at: Timestamp,
    ) -> Result<Accepted, StoreError> {
        self.accept_once(None, signals, quarantined, at).await
    }

    /// The same, of a delivery that has a number: where that or a later one of its stream was taken in, all of it is
    /// duplicate, also what would be news again.
    async fn accept_once(
        &self,
        sequence: Option<Sequence>,
        signals: Vec<Signal>,
        quarantined: Vec<Quarantined>,
        at: Timestamp,
    ) -> Result<Accepted, StoreError>;

    /// The signals that no incident has taken account of, oldest first.
    async fn unprocessed(&self, limit: u32) -> Result<Vec<(SignalSeq, Signal)>, StoreError>;

    /// Wakes whoever waits for unprocessed signals.
    fn arrived(&self) -> &tokio::sync::Notify;

    /// The signals of a source whose last word is that they hold.
    async fn firing(&self, source: SignalSource) -> Result<Vec<Signal>, StoreError>;

    /// When each condition of a source was told that holds, or has ended after `since`; of very many the latest.
    async fn told(&self, source: SignalSource, since: Timestamp) -> Result<Vec<Telling>, StoreError>;

    /// The entries that could not be used, latest first.
    async fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineEntry>, StoreError>;
}
