//! An outbox that tells what became of its rows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, dead_code, unreachable_pub, missing_docs)]

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::IncidentId;
use marple_runner::store::{Outbox, OutboxId, OutboxRow, SqliteStore, StoreError};
use serde_json::Value;
use tokio::sync::{Notify, watch};

/// What became of a row.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fate {
    /// The last revision that was confirmed.
    pub confirmed: u64,
    /// Every revision that was, in order.
    pub revisions: Vec<u64>,
    /// Why it was given up.
    pub dead: Option<String>,
    /// Errors of attempts, and how long each is put off.
    pub retries: Vec<(String, Duration)>,
    /// The last receipt.
    pub receipt: Option<Value>,
}

/// The store's outbox, watched.
pub struct Watched {
    store: SqliteStore,
    rows: watch::Sender<Rows>,
}

type Rows = BTreeMap<OutboxId, (IncidentId, String, Fate)>;

impl Watched {
    pub fn new(store: SqliteStore) -> Self {
        Self { store, rows: watch::Sender::new(Rows::new()) }
    }

    /// Writes and takes note as one act, which the death of the caller doesn't cut in two.
    async fn note<W>(
        &self,
        id: OutboxId,
        write: impl FnOnce(SqliteStore) -> W,
        change: impl FnOnce(&mut Fate) + Send + 'static,
    ) -> Result<(), StoreError>
    where
        W: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let (write, rows) = (write(self.store.clone()), self.rows.clone());
        let act = tokio::spawn(async move {
            write.await?;
            rows.send_modify(|rows| {
                if let Some((_, _, fate)) = rows.get_mut(&id) {
                    change(fate);
                }
            });
            Ok(())
        });
        act.await.unwrap()
    }

    /// What became of a receiver's row of an incident so far.
    pub fn fate(&self, incident: IncidentId, receiver: &str) -> Fate {
        let rows = self.rows.borrow();
        let row = rows.values().find(|(of, to, _)| *of == incident && to == receiver);
        row.map(|(_, _, fate)| fate.clone()).unwrap_or_default()
    }

    /// Waits until the fate is such, and gives it.
    pub async fn until(&self, incident: IncidentId, receiver: &str, is_such: impl Fn(&Fate) -> bool) -> Fate {
        let mut rows = self.rows.subscribe();
        let such = async {
            loop {
                let fate = self.fate(incident, receiver);
                if is_such(&fate) {
                    return fate;
                }
                rows.changed().await.unwrap();
            }
        };
        match tokio::time::timeout(Duration::from_secs(30), such).await {
            Ok(fate) => fate,
            Err(late) => panic!("{late}: {incident} to {receiver} stays {:#?}", self.fate(incident, receiver)),
        }
    }

    /// Waits until a revision was confirmed, or the row was given up.
    pub async fn ended(&self, incident: IncidentId, receiver: &str, revision: u64) -> Fate {
        self.until(incident, receiver, |fate| fate.confirmed >= revision || fate.dead.is_some()).await
    }
}

#[async_trait]
impl Outbox for Watched {
    async fn outbox_want(
        &self,
        incident: IncidentId,
        receivers: &[&str],
        revision: u64,
        not_before: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.outbox_want(incident, receivers, revision, not_before).await
    }

    async fn outbox_due(&self, now: Timestamp, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        let due = self.store.outbox_due(now, limit).await?;
        self.rows.send_modify(|rows| {
            for row in &due {
                let fresh = || (row.incident, row.receiver.clone(), Fate::default());
                rows.entry(row.id).or_insert_with(fresh).2.dead = None;
            }
        });
        Ok(due)
    }

    async fn next_due_at(&self) -> Result<Option<Timestamp>, StoreError> {
        self.store.next_due_at().await
    }

    fn outbox_changed(&self) -> &Notify {
        self.store.outbox_changed()
    }

    async fn outbox_begin(&self, id: OutboxId, at: Timestamp) -> Result<(), StoreError> {
        self.store.outbox_begin(id, at).await
    }

    async fn outbox_progress(&self, id: OutboxId, receipt: &Value) -> Result<(), StoreError> {
        self.store.outbox_progress(id, receipt).await
    }

    async fn outbox_confirm(
        &self,
        id: OutboxId,
        revision: u64,
        receipt: &Value,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let (kept, noted) = (receipt.clone(), receipt.clone());
        let write = |store: SqliteStore| async move { store.outbox_confirm(id, revision, &kept, at).await };
        self.note(id, write, move |fate| {
            fate.confirmed = fate.confirmed.max(revision);
            fate.revisions.push(revision);
            fate.receipt = Some(noted);
        })
        .await
    }

    async fn outbox_retry(
        &self,
        id: OutboxId,
        error: &str,
        maybe_sent: bool,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        let pause = Duration::try_from(next_at.duration_since(Timestamp::now())).unwrap_or_default();
        let (kept, noted) = (error.to_owned(), error.to_owned());
        let write = move |store: SqliteStore| async move { store.outbox_retry(id, &kept, maybe_sent, next_at).await };
        self.note(id, write, move |fate| fate.retries.push((noted, pause))).await
    }

    async fn outbox_bury(&self, id: OutboxId, error: &str) -> Result<(), StoreError> {
        let (kept, noted) = (error.to_owned(), error.to_owned());
        let write = move |store: SqliteStore| async move { store.outbox_bury(id, &kept).await };
        self.note(id, write, move |fate| fate.dead = Some(noted)).await
    }

    async fn outbox_dead(&self, limit: u32) -> Result<Vec<OutboxRow>, StoreError> {
        self.store.outbox_dead(limit).await
    }

    async fn outbox_resend(&self, id: OutboxId, at: Timestamp) -> Result<(), StoreError> {
        self.store.outbox_resend(id, at).await
    }

    async fn outbox_interrupted(&self, at: Timestamp) -> Result<u64, StoreError> {
        self.store.outbox_interrupted(at).await
    }
}
