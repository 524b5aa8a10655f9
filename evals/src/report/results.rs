//! The results of a run as data: `results.json`. Its schema is published as docs/schemas/results.schema.json.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use marple_core::Verdict;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::compare::Comparison;
use super::summary::Summary;
use crate::case::{Difficulty, SuiteCase, Tag};
use crate::investigator::{Answer, Identity, Spent};
use crate::judge::{Agreement, WithPeople};
use crate::score::{Class, Score, score};
use crate::trial::{Trial, TrialFolder};

/// The version of the form that is written and read.
pub const VERSION: u32 = 1;

/// What a run came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "results of marple eval")]
pub struct Results {
    /// The version of this form.
    pub version: u32,
    /// The program that measured, as `marple 0.1.0`.
    pub program: String,
    /// Name of the suite's folder.
    pub suite: String,
    /// When the reports were written.
    pub at: Timestamp,
    /// Each investigator with its cases: the one that was to be measured first, then the rules.
    pub measured: Vec<Measured>,
    /// How the first one differs from another run's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    /// How far the exact rules and the judge agree with people, where the suite has answers that people judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<WithPeople>,
}

/// An investigator with its cases.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Measured {
    /// Who was measured.
    pub investigator: Identity,
    /// What it comes to over all cases.
    pub summary: Summary,
    /// The cases, by their ids.
    pub cases: Vec<CaseResult>,
}

/// A case with its trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseResult {
    /// Its id.
    pub id: String,
    /// What happened, for people.
    pub title: String,
    /// What is right.
    pub verdict: Verdict,
    /// How hard it is.
    pub difficulty: Difficulty,
    /// Links from symptom to cause.
    pub hops: u32,
    /// What is special about it.
    pub tags: BTreeSet<Tag>,
    /// Its trials, by their numbers.
    pub trials: Vec<TrialResult>,
}

/// What one trial came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TrialResult {
    /// Which of the case's trials, from 1.
    pub number: u32,
    /// What became of it.
    pub class: Class,
    /// What its answer is worth; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<Score>,
    /// Why there is no answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<String>,
    /// Whether a model says that it passes, and how far it agrees with the exact rules; only of words, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<(bool, Agreement)>,
    /// What it answered, in a few words.
    pub answer: String,
    /// How it ended, where there is more to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// How long it took.
    pub seconds: f64,
    /// What its model used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spent: Option<Spent>,
    /// Answers of its model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turns: Option<u32>,
    /// Looks that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<u32>,
    /// Its file, under the folder of the report: the whole answer and transcript.
    pub file: String,
}

/// The results of another run can't be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// They can't be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// They have another form.
    #[error("{} holds no results of this version: {why}; run `marple eval` again there", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
}

impl Results {
    /// Reads those of another run: its folder, or the file in it.
    pub fn read(path: &Path) -> Result<Self, ResultsError> {
        let path = if path.is_dir() { path.join(super::RESULTS_FILE) } else { path.to_owned() };
        let text =
            std::fs::read_to_string(&path).map_err(|source| ResultsError::Read { path: path.clone(), source })?;
        let wrong = |why: String| ResultsError::Form { path: path.clone(), why };
        let value: Value = serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
        let found = value.get("version").cloned().unwrap_or_default();
        if found != VERSION {
            return Err(wrong(format!("its version is {found}, and {VERSION} is read")));
        }
        serde_json::from_value(value).map_err(|error| wrong(error.to_string()))
    }

    /// The JSON Schema of the file.
    pub fn schema() -> Value {
        SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Self>().to_value()
    }
}

impl Measured {
    /// Scores the trials of an investigator.
    pub fn of(investigator: &Identity, cases: &[SuiteCase], trials: &[Trial]) -> Self {
        let result = |case: &SuiteCase| {
            let own = trials.iter().filter(|trial| trial.case == case.id && trial.investigator == investigator.name);
            let mut own: Vec<TrialResult> = own.map(|trial| TrialResult::of(case, trial, &investigator.kind)).collect();
            own.sort_by_key(|trial| trial.number);
            CaseResult {
                id: case.id.clone(),
                title: case.case.title.clone(),
                verdict: case.case.verdict,
                difficulty: case.case.difficulty,
                hops: case.case.hops,
                tags: case.case.tags.clone(),
                trials: own,
            }
        };
        let cases: Vec<CaseResult> = cases.iter().map(result).collect();
        Self { investigator: investigator.clone(), summary: Summary::of(&cases), cases }
    }
}

impl CaseResult {
    /// How many of its trials there are that are so.
    pub fn count(&self, such: impl Fn(&TrialResult) -> bool) -> u32 {
        self.trials.iter().filter(|trial| such(trial)).map(|_| 1).sum()
    }

    /// The share of its trials that passed.
    pub fn passed(&self) -> f64 {
        f64::from(self.count(TrialResult::passed)) / f64::from(self.count(|_| true).max(1))
    }
}

impl TrialResult {
    fn of(case: &SuiteCase, trial: &Trial, kind: &str) -> Self {
        let attempt = trial.attempt();
        let score = attempt.map(|attempt| score(&case.case, attempt));
        let judged = trial.judgement.as_ref().zip(score.as_ref());
        let answer = match attempt.map(|attempt| &attempt.answer) {
            None => String::new(),
            Some(Answer::Prose(text)) => super::words::brief(text),
            Some(Answer::Conclusion(conclusion)) => match &conclusion.cause {
                Some(named) => format!("{}: {}", named.object, super::words::brief(&conclusion.summary)),
                None => super::words::brief(&conclusion.summary),
            },
        };
        Self {
            number: trial.number,
            class: score.as_ref().map_or(Class::Failed, |score| score.class),
            judged: judged
                .map(|(judgement, score)| (judgement.passes(&case.case), judgement.agreement(score, &case.case))),
            score,
            failure: trial.failure().map(str::to_owned),
            answer,
            note: attempt.and_then(|attempt| attempt.note.clone()),
            seconds: trial.seconds,
            spent: trial.spent(),
            turns: attempt.and_then(|attempt| attempt.turns),
            looks: attempt.and_then(|attempt| attempt.looks),
            file: format!("trials/{}", TrialFolder::file(&trial.case, kind, trial.number, &trial.key)),
        }
    }

    /// Whether it passed.
    pub fn passed(&self) -> bool {
        self.class == Class::Passed
    }

    /// Why it did not pass, in words.
    pub fn why(&self) -> String {
        match (&self.failure, &self.score) {
            (Some(failure), _) => failure.clone(),
            (None, Some(score)) => score.why.join("; "),
            (None, None) => String::new(),
        }
    }
}
