//! Takes in what another forwarder hands on, judges it as the own one would, and keeps what it comes to.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use marple_core::Signal;
use marple_forwarder::change::{Batch, Chronicle};
use marple_forwarder::{Deliver, DeliverError, ForwarderConfig, Handed, Happening, Known, KnownError};
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;

/// How often it is looked at what time brings, and what could not be kept is tried again.
const EVERY: Duration = Duration::from_secs(1);

/// How many signals and batches of changes may wait for a store that is full.
const WAITING: usize = 1_000;

/// Judges and keeps what is handed on.
pub struct Handing {
    judged: Mutex<Judged>,
    deliver: Arc<dyn Deliver>,
    chronicle: Arc<dyn Chronicle>,
    known: Arc<dyn Known>,
    clock: Clock,
}

/// What is known, and what of it is not kept yet.
struct Judged {
    handed: Handed,
    /// Whether it is known what was firing before the start.
    adopted: bool,
    signals: Vec<Signal>,
    changes: VecDeque<Batch>,
}

impl Handing {
    /// Of the cluster of this name, into the store behind these.
    pub fn new<S: Deliver + Chronicle + Known + 'static>(
        cluster: &str,
        config: ForwarderConfig,
        store: &Arc<S>,
        clock: Clock,
    ) -> Self {
        let handed = Handed::new(cluster, config, clock.now());
        let judged = Judged { handed, adopted: false, signals: Vec::new(), changes: VecDeque::new() };
        Self {
            judged: Mutex::new(judged),
            deliver: store.clone(),
            chronicle: store.clone(),
            known: store.clone(),
            clock,
        }
    }

    /// Takes something in; `Ok` when what it comes to is stored for good. After an error it is tried again all the same,
    /// for the one who handed it on may not: what was judged once is not judged anew.
    pub async fn take(&self, happening: Happening) -> Result<(), DeliverError> {
        let mut judged = self.judged.lock().await;
        if judged.signals.len().max(judged.changes.len()) >= WAITING {
            return Err(DeliverError::Busy { retry_after: None });
        }
        self.adopt(&mut judged).await;
        let (signals, batch) = judged.handed.take(happening, self.clock.now());
        judged.signals.extend(signals);
        judged.changes.extend(batch);
        self.keep(&mut judged).await
    }

    /// Looks at what time brings until cancelled.
    pub async fn run(&self, cancel: CancellationToken) {
        while cancel.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            let mut judged = self.judged.lock().await;
            let due = judged.handed.due(self.clock.now());
            judged.signals.extend(due);
            if let Err(error) = self.keep(&mut judged).await {
                tracing::warn!(%error, "what was handed on is not kept yet; it is tried again");
            }
        }
    }

    /// Goes on from what is held as firing. Where that can't be read now it is asked for again with the next.
    async fn adopt(&self, judged: &mut Judged) {
        if judged.adopted {
            return;
        }
        let since = Handed::memory(self.clock.now());
        let known = async { Ok::<_, KnownError>((self.known.firing().await?, self.known.told(since).await?)) };
        match known.await {
            Ok((signals, told)) => {
                judged.handed.adopt(signals, told);
                judged.adopted = true;
            }
            Err(error) => tracing::warn!(%error, "what is firing is not known yet"),
        }
    }

    async fn keep(&self, judged: &mut Judged) -> Result<(), DeliverError> {
        if !judged.signals.is_empty() {
            self.deliver.deliver(judged.signals.clone()).await?;
            judged.signals.clear();
        }
        while let Some(batch) = judged.changes.front() {
            self.chronicle.record(batch.clone()).await?;
            judged.changes.pop_front();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Mutex as Lock;

    use async_trait::async_trait;
    use jiff::Timestamp;
    use marple_core::SignalStatus;
    use marple_forwarder::Telling;
    use marple_forwarder::change::Kept;
    use serde_json::json;

    use super::*;

    /// A store that may be full.
    #[derive(Default)]
    struct Store {
        full: Lock<bool>,
        kept: Lock<Vec<String>>,
    }

    impl Store {
        fn keep(&self, what: String) -> Result<(), DeliverError> {
            if *self.full.lock().unwrap() {
                return Err(DeliverError::Busy { retry_after: None });
            }
            self.kept.lock().unwrap().push(what);
            Ok(())
        }
    }

    #[async_trait]
    impl Deliver for Store {
        async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
            let told = |signal: &Signal| {
                let over = if signal.status == SignalStatus::Resolved { " over" } else { "" };
                format!("{}{over}", signal.name)
            };
            self.keep(signals.iter().map(told).collect::<Vec<_>>().join(", "))
        }
    }

    #[async_trait]
    impl Chronicle for Store {
        async fn record(&self, batch: Batch) -> Result<(), DeliverError> {
            self.keep(format!("{} changes", batch.changes()))
        }

        async fn kept(&self, _: &str, _: &str) -> Result<Kept, KnownError> {
            Ok(Kept::default())
        }
    }

    #[async_trait]
    impl Known for Store {
        async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
            Ok(Vec::new())
        }

        async fn told(&self, _: Timestamp) -> Result<Vec<Telling>, KnownError> {
            Ok(Vec::new())
        }
    }

    fn happening(version: u32, value: &str) -> Happening {
        let map = |version: u32, value: &str| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": value}, "metadata": {"name": "settings",
                "namespace": "shop", "uid": "u", "resourceVersion": version.to_string(), "creationTimestamp": "2020-01-01T00:00:00Z"}})
        };
        let data = json!({"operation": "update", "kind": "ConfigMap", "obj": map(version, value), "oldObj": map(version - 1, "before")});
        Happening::read(json!({"data": data}).to_string().as_bytes()).unwrap().unwrap()
    }

    fn broken() -> Happening {
        let pod = json!({"metadata": {"name": "cart-1", "namespace": "shop", "uid": "u"}, "status": {"phase": "Running",
            "containerStatuses": [{"name": "app", "restartCount": 7, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]}});
        let data = json!({"operation": "update", "kind": "Pod", "obj": pod});
        Happening::read(json!({"data": data}).to_string().as_bytes()).unwrap().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_full_store_does_not_take_is_kept_in_order_once_there_is_room() {
        let store = Arc::new(Store::default());
        let handing = Arc::new(Handing::new("test", ForwarderConfig::default(), &store, Clock::system()));
        handing.take(happening(5, "a")).await.unwrap();
        *store.full.lock().unwrap() = true;
        assert!(handing.take(broken()).await.is_err());
        assert!(handing.take(happening(6, "b")).await.is_err());
        *store.full.lock().unwrap() = false;
        let cancel = CancellationToken::new();
        let running = tokio::spawn({
            let (handing, cancel) = (Arc::clone(&handing), cancel.clone());
            async move { handing.run(cancel).await }
        });
        tokio::time::sleep(EVERY * 2).await;
        assert_eq!(*store.kept.lock().unwrap(), ["1 changes", "PodCrashLooping", "1 changes"]);
        cancel.cancel();
        running.await.unwrap();
    }
}
