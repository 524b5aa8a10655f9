//! Which words of the evidence are shown.

use std::collections::BTreeSet;

use marple_core::{Citation, Conclusion};

use super::View;
use super::text::{bounded, clean, one_line};

/// Quotes shown at once; the rest is in the details.
const TELLING: usize = 3;
/// Quotes in the details.
const QUOTES: usize = 12;
/// Lines and characters of a quote shown at once: what fits a telephone's screen beside the cause.
const QUOTE_LINES: usize = 6;
const QUOTE_LIMIT: usize = 420;

/// The longest name of a source, in characters.
const SOURCE_LIMIT: usize = 220;

/// Words read somewhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quote {
    /// Where, as `events of Pod shop/cart-1`.
    pub source: String,
    /// The evidence's name, as `e3`.
    pub evidence: String,
    /// The words.
    pub text: String,
    /// Whether they were found there.
    pub verified: bool,
}

/// Of the cause a quote of each piece of evidence, then the symptom, then what lies between: the two ends of the chain
/// tell the most, and two witnesses more than one twice.
pub(super) fn telling(view: &View, conclusion: Option<&Conclusion>) -> Vec<Quote> {
    let Some(conclusion) = conclusion else { return Vec::new() };
    let mut witnesses = BTreeSet::new();
    let of_cause = conclusion.cause.iter().flat_map(|cause| &cause.citations);
    let (first, again): (Vec<&Citation>, Vec<&Citation>) = of_cause.partition(|one| witnesses.insert(one.evidence));
    let symptom = conclusion.chain.iter().take(1).flat_map(|link| &link.citations).take(1);
    let between = conclusion.chain.iter().rev().flat_map(|link| &link.citations);
    let all: Vec<&Citation> = first.into_iter().take(2).chain(symptom).chain(again).chain(between).collect();
    let (found, lost): (Vec<&Citation>, Vec<&Citation>) = all.into_iter().partition(|citation| citation.verified);
    let mut chosen: Vec<Quote> = Vec::new();
    for citation in found.into_iter().chain(lost) {
        let quote = quote(view, citation, QUOTE_LINES, QUOTE_LIMIT);
        if chosen.len() < TELLING && !quote.text.is_empty() && !chosen.iter().any(|other| says_the_same(other, &quote))
        {
            chosen.push(quote);
        }
    }
    chosen
}

/// All quotes once, the cause's first, and how many there are beyond the bound.
pub(super) fn quotes(view: &View, conclusion: Option<&Conclusion>) -> (Vec<Quote>, usize) {
    let mut all: Vec<Quote> = Vec::new();
    let mut more = 0;
    for citation in conclusion.iter().flat_map(|conclusion| conclusion.citations()) {
        let quote = quote(view, citation, 14, 900);
        if quote.text.is_empty() || all.contains(&quote) {
            continue;
        }
        if all.len() < QUOTES { all.push(quote) } else { more += 1 }
    }
    (all, more)
}

fn says_the_same(one: &Quote, other: &Quote) -> bool {
    let (a, b) = (squeezed(&one.text), squeezed(&other.text));
    one.evidence == other.evidence && (a.contains(&b) || b.contains(&a))
}

fn quote(view: &View, citation: &Citation, lines: usize, limit: usize) -> Quote {
    let words = clean(&citation.quote);
    let words = words.trim_matches('\n').trim_end();
    let total = words.lines().count();
    let mut text: String = words.lines().take(lines).map(str::trim_end).collect::<Vec<_>>().join("\n");
    text = bounded(&text, limit).into_owned();
    if total > lines {
        text.push_str(&format!("\n… {} more lines", total - lines));
    }
    let source = view
        .evidence(citation.evidence)
        .map(|evidence| bounded(&one_line(&evidence.title), SOURCE_LIMIT).into_owned())
        .unwrap_or_default();
    Quote { source, evidence: citation.evidence.to_string(), text, verified: citation.verified }
}

/// The letters and digits of a text: two sentences that differ in nothing else say the same.
pub(super) fn squeezed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
