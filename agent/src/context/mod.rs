//! What fits into a request: the conversation, its size in tokens, and the folding of what is old.
//!
//! The beginning of a conversation never changes, so that a server's prompt cache hits; when room is needed, several
//! old results are folded at once, for each folding costs the cache from there on. Where that is not enough, the model
//! sums up what came before its last answer.

mod fence;
mod tokens;
mod transcript;

pub(crate) use fence::{Fence, without};
pub use tokens::{Vocabulary, request_tokens, tokens};
pub(crate) use transcript::{Fold, Transcript};
