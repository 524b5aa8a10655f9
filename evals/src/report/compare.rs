//! What differs between two runs, case by case.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::results::{CaseResult, Measured, Results, TrialResult};
use crate::score::statistics::{rounded, sign_test};

/// How a run differs from another one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Comparison {
    /// The other run's program and investigator, as `marple 0.1.0, agent gpt-5`.
    pub with: String,
    /// The cases that differ, by their ids.
    pub differences: Vec<Difference>,
    /// Cases that pass more often now.
    pub better: u32,
    /// Cases that pass less often now.
    pub worse: u32,
    /// Cases that pass as often.
    pub equal: u32,
    /// Cases that only one of the runs has.
    pub apart: u32,
    /// The chance of a difference like this, or a larger one, where neither run is better: a two-sided sign test over the
    /// cases. Below 0.05 it is usually taken to be one.
    pub chance: f64,
}

/// A case that differs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// The case's id.
    pub case: String,
    /// The share of its trials that passed in the other run.
    pub before: f64,
    /// The share that passes now.
    pub now: f64,
    /// Why its first trial that did not pass now did not; empty where all pass.
    pub why: String,
}

/// Compares what was measured with another run's: its row of the same name, else its first.
pub fn compare(now: &Measured, other: &Results) -> Option<Comparison> {
    let same = other.measured.iter().find(|measured| measured.investigator.name == now.investigator.name);
    let before = same.or_else(|| other.measured.first())?;
    let case = |id: &str| before.cases.iter().find(|case| case.id == id && !case.trials.is_empty());
    let pairs: Vec<(&CaseResult, &CaseResult)> =
        now.cases.iter().filter(|case| !case.trials.is_empty()).filter_map(|now| Some((case(&now.id)?, now))).collect();
    let count = |such: &dyn Fn(f64, f64) -> bool| -> u32 {
        pairs.iter().filter(|(before, now)| such(before.passed(), now.passed())).map(|_| 1).sum()
    };
    let (better, worse) = (count(&|before, now| now > before), count(&|before, now| now < before));
    let paired = better + worse + count(&|before, now| is_same(before, now));
    let all = |measured: &Measured| u32::try_from(measured.cases.len()).unwrap_or(u32::MAX);
    let differences = pairs
        .iter()
        .filter(|(before, now)| !is_same(before.passed(), now.passed()))
        .map(|(before, now)| Difference {
            case: now.id.clone(),
            before: rounded(before.passed()),
            now: rounded(now.passed()),
            why: now.trials.iter().find(|trial| !trial.passed()).map(TrialResult::why).unwrap_or_default(),
        })
        .collect();
    Some(Comparison {
        with: format!("{}, {}", other.program, before.investigator.name),
        differences,
        better,
        worse,
        equal: paired - better - worse,
        apart: (all(now) - paired) + (all(before) - paired),
        chance: rounded(sign_test(better, worse)),
    })
}

fn is_same(before: f64, now: f64) -> bool {
    (now - before).abs() < f64::EPSILON
}
