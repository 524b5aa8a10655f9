//! What is to be investigated.

use jiff::Timestamp;
use marple_core::{Conclusion, EvidenceId, Finding, Incident, Member};
use serde::{Deserialize, Serialize};

/// What is wanted at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// A checked conclusion.
    Conclude,
    /// An answer in words to the question.
    Answer,
}

/// A piece of evidence that is there before the first look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceTitle {
    /// Its name.
    pub id: EvidenceId,
    /// What was looked at, in one line.
    pub title: String,
    /// Length of its content in bytes.
    pub size: usize,
}

/// A piece of evidence that is small enough to be shown with the case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Small {
    /// Its name.
    pub id: EvidenceId,
    /// All of its text.
    pub text: String,
}

/// A question that was asked before in the same conversation, with what was answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exchange {
    /// The question.
    pub question: String,
    /// The answer.
    pub answer: String,
}

/// An earlier incident of the same objects or the same cause: a hint, never evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Remembered {
    /// What it was, in one line.
    pub title: String,
    /// When it began.
    pub began: Timestamp,
    /// What was concluded, in one line.
    pub concluded: String,
    /// What a person said of that, as `ann: wrong, it was the node`.
    pub said: Option<String>,
}

/// What is to be investigated, with what is known already.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Case {
    /// What a person asked.
    pub question: Option<String>,
    /// What was asked and answered before, in its order.
    #[serde(default)]
    pub earlier: Vec<Exchange>,
    /// The incident, where there is one.
    pub incident: Option<Incident>,
    /// Its signals, the first ones first.
    pub members: Vec<Member>,
    /// What the rules found, with citations where the evidence is kept.
    pub findings: Vec<Finding>,
    /// What the rules conclude: the answer when the model gives none.
    pub rules: Conclusion,
    /// The evidence that was captured.
    pub evidence: Vec<EvidenceTitle>,
    /// Earlier incidents like it, the most telling first.
    #[serde(default)]
    pub remembered: Vec<Remembered>,
    /// The cluster's name, where there is more than one.
    pub cluster_name: Option<String>,
    /// What is wanted.
    pub mode: Mode,
}

impl Case {
    /// A case of which nothing is known but what the rules conclude.
    pub fn new(mode: Mode, rules: Conclusion) -> Self {
        Self {
            question: None,
            earlier: Vec::new(),
            incident: None,
            members: Vec::new(),
            findings: Vec::new(),
            rules,
            evidence: Vec::new(),
            remembered: Vec::new(),
            cluster_name: None,
            mode,
        }
    }
}
