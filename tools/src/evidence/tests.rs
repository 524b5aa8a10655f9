#![allow(clippy::unwrap_used, missing_docs)]

use tokio_util::sync::CancellationToken;

use super::*;
use crate::Look;

/// A log that holds these texts under the titles `log 1`, `log 2`, …
pub(super) async fn kept(contents: &[&str]) -> Arc<dyn EvidenceLog> {
    let log = MemoryEvidence::default();
    for (index, content) in contents.iter().enumerate() {
        let draft = EvidenceDraft {
            origin: EvidenceOrigin::Look,
            title: format!("log {}", index + 1),
            object: None,
            taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            content: (*content).to_owned(),
            view: None,
        };
        log.keep(draft).await.unwrap();
    }
    Arc::new(log)
}

pub(super) fn look() -> Look {
    Look { incident_start: None, now: "2026-01-02T03:04:05Z".parse().unwrap(), cancel: CancellationToken::new() }
}
