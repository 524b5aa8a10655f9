//! Answers people's questions about the cluster or an incident, in conversations.
//!
//! A [`Talk`] is one question under way: its events are numbered and kept for a while, so that a client that was cut off
//! goes on where it was, and it is cancelled when nobody listens any more. What was asked and answered is kept in the
//! store by conversation.

mod answer;
mod ask;
mod event;
mod listen;
mod talk;

pub use answer::{Chat, ChatError, Question};
pub use ask::conversation_of;
pub use event::{Answered, ChatEvent};
pub use listen::Listener;
pub use talk::{Talk, TalkId};
