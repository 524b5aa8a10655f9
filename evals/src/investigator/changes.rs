//! The change history of a recording, as marple asks its own.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::Change;
use marple_tools::history::{ChangeLog, ChangeLogError, Found, Window};

use crate::bundle::Bundle;

/// The changes of a recording.
pub struct RecordedChanges(Arc<Bundle>);

impl RecordedChanges {
    /// Of a recording.
    pub fn new(bundle: Arc<Bundle>) -> Self {
        Self(bundle)
    }
}

#[async_trait]
impl ChangeLog for RecordedChanges {
    async fn changes(&self, window: &Window) -> Result<Found, ChangeLogError> {
        let within = |change: &&Change| window.holds(change);
        // They are kept oldest first.
        let mut found: Vec<Change> =
            self.0.changes.iter().rev().filter(within).take(window.limit.saturating_add(1)).cloned().collect();
        let more = found.len() > window.limit;
        found.truncate(window.limit);
        Ok(Found { changes: found, more })
    }

    /// The start of the recording; nothing where no change was recorded, for then nobody may have looked.
    async fn since(&self) -> Result<Option<Timestamp>, ChangeLogError> {
        Ok((!self.0.changes.is_empty()).then_some(self.0.manifest.since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo_bundle;

    #[tokio::test]
    async fn a_window_has_the_latest_of_its_namespaces_and_says_that_there_are_more() {
        let bundle = Arc::new(demo_bundle().unwrap());
        let recorded = RecordedChanges::new(Arc::clone(&bundle));
        let window = |namespace: &str, limit| Window {
            namespaces: [namespace.to_owned()].into(),
            since: bundle.manifest.since,
            until: bundle.now(),
            limit,
        };
        let here = |change: &&Change| change.object.namespace.as_deref() == Some("payments");
        let own: Vec<Change> = bundle.changes.iter().rev().filter(here).cloned().collect();
        assert!(own.len() > 1, "the demo has changes of the ledger: {own:?}");
        let all = recorded.changes(&window("payments", 100)).await.unwrap();
        assert_eq!(all, Found { changes: own.clone(), more: false });
        let last = recorded.changes(&window("payments", 1)).await.unwrap();
        assert_eq!(last, Found { changes: own[..1].to_vec(), more: true });
        assert_eq!(recorded.changes(&window("elsewhere", 9)).await.unwrap(), Found::default());
        assert_eq!(recorded.since().await.unwrap(), Some(bundle.manifest.since));
    }
}
