//! What a person asks, and how its client hears the answer.

use marple_agent::Exchange;
use marple_core::{ConversationId, IncidentId};
use marple_tools::Redact;
use serde_json::Value;

/// What a person asks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Question {
    /// The question, as it was asked.
    pub text: String,
    /// What is wished beside it, as by a system message.
    pub wishes: String,
    /// What was asked and answered before, as the client tells it; where it tells nothing, the store knows it by the
    /// conversation.
    pub earlier: Vec<Exchange>,
    /// The same as the client told it, to be given back with the answer.
    pub before: Vec<Value>,
    /// What the client has looked at itself.
    pub seen: Vec<Seen>,
    /// The conversation that it goes on with; else it begins one.
    pub conversation: Option<ConversationId>,
    /// The incident that it is about.
    pub incident: Option<IncidentId>,
    /// The model that is to answer, by its name; else the first.
    pub model: Option<String>,
    /// How its client hears the answer.
    pub hearing: Hearing,
}

/// Something that a client has looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What was looked at, in one line.
    pub title: String,
    /// What it showed.
    pub content: String,
}

/// How a client hears an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hearing {
    /// Whether a client that was cut off can come back; else the question is given up with its client.
    pub comes_back: bool,
    /// Who is asked for calls that need a person's word.
    pub asks: Asks,
}

/// Who is asked for calls that need a person's word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Asks {
    /// Nobody: they are refused.
    #[default]
    Nobody,
    /// Whoever looks at the questions that wait, while the client hears on.
    Others,
    /// The client: what it hears ends there, and its next request carries the word.
    Client,
}

impl Question {
    /// The same without secrets, for a model and for the store. What the client told is given back to it as it was.
    #[must_use]
    pub(super) fn redacted(self, redact: &dyn Redact) -> Self {
        let clean = |text: &str| redact.redact(text);
        Self {
            text: clean(&self.text),
            wishes: clean(&self.wishes),
            earlier: self
                .earlier
                .iter()
                .map(|one| Exchange { question: clean(&one.question), answer: clean(&one.answer) })
                .collect(),
            seen: self.seen.iter().map(|one| Seen { title: clean(&one.title), content: clean(&one.content) }).collect(),
            ..self
        }
    }

    /// The question with what is wished beside it.
    pub(super) fn words(&self) -> String {
        match self.wishes.trim() {
            "" => self.text.clone(),
            wishes => format!("{}\n\n{wishes}", self.text),
        }
    }
}
