//! The small pieces of evidence, which are shown with the case: a ConfigMap with two keys is not worth a look.

use std::time::Duration;

use marple_tools::EvidenceLog;

use crate::Case;
use crate::case::Small;

/// The largest piece that is shown, and the most that is shown together, in bytes.
const PIECE: usize = 400;
const TOGETHER: usize = 1_500;

/// A store that takes longer than this is not waited for: the model can read them by itself.
const READ: Duration = Duration::from_secs(2);

/// The first pieces of a case that are small, as far as they fit together: the findings' own evidence comes first.
pub(super) async fn small(case: &Case, evidence: &dyn EvidenceLog) -> Vec<Small> {
    let mut left = TOGETHER;
    let fitting = case.evidence.iter().filter(|piece| {
        let fits = piece.size <= PIECE.min(left);
        left -= if fits { piece.size } else { 0 };
        fits
    });
    let ids = fitting.map(|piece| piece.id).collect::<Vec<_>>();
    let mut read = Vec::new();
    let reading = async {
        for id in ids {
            match evidence.get(id).await {
                Ok(Some(piece)) if piece.content.len() <= PIECE => read.push(Small { id, text: piece.content }),
                Ok(_) => {}
                Err(error) => {
                    tracing::warn!(%error, "small evidence is not shown with the case");
                    break;
                }
            }
        }
    };
    if tokio::time::timeout(READ, reading).await.is_err() {
        tracing::warn!("small evidence is not shown with the case: the store took too long");
    }
    read
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use jiff::Timestamp;
    use marple_core::{Conclusion, EvidenceOrigin};
    use marple_tools::{EvidenceDraft, MemoryEvidence};

    use super::*;
    use crate::{EvidenceTitle, Mode};

    #[tokio::test]
    async fn small_pieces_are_shown_in_their_order_as_far_as_they_fit_together() {
        let memory = MemoryEvidence::default();
        let mut titles = Vec::new();
        for (number, length) in [300, 5_000, 400, 401, 399, 390, 20].into_iter().enumerate() {
            let content = format!("{number}{}", "x".repeat(length - 1));
            let title = format!("piece {number}");
            let draft = EvidenceDraft {
                origin: EvidenceOrigin::Capture,
                title: title.clone(),
                object: None,
                taken_at: Timestamp::UNIX_EPOCH,
                content,
                view: None,
            };
            titles.push(EvidenceTitle { id: memory.keep(draft).await.unwrap(), title, size: length });
        }
        let case = Case { evidence: titles, ..Case::new(Mode::Conclude, Conclusion::inconclusive("")) };
        let shown = small(&case, &memory).await;
        assert_eq!(shown.iter().map(|one| one.text.len()).collect::<Vec<_>>(), [300, 400, 399, 390]);
        assert!(shown.iter().all(|one| one.text.ends_with('x')));
    }
}
