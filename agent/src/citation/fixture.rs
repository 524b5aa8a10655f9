//! Evidence to check against.
#![allow(clippy::unwrap_used)]

use jiff::Timestamp;
use marple_core::EvidenceOrigin;
use marple_tools::{EvidenceDraft, EvidenceLog as _, MemoryEvidence};

/// Evidence with these contents and views.
pub(super) async fn kept(contents: &[(&str, Option<&str>)]) -> MemoryEvidence {
    let memory = MemoryEvidence::default();
    for (content, view) in contents {
        let draft = EvidenceDraft {
            origin: EvidenceOrigin::Look,
            title: "look".to_owned(),
            object: None,
            taken_at: Timestamp::UNIX_EPOCH,
            content: (*content).to_owned(),
            view: view.map(str::to_owned),
        };
        memory.keep(draft).await.unwrap();
    }
    memory
}
