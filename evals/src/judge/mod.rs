//! A model as a judge of answers in words, beside the exact rules and never in their place.

mod labels;
#[cfg(test)]
mod tests;
mod verdict;

use std::sync::Arc;

use marple_agent::model::ModelRequest;
use marple_agent::{Message, Model, ModelError, Prompts};
use marple_core::{Verdict, hex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::case::{Case, Saying};
use crate::score::Score;
pub use labels::{LABELS_FILE, Label, Labels, Opinion, WithPeople};
use verdict::read;

/// Tokens that a judgement may have, thinking among them.
const LONGEST: u32 = 4_096;

/// What a model says of an answer in words, by the same questions that the exact rules answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Judgement {
    /// The verdict that the answer gives.
    pub verdict: Verdict,
    /// Whether it names an accepted cause.
    #[serde(default)]
    pub cause: bool,
    /// Whether it says each thing that it must, in their order.
    #[serde(default)]
    pub must: Vec<bool>,
    /// Whether it claims each thing that it must not.
    #[serde(default)]
    pub must_not: Vec<bool>,
    /// Whether it names the remedy.
    #[serde(default)]
    pub remedy: bool,
}

/// In how many of the questions two agree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Agreement {
    /// Questions that both answer the same.
    pub agreed: u32,
    /// Questions that both answered.
    pub asked: u32,
}

/// A judge gave no judgement. Trying again may help.
#[derive(Debug, thiserror::Error)]
pub enum JudgeError {
    /// The model did not answer.
    #[error("the judge: {0}")]
    Model(#[from] ModelError),
    /// What it answered is no judgement.
    #[error("the judge's answer can't be used: {0}")]
    Unusable(String),
}

/// Judges answers with a model.
#[derive(Clone)]
pub struct Judge {
    model: Arc<dyn Model>,
    prompts: Prompts,
}

/// What the template `judged.j2` is given.
#[derive(Serialize)]
struct Brief<'a> {
    case: &'a Case,
    causes: Vec<String>,
    answer: &'a str,
}

impl Judge {
    /// A judge that asks this model.
    pub fn new(model: Arc<dyn Model>, prompts: Prompts) -> Self {
        Self { model, prompts }
    }

    /// A digest of all that a judgement hangs on: what the model is told, which has the case's question, causes and
    /// statements and the answer in it, and the model's name.
    pub fn key(&self, case: &Case, answer: &str) -> String {
        let (instructions, brief) = self.told(case, answer);
        let content = serde_json::json!([self.model.name(), instructions, brief, case.ask, case.causes]);
        hex(&Sha256::digest(content.to_string().as_bytes()))
    }

    fn told(&self, case: &Case, answer: &str) -> (String, String) {
        let causes = case.causes.iter().map(|cause| cause.object.to_string()).collect();
        self.prompts.judge(&Brief { case, causes, answer })
    }

    /// Judges an answer in words.
    pub async fn judge(&self, case: &Case, answer: &str) -> Result<Judgement, JudgeError> {
        let (instructions, brief) = self.told(case, answer);
        let request = ModelRequest {
            messages: vec![Message::System { content: instructions }, Message::User { content: brief }],
            tools: Arc::new([]),
            may_call: false,
            max_output: LONGEST.min(self.model.limits().max_output),
        };
        // Nobody watches; a sender whose receiver is gone loses what it is given.
        let (deltas, _) = mpsc::channel(1);
        let answer = self.model.complete(request, &deltas).await?;
        read(&answer.content, case).map_err(JudgeError::Unusable)
    }
}

impl Judgement {
    /// Whether the answer passes by it.
    pub fn passes(&self, case: &Case) -> bool {
        self.verdict == case.verdict
            && (case.verdict != Verdict::Fault || self.cause)
            && self.must.iter().all(|said| *said)
            && !self.must_not.iter().any(|claimed| *claimed)
    }

    /// How far it agrees with the exact rules.
    pub fn agreement(&self, score: &Score, case: &Case) -> Agreement {
        Agreement::of(&self.compared(&Self::from(score), case))
    }

    /// The questions of a case, and whether another answers each the same.
    fn compared(&self, other: &Self, case: &Case) -> Vec<(String, bool)> {
        let mut compared = vec![("verdict".to_owned(), self.verdict == other.verdict)];
        if case.verdict == Verdict::Fault {
            compared.push(("cause".to_owned(), self.cause == other.cause));
        }
        if case.remedy.is_some() {
            compared.push(("remedy".to_owned(), self.remedy == other.remedy));
        }
        let mut said = |kind: &str, sayings: &[Saying], own: &[bool], others: &[bool]| {
            let same = own.iter().zip(others).map(|(own, other)| own == other);
            compared.extend(sayings.iter().zip(same).map(|(saying, same)| (format!("{kind}: {}", saying.means), same)));
        };
        said("must", &case.must, &self.must, &other.must);
        said("must not", &case.must_not, &self.must_not, &other.must_not);
        compared
    }

    /// Whether it answers each question of a case once; else what is wrong.
    fn fits(&self, case: &Case) -> Result<(), String> {
        let counted = |field: &str, given: usize, wanted: usize| {
            let fault = format!("`{field}` has {given} answers to {wanted} questions");
            if given == wanted { Ok(()) } else { Err(fault) }
        };
        counted("must", self.must.len(), case.must.len())?;
        counted("must_not", self.must_not.len(), case.must_not.len())
    }
}

impl From<&Score> for Judgement {
    /// What the exact rules say.
    fn from(score: &Score) -> Self {
        Self {
            verdict: score.verdict,
            cause: score.cause.unwrap_or_default(),
            must: score.must.clone(),
            must_not: score.must_not.clone(),
            remedy: score.remedy.unwrap_or_default(),
        }
    }
}

impl Agreement {
    fn of(compared: &[(String, bool)]) -> Self {
        let count = |such: bool| -> u32 { compared.iter().filter(|(_, same)| *same || such).map(|_| 1).sum() };
        Self { agreed: count(false), asked: count(true) }
    }

    /// Adds the questions of others.
    pub(crate) const fn add(&mut self, other: Self) {
        self.agreed += other.agreed;
        self.asked += other.asked;
    }
}
