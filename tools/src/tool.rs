//! What a tool is.

use std::borrow::Cow;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{EvidenceId, ObjectRef};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::toolbox::Whole;

/// What a call may change.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// Nothing: it only looks.
    Read,
    /// It runs a program or a query that costs, without changing the cluster.
    Exec,
    /// It changes the cluster.
    Write,
}

/// How a tool is offered to a model.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolSpec {
    /// Name, in snake case.
    pub name: Cow<'static, str>,
    /// When to use it and what it gives, in one or two sentences: each word is paid for at every call.
    pub description: Cow<'static, str>,
    /// JSON Schema of its arguments: an object, without `$schema` and titles.
    pub parameters: Value,
    /// What it may change.
    pub effect: Effect,
}

/// The circumstances of a look.
#[derive(Clone, Debug)]
pub struct Look {
    /// When the incident began; times in outputs are told relative to it. Absent for a question without one.
    pub incident_start: Option<Timestamp>,
    /// The present, or the time at which a recorded incident is looked at.
    pub now: Timestamp,
    /// Ends the call when cancelled.
    pub cancel: CancellationToken,
}

/// Where what a look gave stands among the evidence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kept {
    /// Nowhere yet: it is kept as new evidence.
    #[default]
    New,
    /// It shows evidence that is kept already: one piece, or several where none is named.
    Already(Option<EvidenceId>),
}

/// What a look gave.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// What was looked at, in one line for people, as `logs of Pod shop/cart-1 container app, previous`.
    pub title: String,
    /// The object that it shows, where it is one.
    pub object: Option<ObjectRef>,
    /// All of it.
    pub content: String,
    /// A view that reads better than the head and tail of the whole, where the tool knows one.
    pub view: Option<String>,
    /// Whether it is new evidence.
    pub kept: Kept,
}

/// Why a call gave nothing. Each message says what to try.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The arguments don't fit; calling again with better ones helps.
    #[error("{0}")]
    Arguments(String),
    /// What was asked for isn't there.
    #[error("{0}")]
    NotFound(String),
    /// The credentials don't allow the look; what can't be seen is told to people.
    #[error("{0}")]
    Forbidden(String),
    /// The backend failed or was not reached; a later call may succeed.
    #[error("{0}")]
    Backend(String),
}

/// What a change would do.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Preview {
    /// In one line, as `scale Deployment shop/cart from 2 to 3`.
    pub title: String,
    /// The object that it changes, where it is one.
    pub object: Option<ObjectRef>,
    /// What differs afterwards, by the server's own word where it has a dry run. The time at which it is made is no part of
    /// it: a call that is asked for again after a restart is the same.
    pub diff: String,
    /// How it is now and how it would be, as a digest of all of it: what is left out of the difference and what is redacted
    /// in it count too. Empty where the difference says all.
    pub basis: String,
}

/// A change that was worked out and is not made yet. What is carried out is what was shown, or nothing.
#[async_trait]
pub trait Plan: Send + Sync {
    /// What a person decides on.
    fn preview(&self) -> &Preview;

    /// Makes the change, which `by` approved. Fails where what it rests on is no longer as it was shown.
    async fn carry_out(&self, by: &str, look: &Look) -> Result<Output, ToolError>;
}

/// A way to look, or to change something.
#[async_trait]
pub trait Tool: Send + Sync {
    /// How it is offered.
    fn spec(&self) -> &ToolSpec;

    /// Whether a person is asked before each call, even where the gate would let it pass.
    fn asks(&self) -> bool {
        false
    }

    /// Works out the change that a call would make, without making it; nothing where the tool can't tell beforehand.
    /// Only asked of tools that write.
    async fn plan(&self, _arguments: Value, _look: &Look) -> Result<Option<Box<dyn Plan>>, ToolError> {
        Ok(None)
    }

    /// Looks. The arguments are a JSON object as the model wrote it; null, absent and empty optional values mean the same.
    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError>;

    /// The same; a text that is too long to be held may be written to `whole` instead of given.
    async fn call_whole(&self, arguments: Value, look: &Look, _whole: &Whole<'_>) -> Result<Output, ToolError> {
        self.call(arguments, look).await
    }
}
