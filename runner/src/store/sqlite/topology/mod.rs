//! The topology in SQLite.

mod charting;
mod reading;
#[cfg(test)]
mod tests;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Labels, ObjectRef};
use marple_forwarder::{Sequence, topology};
use marple_tools::topology::Dependent;

use super::SqliteStore;
use super::column::Columns;
use super::fault::Fault;
use crate::store::{Placed, Step, StoreError, Topology};

/// The most objects that are kept of a cluster, those that are gone included: some 200 MiB.
const MOST: i64 = 250_000;

/// A selector that asks for no label by its value.
const ANY: &str = "*";

/// What is found by its kind and name.
fn term(kind: &str, name: &str) -> String {
    format!("{kind}/{name}")
}

/// What is found by a label that it selects.
fn label(name: &str, value: &str) -> String {
    format!("{name}={value}")
}

#[async_trait]
impl Topology for SqliteStore {
    async fn chart(
        &self,
        sequence: Option<Sequence>,
        batch: &topology::Batch,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        charting::chart(self, sequence, batch, now, MOST).await
    }

    async fn charted_at(&self, cluster: &str) -> Result<Option<Timestamp>, StoreError> {
        let doing = "reading when a forwarder was heard";
        let row = sqlx::query("SELECT heard_at FROM topology_feeds WHERE cluster = ?")
            .bind(cluster)
            .fetch_optional(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        row.map(|row| Columns(&row).time("heard_at")).transpose().map_err(|fault| fault.during(doing))
    }

    async fn chains(&self, cluster: &str, objects: &[ObjectRef]) -> Result<Vec<Vec<Step>>, StoreError> {
        reading::chains(self.readers(), cluster, objects)
            .await
            .map_err(|fault| fault.during("reading what owns objects"))
    }

    async fn placed(&self, cluster: &str, object: &ObjectRef) -> Result<Option<Placed>, StoreError> {
        reading::placed(self.readers(), cluster, object)
            .await
            .map_err(|fault| fault.during("reading what an object hangs together with"))
    }

    async fn dependents(&self, cluster: &str, object: &ObjectRef, most: u32) -> Result<Vec<Dependent>, StoreError> {
        reading::dependents(self.readers(), cluster, object, most)
            .await
            .map_err(|fault| fault.during("reading what hangs on an object"))
    }

    async fn selecting(&self, cluster: &str, namespace: &str, labels: &Labels) -> Result<Vec<ObjectRef>, StoreError> {
        reading::selecting(self.readers(), cluster, namespace, labels)
            .await
            .map_err(|fault| fault.during("reading what selects pods"))
    }

    async fn retire_topology(&self, before: Timestamp) -> Result<u64, StoreError> {
        charting::retire(self, before.as_microsecond()).await
    }
}
