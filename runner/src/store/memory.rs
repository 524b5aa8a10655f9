//! Earlier incidents, and what people said of them.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Incident, IncidentId, ObjectRef};
use serde::{Deserialize, Serialize};

use super::{Concluded, StoreError};

/// What a person says of a conclusion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// It was so.
    Right,
    /// A part of it was so.
    Partly,
    /// It was something else.
    Wrong,
}

impl Judgement {
    /// In words.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Right => "right",
            Self::Partly => "partly right",
            Self::Wrong => "wrong",
        }
    }
}

/// A person's word on a conclusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    /// Whether it was right.
    pub verdict: Judgement,
    /// What it was, in the person's words.
    pub was: Option<String>,
    /// Who says so.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// An earlier incident that is like another.
#[derive(Clone, Debug, PartialEq)]
pub struct Alike {
    /// The incident.
    pub incident: Incident,
    /// Names of its alerts, sorted.
    pub alerts: Vec<String>,
    /// What was concluded.
    pub concluded: Option<Concluded>,
    /// What was said of that last.
    pub feedback: Option<Feedback>,
}

/// Earlier incidents, and what people said of them.
#[async_trait]
pub trait Memory: Send + Sync {
    /// Keeps a person's word on an incident's conclusion.
    async fn feedback_keep(&self, incident: IncidentId, feedback: &Feedback) -> Result<(), StoreError>;

    /// What people said of an incident's conclusion, in their order.
    async fn feedback(&self, incident: IncidentId) -> Result<Vec<Feedback>, StoreError>;

    /// Earlier incidents that share an object with this one, or whose cause is this object; the latest first.
    async fn alike(
        &self,
        incident: IncidentId,
        cause: Option<&ObjectRef>,
        limit: u32,
    ) -> Result<Vec<Alike>, StoreError>;
}
