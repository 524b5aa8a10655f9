//! The check of a whole conclusion.

use std::collections::BTreeMap;
use std::time::Duration;

use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Citation, Conclusion, Evidence, EvidenceId, Verdict};
use marple_tools::EvidenceLog;

use super::occurs;

/// The longest quote that a fault repeats, in characters.
const SHOWN: usize = 120;
/// No store needs longer to give an incident's evidence; a citation whose evidence doesn't come isn't verified.
const DEADLINE: Duration = Duration::from_secs(10);

/// A conclusion whose citations were looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// The conclusion, each citation marked as found or not.
    pub conclusion: Conclusion,
    /// What the model should mend, one line a fault.
    pub faults: Vec<String>,
}

/// Looks up every citation. Evidence that can't be read in time leaves its citations unverified; that is no fault of
/// the model's.
pub async fn check(conclusion: Conclusion, evidence: &dyn EvidenceLog) -> Checked {
    check_within(conclusion, evidence, DEADLINE).await
}

async fn check_within(mut conclusion: Conclusion, evidence: &dyn EvidenceLog, deadline: Duration) -> Checked {
    let kept = match tokio::time::timeout(deadline, evidence.all()).await {
        Ok(Ok(kept)) => Some(kept),
        Ok(Err(error)) => {
            tracing::warn!(%error, "citations can't be looked up");
            None
        }
        Err(_) => {
            tracing::warn!("citations can't be looked up: the evidence was not read in time");
            None
        }
    };
    let mut faults = formal(&conclusion);
    if let Some(kept) = kept {
        let kept: BTreeMap<EvidenceId, &Evidence> = kept.iter().map(|one| (one.id, one)).collect();
        let places = places(&conclusion);
        for (citation, place) in conclusion.citations_mut().zip(places) {
            citation.verified = kept.get(&citation.evidence).is_some_and(|one| holds(one, &citation.quote));
            if !citation.verified {
                faults.push(format!("{place}: {}", fault(citation, &kept)));
            }
        }
    } else {
        conclusion.citations_mut().for_each(|citation| citation.verified = false);
    }
    Checked { conclusion, faults }
}

/// Faults of form that the schema doesn't tell.
fn formal(conclusion: &Conclusion) -> Vec<String> {
    let mut faults = Vec::new();
    let length = conclusion.summary.chars().count();
    if length > SUMMARY_LIMIT {
        faults.push(format!("summary: it has {length} characters; at most {SUMMARY_LIMIT} are wanted"));
    }
    match (&conclusion.cause, conclusion.verdict) {
        (None, Verdict::Fault) => faults.push("cause: the verdict is fault, and no cause is named".to_owned()),
        (Some(cause), Verdict::Fault) if cause.citations.is_empty() => {
            faults.push("cause: it cites nothing".to_owned());
        }
        _ => {}
    }
    faults
}

/// Where each citation stands, in the order of `Conclusion::citations`.
fn places(conclusion: &Conclusion) -> Vec<String> {
    let cause = conclusion.cause.iter().flat_map(|cause| cause.citations.iter().map(|_| "cause".to_owned()));
    let chain =
        conclusion.chain.iter().flat_map(|link| link.citations.iter().map(|_| format!("chain, {}", link.object)));
    let ruled_out =
        conclusion.ruled_out.iter().flat_map(|claim| claim.citations.iter().map(|_| "ruled_out".to_owned()));
    cause.chain(chain).chain(ruled_out).collect()
}

fn holds(evidence: &Evidence, quote: &str) -> bool {
    occurs(quote, &evidence.content) || evidence.view.as_deref().is_some_and(|view| occurs(quote, view))
}

fn fault(citation: &Citation, kept: &BTreeMap<EvidenceId, &Evidence>) -> String {
    let Citation { evidence, quote, .. } = citation;
    let shown = match quote.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", quote.get(..end).unwrap_or_default()),
        None => quote.clone(),
    };
    let elsewhere: Vec<String> = kept
        .values()
        .filter(|one| one.id != *evidence && holds(one, quote))
        .map(|one| one.id.to_string())
        .take(3)
        .collect();
    let lead = if elsewhere.is_empty() { String::new() } else { format!("; it occurs in {}", elsewhere.join(", ")) };
    if kept.contains_key(evidence) {
        format!("\"{shown}\" does not occur in {evidence}{lead}")
    } else {
        format!("there is no evidence {evidence}, cited for \"{shown}\"{lead}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use async_trait::async_trait;
    use jiff::Timestamp;
    use marple_core::{Category, Cause, Claim, Confidence, EvidenceOrigin, Link, ObjectRef};
    use marple_tools::{EvidenceDraft, EvidenceError, MemoryEvidence};

    use super::*;

    async fn kept(contents: &[(&str, Option<&str>)]) -> MemoryEvidence {
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

    fn cite(evidence: u32, quote: &str) -> Citation {
        Citation { evidence: EvidenceId(evidence), quote: quote.to_owned(), verified: false }
    }

    fn conclusion(cause: Vec<Citation>, link: Vec<Citation>, ruled_out: Vec<Citation>) -> Conclusion {
        let object = ObjectRef::namespaced("Deployment", "shop", "cart");
        Conclusion {
            verdict: Verdict::Fault,
            summary: "cart is out of memory".to_owned(),
            cause: Some(Cause {
                object: object.clone(),
                category: Category::Resources,
                statement: "s".to_owned(),
                citations: cause,
            }),
            chain: vec![Link { object, statement: "s".to_owned(), citations: link }],
            impact: String::new(),
            confidence: Confidence::High,
            remedies: Vec::new(),
            ruled_out: vec![Claim { statement: "s".to_owned(), citations: ruled_out }],
            unseen: Vec::new(),
        }
    }

    #[tokio::test]
    async fn marks_each_citation_and_names_what_to_mend() {
        let memory =
            kept(&[("limit 64Mi\nOOMKilled", None), ("retry\nretry\ntimeout", Some("retry (×2)\ntimeout"))]).await;
        let checked = check(
            conclusion(
                vec![cite(1, "OOMKilled"), cite(1, "limit 128Mi")],
                vec![cite(2, "retry (×2)"), cite(1, "timeout")],
                vec![cite(9, "OOMKilled")],
            ),
            &memory,
        )
        .await;
        let verified: Vec<bool> = checked.conclusion.citations().map(|citation| citation.verified).collect();
        assert_eq!(verified, [true, false, true, false, false]);
        assert_eq!(
            checked.faults,
            [
                "cause: \"limit 128Mi\" does not occur in e1",
                "chain, Deployment shop/cart: \"timeout\" does not occur in e1; it occurs in e2",
                "ruled_out: there is no evidence e9, cited for \"OOMKilled\"; it occurs in e1",
            ]
        );
    }

    #[tokio::test]
    async fn a_long_summary_and_a_cause_without_citation_are_faults() {
        let mut wrong = conclusion(Vec::new(), Vec::new(), Vec::new());
        wrong.summary = "x".repeat(301);
        assert_eq!(
            check(wrong, &kept(&[]).await).await.faults,
            ["summary: it has 301 characters; at most 300 are wanted", "cause: it cites nothing"]
        );
    }

    struct Hanging;

    #[async_trait]
    impl EvidenceLog for Hanging {
        async fn keep(&self, _: EvidenceDraft) -> Result<EvidenceId, EvidenceError> {
            std::future::pending().await
        }

        async fn get(&self, _: EvidenceId) -> Result<Option<Evidence>, EvidenceError> {
            std::future::pending().await
        }

        async fn all(&self) -> Result<Vec<Evidence>, EvidenceError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn a_store_that_hangs_leaves_citations_unverified_and_blames_nobody() {
        let wanted = conclusion(vec![cite(1, "OOMKilled")], Vec::new(), Vec::new());
        let checked = check_within(wanted, &Hanging, Duration::from_millis(1)).await;
        assert_eq!(checked.faults, Vec::<String>::new());
        assert!(checked.conclusion.citations().all(|citation| !citation.verified));
    }
}
