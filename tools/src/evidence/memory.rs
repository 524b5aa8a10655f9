//! Evidence in memory, for questions from a laptop.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use marple_core::{Evidence, EvidenceId};

use super::{EvidenceDraft, EvidenceError, EvidenceLog};

/// Keeps evidence for as long as it lives.
#[derive(Debug, Default)]
pub struct MemoryEvidence {
    kept: Mutex<Vec<Evidence>>,
}

#[async_trait]
impl EvidenceLog for MemoryEvidence {
    async fn keep(&self, draft: EvidenceDraft) -> Result<EvidenceId, EvidenceError> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let same = kept
            .iter()
            .find(|one| one.origin == draft.origin && one.title == draft.title && one.content == draft.content);
        if let Some(same) = same {
            return Ok(same.id);
        }
        let id = EvidenceId(u32::try_from(kept.len()).unwrap_or(u32::MAX).saturating_add(1));
        kept.push(Evidence {
            id,
            origin: draft.origin,
            title: draft.title,
            object: draft.object,
            taken_at: draft.taken_at,
            content: draft.content,
            view: draft.view,
        });
        Ok(id)
    }

    async fn get(&self, id: EvidenceId) -> Result<Option<Evidence>, EvidenceError> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(kept.iter().find(|one| one.id == id).cloned())
    }

    async fn all(&self) -> Result<Vec<Evidence>, EvidenceError> {
        Ok(self.kept.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}
