//! Reads a verdict and a cause out of words, by exact rules: the same words always give the same, and what is not said
//! plainly is not said.
//!
//! A text is taken apart into sentences. A sentence *claims* where it speaks of a cause (`root cause`, `caused by`,
//! `because`, `due to` …), stands under a heading that does, or is of those that the answer begins with, and does not deny
//! it (`not the cause`, `ruled out`, `unrelated` …). A sentence *prescribes* where it says what to change (`set …`,
//! `create …`, `roll back …`), or stands under a heading like `Fix`. The cause is found where a sentence that claims or
//! prescribes has the name of an accepted object, whole, with its kind within a few words; where the *root* cause is said
//! to be another object, what is prescribed does not count. The verdict is, by the first that holds: a line `Verdict: …`; a
//! fault, where a sentence claims a *root* cause; no fault, where one says so (`nothing is broken`, `false alarm` …);
//! inconclusive, where one says so (`could not determine` …); a fault, where any sentence claims; else inconclusive.

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
        let sentences = sentences(text);
        let verdict = verdict(&sentences);
        let accepted = case.causes.iter().map(|cause| Mention::of(&cause.object)).collect::<Vec<_>>();
        let named =
            |sentence: &Sentence| accepted.iter().any(|mention| mention.is_in(&sentence.before, &sentence.text));
        // Who says what the root is, and names another object there, blames that one.
        let says_root = |sentence: &&Sentence| sentence.says_root() && PHRASES.object.is_in(&sentence.text);
        let mut roots = sentences.iter().filter(says_root).peekable();
        let blames_another = roots.peek().is_some() && !roots.any(named);
        let blames = |sentence: &&Sentence| sentence.claims() || !blames_another && sentence.prescribes();
        Self { verdict, cause: verdict == Verdict::Fault && sentences.iter().filter(blames).any(named) }
    }
}

fn verdict(sentences: &[Sentence]) -> Verdict {
    let words = &*PHRASES;
    let says = |phrase: &Phrase| sentences.iter().any(|sentence| phrase.is_in(&sentence.text));
    let stated = sentences.iter().find_map(|sentence| words.verdict.group(&sentence.text));
    let quiet = |sentence: &Sentence| words.no_fault.is_in(&sentence.text) || words.begins_quiet.is_in(&sentence.text);
    let begins_quiet =
        || sentences.iter().find(|sentence| sentence.leads).is_some_and(|first| words.quiet.is_in(&first.text));
    match stated.map(str::to_ascii_lowercase) {
        Some(word) if word == "fault" => Verdict::Fault,
        Some(word) if word == "inconclusive" => Verdict::Inconclusive,
        Some(_) => Verdict::NoFault,
        None if sentences.iter().any(Sentence::says_root) => Verdict::Fault,
        None if sentences.iter().any(quiet) || begins_quiet() => Verdict::NoFault,
        None if says(&words.inconclusive) => Verdict::Inconclusive,
        None if sentences.iter().any(Sentence::claims) => Verdict::Fault,
        None => Verdict::Inconclusive,
    }
}

/// A sentence, and what it stands under.
struct Sentence {
    text: String,
    /// The one before it in the same paragraph: what is named may have its kind there.
    before: String,
    /// Of the beginning, up to the first that names an object: who is asked why begins with the answer.
    leads: bool,
    under: Under,
}

/// What the last heading says of what stands under it.
#[derive(Clone, Copy, Default)]
struct Under {
    topic: Topic,
    /// Whether it is marked as one, and holds until the next; else up to the end of the paragraph or list under it.
    marked: bool,
    /// Whether something stands under it.
    filled: bool,
    /// Whether that has ended, but for what goes on as a list.
    ends: bool,
}

/// What a heading is about.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Topic {
    #[default]
    Other,
    Cause,
    /// What is no cause.
    Denial,
    Remedy,
}

impl Under {
    fn heading(text: &str, marked: bool) -> Self {
        let topic = match text {
            text if PHRASES.denying_heading.is_in(text) => Topic::Denial,
            text if PHRASES.root.is_in(text) => Topic::Cause,
            text if PHRASES.remedy_heading.is_in(text) => Topic::Remedy,
            _ => Topic::Other,
        };
        Self { topic, marked, ..Self::default() }
    }
}

impl Sentence {
    fn denies(&self) -> bool {
        self.under.topic == Topic::Denial || PHRASES.denial.is_in(&self.text)
    }

    /// Whether it says what the root of it is.
    fn says_root(&self) -> bool {
        !self.denies()
            && !PHRASES.no_fault.is_in(&self.text)
            && !PHRASES.inconclusive.is_in(&self.text)
            && (self.under.topic == Topic::Cause || PHRASES.root.is_in(&self.text))
    }

    /// Whether it claims a cause.
    fn claims(&self) -> bool {
        !self.denies() && (self.under.topic == Topic::Cause || self.leads || PHRASES.claim.is_in(&self.text))
    }

    /// Whether it says what is to be changed.
    fn prescribes(&self) -> bool {
        !self.denies()
            && !PHRASES.no_remedy.is_in(&self.text)
            && (self.under.topic == Topic::Remedy || PHRASES.remedy.is_in(&self.text))
    }
}

/// The sentences of a text without its markup. A heading is a line that begins with `#`, or is bold or ends with a colon
/// and says nothing else.
fn sentences(text: &str) -> Vec<Sentence> {
    let mut found = Vec::new();
    let mut under = Under::default();
    let (mut begun, mut led) = (false, false);
    for line in text.lines() {
        let bare = line.trim().trim_start_matches(['-', '*', '>', '#', ' ']).replace(['*', '`', '"'], "");
        let bare = bare.trim();
        let trimmed = line.trim();
        let bold = trimmed.starts_with("**") && trimmed.trim_end_matches(':').ends_with("**");
        let marked = trimmed.starts_with('#') || bold;
        if marked || (bare.ends_with(':') && bare.split_whitespace().count() <= LEAD) {
            under = Under::heading(bare, marked);
        } else if bare.is_empty() {
            under.ends |= under.filled && !under.marked;
        } else if under.ends && !trimmed.starts_with(|letter: char| "-*+".contains(letter) || letter.is_ascii_digit()) {
            under = Under::default();
        } else {
            under.filled = true;
        }
        // Of fewer words it is a title.
        begun |= !trimmed.starts_with('#') && bare.split_whitespace().count() > LEAD;
        // What the answer begins with ends with its first paragraph.
        led |= begun && bare.is_empty();
        let mut before = String::new();
        for sentence in split(bare) {
            let leads = begun && !led;
            led |= leads && PHRASES.object.is_in(sentence);
            let text = sentence.to_owned();
            found.push(Sentence { before: std::mem::replace(&mut before, text.clone()), text, leads, under });
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
