//! What the double answers.

use std::fmt;
use std::sync::Arc;

use serde_json::{Value, json};

use super::Received;

/// A call as the double writes it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its id; absent for a server that gives none.
    pub id: Option<String>,
    /// The tool's name.
    pub name: String,
    /// The arguments, as they are written.
    pub arguments: String,
}

/// Calls by name, made from a request.
pub type Act = Arc<dyn Fn(&Received) -> Vec<(String, Value)> + Send + Sync>;

/// A conclusion, made from a request.
pub type Conclude = Arc<dyn Fn(&Received) -> Value + Send + Sync>;

/// An answer in the script.
#[derive(Clone)]
pub enum Reply {
    /// Words.
    Text(String),
    /// Calls with ids of the double's own, streamed in pieces.
    Calls(Vec<(String, Value)>),
    /// Calls made from the request.
    Act(Act),
    /// Calls exactly as given.
    Written(Vec<Call>),
    /// A conclusion, made from the request.
    Conclude(Conclude),
    /// An answer of whoever does not stream.
    Whole(Value),
    /// An HTTP error.
    Status {
        /// Its status.
        code: u16,
        /// Its `Retry-After`.
        retry_after: Option<String>,
        /// What it says.
        message: String,
    },
    /// A stream that breaks off in the middle of a call.
    Cut,
    /// Nothing, without end.
    Hang,
    /// A stream that begins and then pauses without end.
    Pause,
    /// A page instead of an answer.
    Nonsense,
    /// The same at each request from here on.
    Forever(Box<Reply>),
    /// No answer: this name was called in a part of the conversation that another double held.
    Known(String),
}

impl Reply {
    /// Words.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// One call.
    pub fn call(name: &str, arguments: Value) -> Self {
        Self::Calls(vec![(name.to_owned(), arguments)])
    }

    /// Calls, made from the request.
    pub fn act(calls: impl Fn(&Received) -> Vec<(String, Value)> + Send + Sync + 'static) -> Self {
        Self::Act(Arc::new(calls))
    }

    /// A conclusion, made from the request.
    pub fn conclude(conclusion: impl Fn(&Received) -> Value + Send + Sync + 'static) -> Self {
        Self::Conclude(Arc::new(conclusion))
    }

    /// A conclusion that nothing is broken.
    pub fn all_is_well() -> Self {
        Self::conclude(|_| json!({"verdict": "no_fault", "summary": "All is well.", "confidence": "high"}))
    }

    /// An HTTP error that asks for no wait.
    pub fn status(code: u16, message: &str) -> Self {
        Self::Status { code, retry_after: Some("0".to_owned()), message: message.to_owned() }
    }

    /// No answer: this name was called in a part of the conversation that another double held.
    pub fn known(name: &str) -> Self {
        Self::Known(name.to_owned())
    }

    /// The same at each request from here on.
    #[must_use]
    pub fn forever(self) -> Self {
        Self::Forever(Box::new(self))
    }

    /// The names that the answer calls, which may then stand in the conversation though no tool has them.
    pub(super) fn names(&self) -> Vec<String> {
        let plain = |name: &str| -> String {
            let letter = |letter: char| if letter.is_ascii_alphanumeric() || letter == '-' { letter } else { '_' };
            name.chars().map(letter).take(64).collect()
        };
        match self {
            Self::Calls(calls) => calls.iter().map(|(name, _)| plain(name)).collect(),
            Self::Known(name) => vec![name.clone()],
            Self::Written(calls) => calls.iter().map(|call| plain(&call.name)).collect(),
            _ => Vec::new(),
        }
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Text(_) => "Text",
            Self::Calls(_) => "Calls",
            Self::Act(_) => "Act",
            Self::Written(_) => "Written",
            Self::Conclude(_) => "Conclude",
            Self::Whole(_) => "Whole",
            Self::Status { .. } => "Status",
            Self::Cut => "Cut",
            Self::Hang => "Hang",
            Self::Pause => "Pause",
            Self::Nonsense => "Nonsense",
            Self::Forever(_) => "Forever",
            Self::Known(_) => "Known",
        })
    }
}
