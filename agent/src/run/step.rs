//! What happens, and what is to be done next.

use std::time::Duration;

use jiff::Timestamp;
use marple_core::Conclusion;
use marple_tools::CallOutcome;

use crate::citation::Checked;
use crate::{ModelAnswer, ModelError, ModelRequest, Outcome, ToolCall};

/// Something that happened. `at` is the time at which it did.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The model answered.
    ModelAnswered {
        /// Its whole answer.
        answer: ModelAnswer,
        /// When.
        at: Timestamp,
    },
    /// The model gave no answer, after retries.
    ModelFailed {
        /// Why.
        error: ModelError,
        /// When.
        at: Timestamp,
    },
    /// Calls ended; those that are absent count as cancelled.
    ToolsAnswered {
        /// By the call's id.
        outcomes: Vec<(String, CallOutcome)>,
        /// When.
        at: Timestamp,
    },
    /// The citations of a conclusion were looked up.
    Checked {
        /// What came of it.
        checked: Box<Checked>,
        /// When.
        at: Timestamp,
    },
    /// What an answer in words cites was looked up.
    AnswerChecked {
        /// What isn't so, one line each.
        faults: Vec<String>,
        /// When.
        at: Timestamp,
    },
    /// Time passed; sent when a step's `within` is over.
    Tick {
        /// When.
        at: Timestamp,
    },
    /// The saved state is gone on with; the time since it was saved isn't counted.
    Resumed {
        /// When.
        at: Timestamp,
    },
    /// A person or a shutdown ends it.
    Cancelled,
}

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Ask the model.
    CallModel {
        /// What.
        request: ModelRequest,
        /// Then send [`Event::Tick`].
        within: Duration,
    },
    /// Make these calls, at once.
    CallTools {
        /// Which; not empty, ids differ.
        calls: Vec<ToolCall>,
        /// Then send what has ended by then.
        within: Duration,
    },
    /// Look up the citations of this conclusion.
    Conclude {
        /// The conclusion as the model wrote it.
        conclusion: Box<Conclusion>,
    },
    /// Look up what this answer in words cites.
    CheckAnswer {
        /// The answer as the model wrote it.
        answer: String,
    },
    /// It has ended.
    Done(Box<Outcome>),
}
