//! The forwarder in the same process: its signals, changes and links go through the store like all others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Signal, SignalSource};
use marple_forwarder::change::{Batch, Chronicle, Kept};
use marple_forwarder::{Atlas, Deliver, DeliverError, Known, KnownError, Telling, topology};
use marple_tools::Redact;

use crate::clock::Clock;
use crate::intake;
use crate::store::{Changes, Signals, StoreError, Topology};

/// How long the forwarder waits where the store is full.
const FULL: Duration = Duration::from_secs(1);

/// Takes the forwarder's signals, changes and links into the store, and tells it what is held there of them.
pub(super) struct InProcess {
    pub(super) signals: Arc<dyn Signals>,
    pub(super) changes: Arc<dyn Changes>,
    pub(super) topology: Arc<dyn Topology>,
    /// Takes secrets out of what the cluster says.
    pub(super) redact: Arc<dyn Redact>,
    pub(super) clock: Clock,
}

#[async_trait]
impl Deliver for InProcess {
    async fn deliver(&self, mut signals: Vec<Signal>) -> Result<(), DeliverError> {
        intake::redact(&mut signals, self.redact.as_ref());
        self.signals.accept(signals, vec![], self.clock.now()).await.map(|_| ()).map_err(undelivered)
    }
}

#[async_trait]
impl Chronicle for InProcess {
    async fn record(&self, mut batch: Batch) -> Result<(), DeliverError> {
        let changes = intake::redacted_changes(&mut batch, self.redact.as_ref());
        self.changes.record(None, &batch, &changes).await.map(|_| ()).map_err(undelivered)
    }

    async fn kept(&self, cluster: &str, kind: &str) -> Result<Kept, KnownError> {
        self.changes.kept(cluster, kind).await.map_err(unknown)
    }
}

#[async_trait]
impl Atlas for InProcess {
    async fn chart(&self, batch: topology::Batch) -> Result<(), DeliverError> {
        self.topology.chart(None, &batch, self.clock.now()).await.map_err(undelivered)
    }
}

fn unknown(error: StoreError) -> KnownError {
    KnownError::away(error)
}

fn undelivered(error: StoreError) -> DeliverError {
    match error {
        StoreError::Full { .. } => DeliverError::Busy { retry_after: Some(FULL) },
        // Even where the store is damaged the forwarder keeps what it saw: other parts end the process.
        error => DeliverError::Unreachable(error.into()),
    }
}

#[async_trait]
impl Known for InProcess {
    async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
        self.signals.firing(SignalSource::Forwarder).await.map_err(unknown)
    }

    async fn told(&self, since: Timestamp) -> Result<Vec<Telling>, KnownError> {
        self.signals.told(SignalSource::Forwarder, since).await.map_err(unknown)
    }
}
