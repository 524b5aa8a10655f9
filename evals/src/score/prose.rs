//! Reads a verdict and a cause out of words, by exact rules: the same words always give the same, and what is not said
//! plainly is not said.
//!
//! A text is taken apart into sentences. A sentence *claims* where it speaks of a cause (`root cause`, `caused by`,
//! `because`, `due to` …), stands under a heading that does, or is the one that the answer begins with, and does not
//! deny it (`not the cause`, `ruled out`, `unrelated` …). The cause is found where a sentence that claims has the name of an accepted object, whole, with its
//! kind within a few words. The verdict is, by the first that holds: a line `Verdict: …`; a fault, where a sentence claims
//! a *root* cause; no fault, where one says so (`nothing is broken`, `false alarm` …); inconclusive, where one says so
//! (`could not determine` …); a fault, where any sentence claims; else inconclusive.

use marple_core::Verdict;

use super::mention::Mention;
use super::phrases::{PHRASES, Phrase};
use crate::case::Case;

/// A first line of no more words than these says nothing yet.
const LEAD: usize = 6;

/// What words come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The verdict.
    pub verdict: Verdict,
    /// Whether it claims that an accepted object is the cause.
    pub cause: bool,
}

impl Reading {
    /// Of a text that answers a case.
    pub fn of(text: &str, case: &Case) -> Self {
        let words = &*PHRASES;
        let sentences = sentences(text);
        let stated = sentences.iter().find_map(|sentence| words.verdict.group(&sentence.text));
        let says = |phrase: &Phrase| sentences.iter().any(|sentence| phrase.is_in(&sentence.text));
        let claims = |sentence: &&Sentence| {
            !sentence.denies() && (sentence.under_cause || sentence.leads || words.claim.is_in(&sentence.text))
        };
        let root = |sentence: &Sentence| {
            !sentence.denies()
                && !words.no_fault.is_in(&sentence.text)
                && !words.inconclusive.is_in(&sentence.text)
                && (sentence.under_cause || words.root.is_in(&sentence.text))
        };
        let verdict = match stated.map(str::to_ascii_lowercase) {
            Some(word) if word == "fault" => Verdict::Fault,
            Some(word) if word == "inconclusive" => Verdict::Inconclusive,
            Some(_) => Verdict::NoFault,
            None if sentences.iter().any(root) => Verdict::Fault,
            None if says(&words.no_fault) => Verdict::NoFault,
            None if says(&words.inconclusive) => Verdict::Inconclusive,
            None if sentences.iter().any(|sentence| claims(&sentence)) => Verdict::Fault,
            None => Verdict::Inconclusive,
        };
        let accepted = case.causes.iter().map(|cause| Mention::of(&cause.object)).collect::<Vec<_>>();
        let named = verdict == Verdict::Fault
            && sentences
                .iter()
                .filter(claims)
                .any(|sentence| accepted.iter().any(|mention| mention.is_in(&sentence.text)));
        Self { verdict, cause: named }
    }
}

/// A sentence, and what it stands under.
struct Sentence {
    text: String,
    /// It is the first that says something: who is asked why begins with the answer.
    leads: bool,
    under_cause: bool,
    under_denial: bool,
}

impl Sentence {
    fn denies(&self) -> bool {
        self.under_denial || PHRASES.denial.is_in(&self.text)
    }
}

/// The sentences of a text without its markup. A heading is a line that begins with `#`, or is bold or ends with a colon
/// and says nothing else.
fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let (mut under_cause, mut under_denial) = (false, false);
    let mut led = false;
    for line in text.lines() {
        let bare = line.trim().trim_start_matches(['-', '*', '>', '#', ' ']).replace(['*', '`', '"'], "");
        let bare = bare.trim();
        let trimmed = line.trim();
        let bold = trimmed.starts_with("**") && trimmed.trim_end_matches(':').ends_with("**");
        if trimmed.starts_with('#') || bold || (bare.ends_with(':') && bare.split_whitespace().count() <= 6) {
            under_denial = PHRASES.denying_heading.is_in(bare);
            under_cause = !under_denial && PHRASES.root.is_in(bare);
        }
        // Of fewer words it is a title.
        let leads = !led && !trimmed.starts_with('#') && bare.split_whitespace().count() > LEAD;
        led |= leads;
        for (number, sentence) in split(bare).enumerate() {
            found.push(Sentence { text: sentence.to_owned(), leads: leads && number == 0, under_cause, under_denial });
        }
    }
    found
}

/// Splits a line where a sentence ends: at `.`, `!`, `?` or `;` before a space. Names have dots inside.
fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = rest.match_indices(". ").chain(rest.match_indices("! ")).chain(rest.match_indices("? "));
        let end = end.chain(rest.match_indices("; ")).map(|(at, _)| at + 1).min().unwrap_or(rest.len());
        let (sentence, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(sentence.trim())
    })
    .filter(|sentence| !sentence.is_empty())
}
