//! What an investigator says.

use std::fmt::Write as _;

use marple_core::{Category, Conclusion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an investigator says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// A conclusion in marple's schema.
    Conclusion(Box<Conclusion>),
    /// Words.
    Prose(String),
}

/// A piece of what an investigator was given or said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Who speaks.
    pub by: Speaker,
    /// What it is, as a tool's name with its arguments.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The words.
    pub text: String,
}

/// Who speaks in a transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Speaker {
    /// Who asks.
    Marple,
    /// The model.
    Model,
    /// A tool, or evidence that was kept.
    Tool,
    /// A program that is measured.
    Program,
}

/// What a model used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Spent {
    /// Tokens of the requests.
    pub prompt_tokens: u64,
    /// Tokens of the answers.
    pub completion_tokens: u64,
    /// Millionths of a US dollar; 0 where no prices are configured.
    pub cost_micros: u64,
}

impl Answer {
    /// What stands on a program's standard output: a conclusion where it is one as JSON, else words.
    pub fn read(output: &str) -> Self {
        match serde_json::from_str::<Conclusion>(output.trim()) {
            Ok(mut conclusion) => {
                // Whether a quote was found is what a check says, not who is measured.
                conclusion.citations_mut().for_each(|citation| citation.verified = false);
                Self::Conclusion(Box::new(conclusion))
            }
            Err(_) => Self::Prose(output.trim().to_owned()),
        }
    }

    /// All that it says.
    pub fn text(&self) -> String {
        match self {
            Self::Prose(text) => text.clone(),
            Self::Conclusion(conclusion) => {
                let mut text = claims(conclusion);
                for claim in &conclusion.ruled_out {
                    line(&mut text, &format!("Not the cause: {}", claim.statement));
                }
                for unseen in &conclusion.unseen {
                    line(&mut text, &format!("Not seen: {}: {}", unseen.what, unseen.why));
                }
                text
            }
        }
    }

    /// What it claims: all but what it rules out and could not see.
    pub fn claims(&self) -> String {
        match self {
            Self::Prose(text) => text.clone(),
            Self::Conclusion(conclusion) => claims(conclusion),
        }
    }

    /// What it says is to be done; of words, which have no such part, all.
    pub fn remedies(&self) -> String {
        match self {
            Self::Prose(text) => text.clone(),
            Self::Conclusion(conclusion) => remedies(conclusion),
        }
    }
}

fn claims(conclusion: &Conclusion) -> String {
    let mut text = String::new();
    line(&mut text, &conclusion.summary);
    if let Some(cause) = &conclusion.cause {
        line(&mut text, &format!("Cause: {} ({}): {}", cause.object, word(cause.category), cause.statement));
    }
    for link in &conclusion.chain {
        line(&mut text, &format!("{}: {}", link.object, link.statement));
    }
    line(&mut text, &conclusion.impact);
    text + &remedies(conclusion)
}

fn remedies(conclusion: &Conclusion) -> String {
    let mut text = String::new();
    for remedy in &conclusion.remedies {
        line(&mut text, &remedy.title);
        line(&mut text, remedy.command.as_deref().unwrap_or_default());
    }
    text
}

fn line(text: &mut String, words: &str) {
    if !words.is_empty() {
        // A string takes all.
        let _ = writeln!(text, "{words}");
    }
}

/// A category as conclusions write it.
pub(crate) fn word(category: Category) -> String {
    serde_json::to_value(category).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}
