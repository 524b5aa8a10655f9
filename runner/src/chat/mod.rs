//! Answers people's questions about the cluster or an incident, in conversations.
//!
//! A [`Talk`] is one question under way: its events are numbered and kept for a while, so that a client that was cut off
//! goes on where it was, and it is cancelled when nobody listens any more. What was asked and answered is kept in the
//! store by conversation, and what was looked at in memory.

mod answer;
mod ask;
mod error;
mod event;
mod evidence;
mod listen;
mod models;
mod place;
mod question;
mod talk;
mod telling;

pub use answer::{Chat, Prepared};
pub use ask::conversation_of;
pub use error::ChatError;
pub use event::{Answered, ChatEvent, Failure, FailureKind};
pub use evidence::ConversationEvidence;
pub use listen::Listener;
pub use models::{Answerer, Answerers};
pub use question::{Asks, Hearing, Question, Seen};
pub use talk::{Talk, TalkId};
