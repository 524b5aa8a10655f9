//! Calls that a person is asked for.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{ApprovalId, ObjectRef};
use marple_tools::Effect;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::StoreError;

/// What became of a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApprovalState {
    /// It waits for a person.
    Waiting,
    /// The call may be made, once.
    Approved,
    /// It may not.
    Denied,
    /// Nobody answered in time.
    Expired,
    /// Who asked is gone: the investigation ended, or the program was started anew.
    Withdrawn,
}

/// A call that a person is asked for, redacted.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ApprovalRow {
    /// Its name.
    pub id: ApprovalId,
    /// Of all that it is about: the same for the same question of the same asker.
    #[serde(skip)]
    pub digest: String,
    /// What became of it.
    pub state: ApprovalState,
    /// In one line.
    pub title: String,
    /// The object that would change, where it is one.
    pub object: Option<ObjectRef>,
    /// What would differ afterwards.
    pub diff: String,
    /// Who wants to make it.
    pub actor: String,
    /// The tool.
    pub tool: String,
    /// What it may change.
    pub effect: Effect,
    /// Its arguments.
    pub arguments: Value,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// From when on nobody waits for an answer.
    pub expires_at: Timestamp,
    /// When it was decided.
    pub decided_at: Option<Timestamp>,
    /// By whom.
    pub decided_by: Option<String>,
    /// Why, where it was told.
    pub why: Option<String>,
}

/// A person's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Whether the call may be made.
    pub approved: bool,
    /// Who says so.
    pub by: String,
    /// Why, where it is told.
    pub why: Option<String>,
}

/// Questions to people.
#[async_trait]
pub trait Approvals: Send + Sync {
    /// Keeps a question.
    async fn approval_ask(&self, row: &ApprovalRow) -> Result<(), StoreError>;

    /// Keeps a person's word, with its entry in the audit log. Only the first counts: fails where the question doesn't
    /// wait any more.
    async fn approval_decide(&self, id: ApprovalId, verdict: &Verdict, at: Timestamp) -> Result<(), StoreError>;

    /// The latest question of this digest whose answer is not used yet, where it can still be given or was given in time.
    async fn approval_open(&self, digest: &str, now: Timestamp) -> Result<Option<ApprovalRow>, StoreError>;

    /// Uses the answer of a question. Says whether it was there to be used: only the first use counts.
    async fn approval_use(&self, id: ApprovalId, at: Timestamp) -> Result<bool, StoreError>;

    /// One of them.
    async fn approval(&self, id: ApprovalId) -> Result<Option<ApprovalRow>, StoreError>;

    /// The latest.
    async fn approvals(&self, limit: u32) -> Result<Vec<ApprovalRow>, StoreError>;
}
