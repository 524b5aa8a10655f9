//! Counting.

use crate::{Message, ModelRequest, ToolOffer};

/// What a message costs beside its words: its role and marks (OpenAI's cookbook for counting tokens gives 3 to 4).
const MESSAGE: u32 = 4;
/// What a call costs beside name and arguments: its id and marks.
const CALL: u32 = 12;
/// What a tool costs beside its JSON.
const OFFER: u32 = 8;
/// What begins the answer.
const ANSWER: u32 = 3;

/// How many tokens a text has in the vocabulary `o200k_base`. Other models count differently; a conversation learns
/// by how much from what the server says it used.
pub fn tokens(text: &str) -> u32 {
    u32::try_from(tiktoken_rs::o200k_base_singleton().count_ordinary(text)).unwrap_or(u32::MAX)
}

/// How many tokens a request has.
pub fn request_tokens(request: &ModelRequest) -> u32 {
    let messages = request.messages.iter().map(message_tokens).fold(ANSWER, u32::saturating_add);
    messages.saturating_add(offers_tokens(&request.tools))
}

/// How many tokens the offered tools have.
pub(crate) fn offers_tokens(offers: &[ToolOffer]) -> u32 {
    let each = offers.iter().map(|offer| {
        let words = tokens(&offer.name).saturating_add(tokens(&offer.description));
        words.saturating_add(tokens(&offer.parameters.to_string())).saturating_add(OFFER)
    });
    each.fold(0, u32::saturating_add)
}

/// How many tokens one message has.
pub(crate) fn message_tokens(message: &Message) -> u32 {
    let words = match message {
        Message::System { content } | Message::User { content } | Message::Tool { content, .. } => tokens(content),
        Message::Assistant { content, calls, .. } => calls.iter().fold(tokens(content), |sum, call| {
            let arguments = serde_json::to_string(&call.arguments).unwrap_or_default();
            sum.saturating_add(tokens(&call.name)).saturating_add(tokens(&arguments)).saturating_add(CALL)
        }),
    };
    words.saturating_add(MESSAGE)
}
