//! What an investigator comes to over all cases.

use marple_core::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::results::{CaseResult, TrialResult};
use crate::investigator::Spent;
use crate::judge::Agreement;
use crate::score::statistics::{all_pass, rounded};
use crate::score::{Citations, Class, Score, Share};

/// What an investigator comes to over all cases. A share is the mean of the cases' own; a trial without an answer counts
/// as not passed, and has no part in what is said of answers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Summary {
    /// Trials, all cases together.
    pub trials: u32,
    /// Trials that passed (pass@1).
    pub pass: Option<Share>,
    /// Cases of which all trials pass (pass^k); absent where each has one.
    pub pass_all: Option<PassAll>,
    /// Trials by what became of them, in the order passed, incomplete, inconclusive, wrong, failed.
    pub classes: [u32; 5],
    /// The verdict is right.
    pub verdict: Option<Share>,
    /// Of the cases without a fault: that is what is said.
    pub no_fault: Option<Share>,
    /// Of the faults: an accepted object is named.
    pub cause: Option<Share>,
    /// Of the faults, in answers that have categories: an accepted one is given.
    pub category: Option<Share>,
    /// Of what must be said: what is.
    pub must: Option<Share>,
    /// Of what must not be claimed: what is.
    pub must_not: Option<Share>,
    /// Of the cases that want a remedy: it is named.
    pub remedy: Option<Share>,
    /// Of the statements: those with a citation.
    pub cited: Option<Share>,
    /// Of the statements: those with a citation that was found in its evidence.
    pub verified: Option<Share>,
    /// Answers that claim a cause that is none.
    pub over: Option<Share>,
    /// Answers that say that they can't tell, where it could be told.
    pub inconclusive: Option<Share>,
    /// Answers that are wrong and don't say that they are unsure: worse than none.
    pub confidently_wrong: Option<Share>,
    /// Trials in which a secret was given or said.
    pub leaks: u32,
    /// Trials that a judging model passes; only of words, where it was asked.
    pub judged: Option<Share>,
    /// How far that model agrees with the exact rules.
    pub agreement: Option<Agreement>,
    /// Tokens of the requests, mean of a trial.
    pub prompt_tokens: Option<f64>,
    /// Tokens of the answers, mean of a trial.
    pub completion_tokens: Option<f64>,
    /// Millionths of a US dollar, mean of a trial.
    pub cost_micros: Option<f64>,
    /// Answers of the model, mean of a trial.
    pub turns: Option<f64>,
    /// Looks, mean of a trial.
    pub looks: Option<f64>,
    /// Time, mean of a trial.
    pub seconds: Option<f64>,
}

/// Cases of which `k` trials all pass.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PassAll {
    /// How many trials.
    pub k: u32,
    /// The share of the cases.
    pub share: Share,
}

impl Summary {
    /// Over these cases.
    pub fn of(cases: &[CaseResult]) -> Self {
        let trials = || cases.iter().flat_map(|case| &case.trials);
        let count =
            |such: &dyn Fn(&TrialResult) -> bool| -> u32 { trials().filter(|trial| such(trial)).map(|_| 1).sum() };
        let tried = || cases.iter().filter(|case| !case.trials.is_empty());
        let fewest = tried().map(|case| case.count(|_| true)).min().unwrap_or_default();
        let pass_all = (fewest > 1).then(|| {
            let each =
                tried().filter_map(|case| all_pass(case.count(|_| true), case.count(TrialResult::passed), fewest));
            Share::of(each).map(|share| PassAll { k: fewest, share })
        });
        let spent = |of: fn(Spent) -> u64| mean(trials().filter_map(|trial| trial.spent).map(of).map(whole));
        Self {
            trials: count(&|_| true),
            pass: Share::of(tried().map(CaseResult::passed)),
            pass_all: pass_all.flatten(),
            classes: Class::ALL.map(|class| count(&|trial| trial.class == class)),
            verdict: answers(cases, |score| Some(part(score.verdict_right))),
            no_fault: answers(&of_verdict(cases, Verdict::NoFault), |score| Some(part(score.verdict_right))),
            cause: answers(cases, |score| score.cause.map(part)),
            category: answers(cases, |score| score.category.map(part)),
            must: answers(cases, |score| part_of(&score.must)),
            must_not: answers(cases, |score| part_of(&score.must_not)),
            remedy: answers(cases, |score| score.remedy.map(part)),
            cited: answers(cases, |score| {
                score.citations.and_then(|citations| of_statements(citations, citations.cited))
            }),
            verified: answers(cases, |score| {
                score.citations.and_then(|citations| of_statements(citations, citations.verified?))
            }),
            over: answers(cases, |score| Some(part(score.over > 0))),
            inconclusive: answers(cases, |score| Some(part(score.class == Class::Inconclusive))),
            confidently_wrong: answers(cases, |score| Some(part(score.confidently_wrong))),
            leaks: count(&|trial| trial.score.as_ref().is_some_and(|score| score.secrets > 0)),
            judged: Share::of(cases.iter().filter_map(|case| {
                mean(case.trials.iter().filter_map(|trial| trial.judged).map(|(passed, _)| part(passed)))
            })),
            agreement: trials().filter_map(|trial| trial.judged).map(|(_, agreement)| agreement).reduce(
                |mut sum, one| {
                    sum.add(one);
                    sum
                },
            ),
            prompt_tokens: spent(|spent| spent.prompt_tokens),
            completion_tokens: spent(|spent| spent.completion_tokens),
            cost_micros: spent(|spent| spent.cost_micros),
            turns: mean(trials().filter_map(|trial| trial.turns).map(f64::from)),
            looks: mean(trials().filter_map(|trial| trial.looks).map(f64::from)),
            seconds: mean(trials().map(|trial| trial.seconds)),
        }
    }

    /// How many trials became of this class.
    pub fn class(&self, class: Class) -> u32 {
        Class::ALL.iter().zip(self.classes).find(|(one, _)| **one == class).map_or(0, |(_, count)| count)
    }
}

/// The cases of a verdict.
fn of_verdict(cases: &[CaseResult], verdict: Verdict) -> Vec<CaseResult> {
    cases.iter().filter(|case| case.verdict == verdict).cloned().collect()
}

/// The mean, of the cases that have answers with it, of the mean of a case's answers.
fn answers(cases: &[CaseResult], value: impl Fn(&Score) -> Option<f64>) -> Option<Share> {
    let each = |case: &CaseResult| mean(case.trials.iter().filter_map(|trial| trial.score.as_ref()).filter_map(&value));
    Share::of(cases.iter().filter_map(each))
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, count) = values.fold((0.0, 0_u32), |(sum, count), value| (sum + value, count + 1));
    (count > 0).then(|| rounded(sum / f64::from(count)))
}

fn part(so: bool) -> f64 {
    f64::from(u8::from(so))
}

fn part_of(all: &[bool]) -> Option<f64> {
    mean(all.iter().map(|so| part(*so)))
}

fn of_statements(citations: Citations, count: u32) -> Option<f64> {
    (citations.statements > 0).then(|| f64::from(count) / f64::from(citations.statements))
}

#[expect(clippy::cast_precision_loss, reason = "tokens and millionths of a dollar of one trial are far below 2^52")]
fn whole(count: u64) -> f64 {
    count as f64
}
