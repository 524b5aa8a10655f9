//! Whoever is measured: given a recorded incident as it was at its time, says what the cause is.

mod answer;
mod changes;
mod command;
mod words;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

pub use answer::{Answer, Entry, Speaker, Spent};
pub use changes::RecordedChanges;
pub use command::{CommandInvestigator, CommandLineError};

use crate::bundle::Bundle;
use crate::case::Asked;
use crate::replay::Replay;

/// Who is measured, and how it was set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Identity {
    /// `rules`, `agent` or `command`.
    pub kind: String,
    /// Its name in reports, as `agent gpt-5`.
    pub name: String,
    /// The model, where one is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A digest of all by which its answers may differ: its settings, its prompts, the program. Answers of another one are
    /// not used again.
    pub digest: String,
}

/// A recorded incident that is being served, to be investigated. All of it goes when it is dropped.
pub struct Staged<'a> {
    /// The servers, and the recording.
    pub replay: &'a Replay,
    /// What is asked.
    pub asked: &'a Asked,
    /// A folder of its own, empty but for the kubeconfig.
    pub folder: &'a Path,
    /// A kubeconfig for the served cluster.
    pub kubeconfig: PathBuf,
    /// The longest that it may take; what takes longer is dropped.
    pub deadline: std::time::Duration,
    /// Ends it.
    pub cancel: CancellationToken,
}

/// What an investigator came to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Attempt {
    /// What it answered.
    pub answer: Answer,
    /// Whether the citations of its conclusion were checked against the evidence.
    pub checked: bool,
    /// How it ended, where there is more to say than that it answered.
    pub note: Option<String>,
    /// What it was given and what it said, as far as that is seen.
    pub transcript: Vec<Entry>,
    /// What its model used, where that is known.
    pub spent: Option<Spent>,
    /// Answers of its model.
    pub turns: Option<u32>,
    /// Looks that it took.
    pub looks: Option<u32>,
}

/// An investigator gave no answer. Another try may give one.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
pub struct AttemptError {
    /// What failed, and what to do.
    pub why: String,
    /// What there was until then.
    pub transcript: Vec<Entry>,
}

/// Investigates recorded incidents.
#[async_trait]
pub trait Investigator: Send + Sync {
    /// Who it is.
    fn identity(&self) -> &Identity;

    /// Investigates one. Dropped, it ends what it started.
    async fn investigate(&self, staged: &Staged<'_>) -> Result<Attempt, AttemptError>;
}

impl Staged<'_> {
    /// What was recorded.
    pub fn bundle(&self) -> &Arc<Bundle> {
        self.replay.bundle()
    }

    /// The present of the recording.
    pub fn now(&self) -> Timestamp {
        self.replay.now()
    }
}

impl Attempt {
    /// An answer of which nothing else is known.
    pub fn of(answer: Answer) -> Self {
        Self { answer, checked: false, note: None, transcript: Vec::new(), spent: None, turns: None, looks: None }
    }
}

impl AttemptError {
    /// One without a transcript.
    pub fn new(why: impl std::fmt::Display) -> Self {
        Self { why: why.to_string(), transcript: Vec::new() }
    }
}
