//! What happens while a question is answered.

use marple_agent::{Ending, Message, ToolCall, Usage};
use marple_core::ConversationId;
use marple_tools::CallOutcome;

use crate::store::ApprovalRow;

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub enum ChatEvent {
    /// The model said something before it went on to look.
    Said {
        /// Its words; may be empty.
        content: String,
        /// What it lets be seen of its thinking; may be empty.
        reasoning: String,
    },
    /// A call begins.
    CallStarted(ToolCall),
    /// A call ended.
    CallEnded {
        /// Which.
        call: ToolCall,
        /// What it came to.
        outcome: CallOutcome,
    },
    /// A call waits for a person's word; what was said so far goes with it.
    ApprovalRequired {
        /// The question.
        approval: Box<ApprovalRow>,
        /// The call, as the model made it.
        call: Option<ToolCall>,
        /// Names it to whoever decides.
        ticket: String,
        /// What the model was given and said, after its instructions and the case.
        messages: Vec<Message>,
    },
    /// Older results were folded, so that the conversation fits the model's window: so many are now.
    Folded(usize),
    /// What the model has used so far.
    Counted(Usage),
    /// It is answered: the last event.
    Answered(Box<Answered>),
    /// It can't be answered: the last event.
    Failed(Failure),
}

/// Why a question was not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Why, and what to do.
    pub why: String,
    /// What of.
    pub kind: FailureKind,
}

/// What of a question was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FailureKind {
    /// Too much is asked at a time, here or of the model: asking later helps.
    Limited,
    /// It was ended by a shutdown or another configuration: asking again helps.
    Ended,
    /// Anything else.
    Fault,
}

impl Failure {
    pub(super) fn of(why: impl Into<String>) -> Self {
        Self { why: why.into(), kind: FailureKind::Fault }
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// It, in Markdown.
    pub text: String,
    /// The conversation that it belongs to.
    pub conversation: ConversationId,
    /// How it ended.
    pub ending: Ending,
    /// What the model used.
    pub usage: Usage,
    /// What the model was given and said, after its instructions and the case.
    pub messages: Vec<Message>,
}

impl ChatEvent {
    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        matches!(self, Self::Answered(_) | Self::Failed(_))
    }
}
