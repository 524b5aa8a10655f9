//! The check of a whole conclusion.

use std::ops::ControlFlow;
use std::time::Duration;

use marple_core::conclusion::SUMMARY_LIMIT;
use marple_core::{Citation, Conclusion, EvidenceId, Verdict};
use marple_tools::evidence::{EvidenceHead, chunks};
use marple_tools::{EvidenceError, EvidenceLog};
use tokio::time::Instant;

use super::occurs;
use super::quote::{Plain, Sought};

/// The longest quote that a fault repeats, in characters.
const SHOWN: usize = 120;
/// A summary that is longer than wanted, but no longer than this, is cut and needs no further answer of the model.
const SUMMARY_CUT: usize = SUMMARY_LIMIT / 2 * 3;
/// How many other pieces are named in which a quote occurs.
const ELSEWHERE: usize = 3;
/// No store needs longer to give an incident's evidence, a gigabyte of it included; a citation whose evidence doesn't come
/// isn't verified.
pub(super) const DEADLINE: Duration = Duration::from_secs(10);

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
    let until = Instant::now() + deadline;
    let cited: Vec<(EvidenceId, String)> =
        conclusion.citations().map(|citation| (citation.evidence, citation.quote.clone())).collect();
    let held = match tokio::time::timeout_at(until, held(evidence, &cited)).await {
        Ok(Ok(held)) => Some(held),
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
    if let Some((heads, held)) = held {
        let missing: Vec<&(EvidenceId, String)> =
            cited.iter().zip(&held).filter(|(_, held)| !**held).map(|(cited, _)| cited).collect();
        // Where else they occur is a help to the model, and no more: what can't be found out in time is left out.
        let elsewhere = tokio::time::timeout_at(until, elsewhere(evidence, &heads, &missing)).await;
        let elsewhere = elsewhere.ok().and_then(Result::ok).unwrap_or_default();
        let mut elsewhere = elsewhere.into_iter();
        let places = places(&conclusion);
        for ((citation, place), held) in conclusion.citations_mut().zip(places).zip(held) {
            citation.verified = held;
            if !held {
                let elsewhere = elsewhere.next().unwrap_or_default();
                faults.push(format!("{place}: {}", fault(citation, &heads, &elsewhere)));
            }
        }
    } else {
        conclusion.citations_mut().for_each(|citation| citation.verified = false);
    }
    Checked { conclusion, faults }
}

/// The pieces that there are, and of each citation whether it holds.
pub(super) async fn held(
    evidence: &dyn EvidenceLog,
    cited: &[(EvidenceId, String)],
) -> Result<(Vec<EvidenceHead>, Vec<bool>), EvidenceError> {
    let heads = evidence.heads().await?;
    let mut held = vec![false; cited.len()];
    for head in &heads {
        let of_piece: Vec<usize> =
            cited.iter().enumerate().filter(|(_, (id, _))| *id == head.id).map(|(index, _)| index).collect();
        let quotes: Vec<&str> =
            of_piece.iter().filter_map(|index| cited.get(*index)).map(|(_, quote)| quote.as_str()).collect();
        for (index, occurs) in of_piece.iter().zip(occurring(evidence, head, &quotes).await?) {
            if let Some(held) = held.get_mut(*index) {
                *held = occurs;
            }
        }
    }
    Ok((heads, held))
}

/// Of each quote, the first pieces in which it occurs; in the one that it was cited for it doesn't.
pub(super) async fn elsewhere(
    evidence: &dyn EvidenceLog,
    heads: &[EvidenceHead],
    missing: &[&(EvidenceId, String)],
) -> Result<Vec<Vec<EvidenceId>>, EvidenceError> {
    let mut found = vec![Vec::new(); missing.len()];
    for head in heads {
        let (open, quotes): (Vec<&mut Vec<EvidenceId>>, Vec<&str>) = found
            .iter_mut()
            .zip(missing)
            .filter(|(found, (cited, _))| *cited != head.id && found.len() < ELSEWHERE)
            .map(|(found, (_, quote))| (found, quote.as_str()))
            .unzip();
        for (found, occurs) in open.into_iter().zip(occurring(evidence, head, &quotes).await?) {
            if occurs {
                found.push(head.id);
            }
        }
    }
    Ok(found)
}

/// Of each quote, whether it occurs in the piece: in the view that the model was given, or in the text, which is read
/// once for all of them and never held whole.
async fn occurring(
    evidence: &dyn EvidenceLog,
    head: &EvidenceHead,
    quotes: &[&str],
) -> Result<Vec<bool>, EvidenceError> {
    let in_view = |quote: &&str| head.view.as_deref().is_some_and(|view| occurs(quote, view));
    let mut found: Vec<bool> = quotes.iter().map(in_view).collect();
    if found.iter().all(|found| *found) {
        return Ok(found);
    }
    let layout = evidence.layout(head.id).await?.unwrap_or_default();
    let mut sought: Vec<Sought> = quotes.iter().map(|quote| Sought::new(quote)).collect();
    let mut plain = Plain::default();
    let mut look = |text: &str| {
        let open = found.iter_mut().zip(&mut sought).filter(|(found, _)| !**found);
        open.for_each(|(found, sought)| *found = sought.look(text));
        if found.iter().all(|found| *found) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    chunks(evidence, head.id, &layout, |chunk| look(&plain.push(chunk))).await?;
    let _ = look(&plain.end());
    Ok(found)
}

/// Faults of form that the schema doesn't tell.
fn formal(conclusion: &Conclusion) -> Vec<String> {
    let mut faults = Vec::new();
    let length = conclusion.summary.chars().count();
    if length > SUMMARY_CUT {
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

/// A quote as a fault repeats it.
pub(super) fn shown(quote: &str) -> String {
    match quote.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{} …", quote.get(..end).unwrap_or_default()),
        None => quote.to_owned(),
    }
}

fn fault(citation: &Citation, heads: &[EvidenceHead], elsewhere: &[EvidenceId]) -> String {
    let Citation { evidence, quote, .. } = citation;
    let shown = shown(quote);
    let elsewhere: Vec<String> = elsewhere.iter().map(ToString::to_string).collect();
    let lead = if elsewhere.is_empty() { String::new() } else { format!("; it occurs in {}", elsewhere.join(", ")) };
    if heads.iter().any(|head| head.id == *evidence) {
        format!("\"{shown}\" does not occur in {evidence}{lead}")
    } else {
        format!("there is no evidence {evidence}, cited for \"{shown}\"{lead}")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use async_trait::async_trait;
    use marple_core::{Category, Cause, Claim, Confidence, Evidence, Link, ObjectRef};
    use marple_tools::EvidenceDraft;
    use marple_tools::evidence::{ChunkExtent, EvidenceWriter};

    use super::super::fixture::kept;
    use super::*;

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
    async fn a_much_too_long_summary_and_a_cause_without_citation_are_faults() {
        let mut wrong = conclusion(Vec::new(), Vec::new(), Vec::new());
        wrong.summary = "x".repeat(451);
        assert_eq!(
            check(wrong.clone(), &kept(&[]).await).await.faults,
            ["summary: it has 451 characters; at most 300 are wanted", "cause: it cites nothing"]
        );
        wrong.summary = "x".repeat(450);
        assert_eq!(check(wrong, &kept(&[]).await).await.faults, ["cause: it cites nothing"], "it is cut");
    }

    #[tokio::test]
    async fn a_quote_is_found_anywhere_in_a_text_of_many_chunks() {
        let line = |number: usize| format!("{number} {}\n", "word ".repeat(200));
        let text: String = (0..6_000).map(line).collect();
        let memory = kept(&[(&text, Some("short"))]).await;
        let quotes =
            [cite(1, "0 word word"), cite(1, "3000 word"), cite(1, "1048 word … 5999 word"), cite(1, "6000 word")];
        let checked = check(conclusion(quotes.to_vec(), Vec::new(), Vec::new()), &memory).await;
        let verified: Vec<bool> = checked.conclusion.citations().map(|citation| citation.verified).collect();
        assert_eq!(verified, [true, true, true, false]);
    }

    struct Hanging;

    #[async_trait]
    impl EvidenceLog for Hanging {
        async fn keep(&self, _: EvidenceDraft) -> Result<EvidenceId, EvidenceError> {
            std::future::pending().await
        }

        fn begin(&self) -> Box<dyn EvidenceWriter> {
            unreachable!("nothing is written")
        }

        async fn heads(&self) -> Result<Vec<EvidenceHead>, EvidenceError> {
            std::future::pending().await
        }

        async fn get(&self, _: EvidenceId) -> Result<Option<Evidence>, EvidenceError> {
            std::future::pending().await
        }

        async fn layout(&self, _: EvidenceId) -> Result<Option<Vec<ChunkExtent>>, EvidenceError> {
            std::future::pending().await
        }

        async fn chunk(&self, _: EvidenceId, _: usize) -> Result<String, EvidenceError> {
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
