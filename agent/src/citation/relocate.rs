//! Looks for the proofs of an earlier conclusion in other evidence.

use std::time::Duration;

use marple_core::{Citation, Conclusion, EvidenceId};
use marple_tools::{EvidenceError, EvidenceLog};

use super::check::elsewhere;

/// No store needs longer to be searched for a few quotes.
const DEADLINE: Duration = Duration::from_secs(10);

/// Where no evidence is: every piece is elsewhere.
const NOWHERE: EvidenceId = EvidenceId(0);

/// The conclusion with each citation moved to the first piece of this evidence in which its quote occurs; those of which
/// none holds the quote are marked as not found. Nothing where the evidence could not be read in time.
pub async fn relocate(
    mut conclusion: Conclusion,
    evidence: &dyn EvidenceLog,
) -> Result<Option<Conclusion>, EvidenceError> {
    let quotes: Vec<(EvidenceId, String)> =
        conclusion.citations().map(|citation| (NOWHERE, citation.quote.clone())).collect();
    let sought: Vec<&(EvidenceId, String)> = quotes.iter().collect();
    let search = async { elsewhere(evidence, &evidence.heads().await?, &sought).await };
    let Ok(found) = tokio::time::timeout(DEADLINE, search).await else { return Ok(None) };
    for (citation, found) in conclusion.citations_mut().zip(found?) {
        let Citation { evidence, verified, .. } = citation;
        *verified = !found.is_empty();
        *evidence = found.first().copied().unwrap_or(NOWHERE);
    }
    Ok(Some(conclusion))
}
