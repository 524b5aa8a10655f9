//! The forwarder in the same process: its signals go through the store like all others.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use marple_core::{Signal, SignalSource};
use marple_forwarder::{Deliver, DeliverError, Known, KnownError};

use marple_tools::Redact;

use crate::clock::Clock;
use crate::intake;
use crate::store::{Signals, StoreError};

/// How long the forwarder waits where the store is full.
const FULL: Duration = Duration::from_secs(1);

/// Takes the forwarder's signals into the store, and tells it what is held there as firing.
pub(super) struct InProcess {
    pub(super) signals: Arc<dyn Signals>,
    /// Takes secrets out of what the cluster says.
    pub(super) redact: Arc<dyn Redact>,
    pub(super) clock: Clock,
}

#[async_trait]
impl Deliver for InProcess {
    async fn deliver(&self, mut signals: Vec<Signal>) -> Result<(), DeliverError> {
        intake::redact(&mut signals, self.redact.as_ref());
        match self.signals.accept(&signals, &[], self.clock.now()).await {
            Ok(_) => Ok(()),
            Err(StoreError::Full { .. }) => Err(DeliverError::Busy { retry_after: Some(FULL) }),
            // Even where the store is damaged the signals are kept by the forwarder: other parts end the process.
            Err(error) => Err(DeliverError::Unreachable(error.into())),
        }
    }
}

#[async_trait]
impl Known for InProcess {
    async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
        self.signals.firing(SignalSource::Forwarder).await.map_err(|error| KnownError { source: error.into() })
    }
}
