//! The check of an answer in words.

use std::collections::BTreeSet;

use marple_core::EvidenceId;
use marple_tools::EvidenceLog;
use tokio::time::Instant;

use super::check::{DEADLINE, held, shown};

/// Shorter quotes prove nothing.
const SHORTEST: usize = 8;
/// No answer has more quotes that are worth a look.
const MOST: usize = 64;

/// What an answer cites that isn't so, one line each: evidence that there is not, and quotes (in quotation marks, right before
/// the evidence that they are of) that don't occur in it. What earlier answers of the conversation cited may be held no
/// more, and is not doubted; evidence that can't be read in time leaves nothing to say.
pub async fn check_answer(answer: &str, earlier: &BTreeSet<EvidenceId>, evidence: &dyn EvidenceLog) -> Vec<String> {
    let cited = cited(answer);
    if cited.is_empty() {
        return Vec::new();
    }
    let pairs: Vec<(EvidenceId, String)> =
        cited.iter().filter_map(|one| Some((one.evidence, one.quote.clone()?))).take(MOST).collect();
    let looked = tokio::time::timeout_at(Instant::now() + DEADLINE, held(evidence, &pairs)).await;
    let Ok(Ok((heads, held))) = looked else {
        tracing::warn!("what an answer cites can't be looked up");
        return Vec::new();
    };
    let there = |id: EvidenceId| heads.iter().any(|head| head.id == id);
    let missing: BTreeSet<EvidenceId> =
        cited.iter().map(|one| one.evidence).filter(|id| !there(*id) && !earlier.contains(id)).collect();
    let missing = missing.into_iter().map(|id| format!("there is no evidence {id}"));
    let unheld = pairs.iter().zip(held).filter(|((id, _), held)| !held && there(*id));
    let unheld = unheld.map(|((id, quote), _)| format!("\"{}\" does not occur in {id}", shown(quote)));
    missing.chain(unheld).collect()
}

/// The evidence that an answer cites.
pub fn cited_in(answer: &str) -> BTreeSet<EvidenceId> {
    cited(answer).into_iter().map(|one| one.evidence).collect()
}

/// Evidence that is cited, and what is quoted of it, where that is.
#[derive(Debug, PartialEq, Eq)]
struct Cited {
    evidence: EvidenceId,
    quote: Option<String>,
}

/// All that is cited as `[e12]` or `[e3, e12]`, with the quote right before it.
fn cited(answer: &str) -> Vec<Cited> {
    let mut found = Vec::new();
    for (at, _) in answer.match_indices("[e") {
        let rest = answer.get(at + 1..).unwrap_or_default();
        let Some(inside) = rest.find(']').and_then(|end| rest.get(..end)) else { continue };
        let ids: Option<Vec<EvidenceId>> = inside.split(',').map(|id| id.trim().parse().ok()).collect();
        let Some(ids) = ids else { continue };
        let quote = if ids.len() == 1 { quote_before(answer.get(..at).unwrap_or_default()) } else { None };
        found.extend(ids.into_iter().map(|evidence| Cited { evidence, quote: quote.clone() }));
    }
    found
}

/// The quote at the end of a text, where it ends with one.
fn quote_before(text: &str) -> Option<String> {
    let text = text.trim_end_matches([' ', '(', ':', ',', '.']);
    let (open, text) = match text.chars().next_back()? {
        '"' => ('"', text.strip_suffix('"')?),
        '”' => ('“', text.strip_suffix('”')?),
        _ => return None,
    };
    let quote = text.get(text.rfind(open)? + open.len_utf8()..)?;
    (quote.chars().count() >= SHORTEST && !quote.contains('\n')).then(|| quote.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::fixture::kept;
    use super::*;

    #[tokio::test]
    async fn what_is_cited_and_not_so_is_told() {
        let memory = kept(&[("limit 64Mi\nreason: OOMKilled", None), ("connection refused by db:5432", None)]).await;
        let answer = "cart was killed, \"reason: OOMKilled\" [e1], for \"limit 128Mi is too small\" [e1]. \
                      It says “connection refused by db” ([e2]), and more [e1, e7]. [example] [e] \"nothing cited here\".";
        assert_eq!(
            check_answer(answer, &BTreeSet::new(), &memory).await,
            ["there is no evidence e7", "\"limit 128Mi is too small\" does not occur in e1"]
        );
        let earlier = cited_in("It was so before [e7].");
        assert_eq!(check_answer("And still is [e7], not [e8].", &earlier, &memory).await, ["there is no evidence e8"]);
    }

    #[tokio::test]
    async fn words_without_citations_and_short_quotes_are_not_doubted() {
        let memory = kept(&[("phase: Running", None)]).await;
        assert!(
            check_answer("All is well; [link](http://x) \"made up words here\"", &BTreeSet::new(), &memory)
                .await
                .is_empty()
        );
        assert!(
            check_answer("It is \"on\" [e1]. It says:\n\"a\nb c d e f\" [e1]", &BTreeSet::new(), &memory)
                .await
                .is_empty()
        );
    }
}
