//! One investigation of one case, kept when it has ended.

mod folder;
mod key;

use serde::{Deserialize, Serialize};

pub use folder::{TrialError, TrialFolder};
pub use key::Key;

use crate::investigator::{Attempt, Entry, Spent};
use crate::judge::Judgement;

/// One investigation of one case. What it scores is reckoned from the answer each time: another `must` of a case needs no
/// other answer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trial {
    /// The form of this file.
    pub version: u32,
    /// What it is an answer to, and whose.
    pub key: Key,
    /// The case's id.
    pub case: String,
    /// Name of the investigator.
    pub investigator: String,
    /// Which of the case's trials, from 1.
    pub number: u32,
    /// What it came to.
    pub end: End,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What a model says of its answer, where one was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// A digest of what that hangs on: where it is another now, it is judged anew.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judged: Option<String>,
}

/// What a trial came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// There is an answer.
    Answered(Box<Attempt>),
    /// There is none.
    Failed {
        /// What failed.
        why: String,
        /// What there was until then.
        transcript: Vec<Entry>,
    },
}

/// The form of a trial's file that is written and read.
pub const VERSION: u32 = 1;

impl Trial {
    /// What it came to, where it answered.
    pub fn attempt(&self) -> Option<&Attempt> {
        match &self.end {
            End::Answered(attempt) => Some(attempt),
            End::Failed { .. } => None,
        }
    }

    /// Why there is no answer.
    pub fn failure(&self) -> Option<&str> {
        match &self.end {
            End::Answered(_) => None,
            End::Failed { why, .. } => Some(why),
        }
    }

    /// What was given and said.
    pub fn transcript(&self) -> &[Entry] {
        match &self.end {
            End::Answered(attempt) => &attempt.transcript,
            End::Failed { transcript, .. } => transcript,
        }
    }

    /// What its model used; nothing where that is not known.
    pub fn spent(&self) -> Option<Spent> {
        self.attempt().and_then(|attempt| attempt.spent)
    }
}
