//! What an investigation tells while it runs.

use async_trait::async_trait;
use marple_tools::CallOutcome;

use crate::{Ending, Run, ToolCall};

/// The state could not be saved. The next step saves again, and all of it.
#[derive(Debug, thiserror::Error)]
#[error("save the state of the investigation: {0}")]
pub struct SaveError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Told {
    /// The model thinks: a piece of what it lets be seen of that.
    Thinking(String),
    /// A piece of the model's words.
    Text(String),
    /// The model's answer broke off and is asked for again: what was shown of it is void.
    Restarted,
    /// A call begins.
    CallStarted(ToolCall),
    /// A call ended; of each call exactly once, also where there was no time left to begin it.
    CallEnded {
        /// Which.
        call: ToolCall,
        /// What it came to.
        outcome: CallOutcome,
    },
    /// The check of a conclusion found something to mend.
    Fault(String),
    /// The investigation ended.
    Ended(Ending),
}

/// Keeps the state of an investigation, and shows what happens.
#[async_trait]
pub trait Progress: Send + Sync {
    /// Keeps the state: called after each step, before the next is taken. When it fails the investigation goes on.
    async fn save(&self, run: &Run) -> Result<(), SaveError>;

    /// Shows what happened. Must not wait for long: the model's stream waits with it.
    async fn told(&self, told: Told);
}
