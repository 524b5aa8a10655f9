//! How an investigation ended.

use std::fmt;

use marple_core::Conclusion;
use serde::{Deserialize, Serialize};

use crate::{Hypothesis, Usage, fallback};

/// What was spent to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// Requests to the model.
    Turns,
    /// Calls of tools.
    ToolCalls,
    /// Prompt tokens.
    PromptTokens,
    /// Money.
    Cost,
    /// Time.
    Time,
}

impl fmt::Display for Limit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Turns => "requests to the model",
            Self::ToolCalls => "calls of tools",
            Self::PromptTokens => "prompt tokens",
            Self::Cost => "money",
            Self::Time => "time",
        })
    }
}

/// Why an investigation ended, and by that whose conclusion it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ending")]
pub enum Ending {
    /// The model concluded by itself.
    Concluded,
    /// The model concluded because it was made to: a budget neared its end, or it went round in circles.
    Forced {
        /// Why.
        why: String,
    },
    /// The budget was spent before the model concluded.
    BudgetSpent {
        /// Which.
        limit: Limit,
    },
    /// No model is configured.
    NoModel,
    /// The model could not be reached, or refused.
    ModelUnavailable {
        /// What failed, and what to do.
        why: String,
        /// Whether too much is asked of it at a time, and nothing else is wrong.
        #[serde(default)]
        limited: bool,
    },
    /// The model may not be asked: a person has stopped it, or what all investigations may spend is spent.
    Stopped {
        /// Why, and until when.
        why: String,
    },
    /// The model answered, but nothing that could be used.
    Unusable {
        /// What was wrong.
        why: String,
    },
    /// A person or a shutdown ended it.
    Cancelled,
}

impl Ending {
    /// Whether the conclusion or answer is the model's.
    pub fn is_of_model(&self) -> bool {
        matches!(self, Self::Concluded | Self::Forced { .. })
    }
}

impl fmt::Display for Ending {
    /// One clause for people, as `no language model is configured`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Concluded => formatter.write_str("the model concluded"),
            Self::Forced { why } => write!(formatter, "the model was made to conclude: {why}"),
            Self::BudgetSpent { limit } => {
                write!(formatter, "the budget of {limit} was spent before the model concluded")
            }
            Self::NoModel => formatter.write_str("no language model is configured"),
            Self::ModelUnavailable { why, .. } => write!(formatter, "the language model failed: {why}"),
            Self::Stopped { why } => write!(formatter, "the language model may not be asked: {why}"),
            Self::Unusable { why } => write!(formatter, "the language model gave no usable answer: {why}"),
            Self::Cancelled => formatter.write_str("the investigation was cancelled"),
        }
    }
}

/// What an investigation came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Outcome {
    /// The model's checked conclusion, else the rules' with the reason under `unseen`.
    pub conclusion: Conclusion,
    /// The model's answer in words, where one was asked for and given.
    pub answer: Option<String>,
    /// Why it ended.
    pub ending: Ending,
    /// What the model used.
    pub usage: Usage,
    /// Answers of the model.
    pub turns: u32,
    /// Calls of tools that were made.
    pub calls: u32,
    /// The explanations that the model weighed, as it left them.
    #[serde(default)]
    pub hypotheses: Vec<Hypothesis>,
}

impl Outcome {
    /// The rules' conclusion, where no model is configured.
    pub fn without_model(rules: &Conclusion) -> Self {
        let ending = Ending::NoModel;
        Self {
            conclusion: fallback(rules, &ending),
            answer: None,
            ending,
            usage: Usage::default(),
            turns: 0,
            calls: 0,
            hypotheses: Vec::new(),
        }
    }
}
