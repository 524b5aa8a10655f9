//! A model as a judge of answers in words, beside the exact rules and never in their place.

mod verdict;

use std::sync::Arc;

use marple_agent::model::ModelRequest;
use marple_agent::{Message, Model, ModelError, Prompts};
use marple_core::{Verdict, hex};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;

use crate::case::Case;
use crate::score::Score;
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

/// In how many of the questions the judge and the exact rules agree.
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
    pub fn agreement(&self, score: &Score) -> Agreement {
        let cause = score.cause.map(|cause| cause == self.cause);
        let remedy = score.remedy.map(|remedy| remedy == self.remedy);
        let must = self.must.iter().zip(&score.must).map(|(judged, exact)| judged == exact);
        let must_not = self.must_not.iter().zip(&score.must_not).map(|(judged, exact)| judged == exact);
        let verdict = std::iter::once(self.verdict == score.verdict);
        let all: Vec<bool> = verdict.chain(cause).chain(remedy).chain(must).chain(must_not).collect();
        let count = |such: bool| -> u32 { all.iter().filter(|agreed| **agreed || such).map(|_| 1).sum() };
        Agreement { agreed: count(false), asked: count(true) }
    }
}
