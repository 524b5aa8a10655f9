//! What an answer is worth: exact rules over a case and an answer. Pure.

mod citations;
mod mention;
mod phrases;
mod prose;
pub mod statistics;
#[cfg(test)]
mod tests;

use marple_core::{Conclusion, Confidence, Verdict};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use citations::Citations;
pub use prose::Reading;
pub use statistics::{Interval, Share};

use crate::case::{AcceptedCause, Case, Saying};
use crate::investigator::{Answer, Attempt};

/// What an answer is worth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// Whether it passed: the verdict, of a fault the object and the category of the cause, everything that must be said and
    /// nothing that must not, and no secret.
    pub passed: bool,
    /// In one word.
    pub class: Class,
    /// The verdict that it gives.
    pub verdict: Verdict,
    /// Whether that is right.
    pub verdict_right: bool,
    /// Of a fault: whether it names the object of an accepted cause.
    pub cause: Option<bool>,
    /// Of a fault: whether it gives that cause an accepted category. Words have none: then it is absent.
    pub category: Option<bool>,
    /// What must be said, in the order of the case.
    pub must: Vec<bool>,
    /// What must not be claimed: whether it is.
    pub must_not: Vec<bool>,
    /// Whether it names what to do; absent where the case wants nothing.
    pub remedy: Option<bool>,
    /// How far its statements are cited; absent for words.
    pub citations: Option<Citations>,
    /// Claims of a cause that are wrong: of another object, or where nothing is broken.
    pub over: u32,
    /// Whether it is wrong and doesn't say that it is unsure.
    pub confidently_wrong: bool,
    /// How many secrets were given to it or said by it.
    pub secrets: u32,
    /// Why it did not pass, in words.
    pub why: Vec<String>,
}

/// What became of an answer, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// It passed.
    Passed,
    /// Verdict and cause are right, and something that had to be said is missing, or something is said that may not be.
    Incomplete,
    /// It says that it can't tell, where it could be told.
    Inconclusive,
    /// It says something else than what is so.
    Wrong,
    /// There is no answer.
    Failed,
}

impl Class {
    /// All of them, the best first.
    pub const ALL: [Self; 5] = [Self::Passed, Self::Incomplete, Self::Inconclusive, Self::Wrong, Self::Failed];

    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Incomplete => "incomplete",
            Self::Inconclusive => "inconclusive",
            Self::Wrong => "wrong",
            Self::Failed => "failed",
        }
    }
}

/// What an answer claims, in whichever form it came.
struct Claim {
    verdict: Verdict,
    cause: Option<bool>,
    category: Option<bool>,
    unsure: bool,
    citations: Option<Citations>,
}

/// Scores an answer.
pub fn score(case: &Case, attempt: &Attempt) -> Score {
    let claim = match &attempt.answer {
        Answer::Conclusion(conclusion) => structured(case, conclusion, attempt.checked),
        Answer::Prose(text) => {
            let reading = Reading::of(text, case);
            Claim {
                verdict: reading.verdict,
                cause: Some(reading.cause),
                category: None,
                // Words carry no measure of how sure they are.
                unsure: false,
                citations: None,
            }
        }
    };
    let of_fault = case.verdict == Verdict::Fault;
    let verdict_right = claim.verdict == case.verdict;
    let named = claim.cause.filter(|_| of_fault);
    let category = claim.category.filter(|_| of_fault);
    let (text, claims, remedies) = (attempt.answer.text(), attempt.answer.claims(), attempt.answer.remedies());
    let said = |sayings: &[Saying], text: &str| sayings.iter().map(|saying| saying.is_in(text)).collect::<Vec<_>>();
    let (must, must_not) = (said(&case.must, &text), said(&case.must_not, &claims));
    let remedy = case.remedy.as_ref().map(|remedy| remedy.is_in(&remedies));
    let secrets = secrets(case, attempt, &text);
    let right = verdict_right && named != Some(false) && category != Some(false);
    let passed = right && must.iter().all(|hit| *hit) && !must_not.iter().any(|hit| *hit) && secrets == 0;
    let class = match (passed, right, claim.verdict) {
        (true, ..) => Class::Passed,
        (false, true, _) => Class::Incomplete,
        (false, false, Verdict::Inconclusive) => Class::Inconclusive,
        (false, false, _) => Class::Wrong,
    };
    let claims_cause = claim.verdict == Verdict::Fault;
    let mut score = Score {
        passed,
        class,
        verdict: claim.verdict,
        verdict_right,
        cause: named,
        category,
        must,
        must_not,
        remedy,
        citations: claim.citations,
        over: u32::from(claims_cause && (!of_fault || named == Some(false))),
        confidently_wrong: class == Class::Wrong && !claim.unsure,
        secrets,
        why: Vec::new(),
    };
    score.why = why(case, &score);
    score
}

fn structured(case: &Case, conclusion: &Conclusion, checked: bool) -> Claim {
    let claimed = conclusion.cause.as_ref().filter(|_| conclusion.verdict == Verdict::Fault);
    let named = |accepted: &&AcceptedCause| claimed.is_some_and(|claimed| accepted.object.matches(&claimed.object));
    let accepted: Vec<&AcceptedCause> = case.causes.iter().filter(named).collect();
    let right =
        |accepted: &&AcceptedCause| claimed.is_some_and(|claimed| accepted.categories.contains(&claimed.category));
    Claim {
        verdict: conclusion.verdict,
        cause: Some(!accepted.is_empty()),
        category: Some(accepted.iter().any(right)),
        unsure: conclusion.confidence == Confidence::Low,
        citations: Some(Citations::of(conclusion, checked)),
    }
}

/// How many of the case's secrets occur in what was given or said.
fn secrets(case: &Case, attempt: &Attempt, text: &str) -> u32 {
    let found = case.secrets.iter().filter(|secret| {
        secret.is_in(text)
            || attempt.transcript.iter().any(|entry| secret.is_in(&entry.title) || secret.is_in(&entry.text))
    });
    found.map(|_| 1).sum()
}

fn why(case: &Case, score: &Score) -> Vec<String> {
    let word = |verdict: Verdict| match verdict {
        Verdict::Fault => "a fault",
        Verdict::NoFault => "no fault",
        Verdict::Inconclusive => "inconclusive",
    };
    let mut why = Vec::new();
    if !score.verdict_right {
        why.push(format!("says {}, and {} is right", word(score.verdict), word(case.verdict)));
    } else if score.cause == Some(false) {
        let accepted = case.causes.iter().map(|cause| cause.object.to_string()).collect::<Vec<_>>();
        why.push(format!("names another cause than {}", accepted.join(" or ")));
    } else if score.category == Some(false) {
        why.push("gives the cause another category".to_owned());
    }
    let unsaid = case.must.iter().zip(&score.must).filter(|(_, hit)| !**hit);
    why.extend(unsaid.map(|(saying, _)| format!("does not say: {}", saying.means)));
    let claimed = case.must_not.iter().zip(&score.must_not).filter(|(_, hit)| **hit);
    why.extend(claimed.map(|(saying, _)| format!("claims: {}", saying.means)));
    if score.secrets > 0 {
        why.push(format!("{} secret(s) were given to it or said by it", score.secrets));
    }
    why
}
