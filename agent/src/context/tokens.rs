//! Counting.

use serde::{Deserialize, Serialize};
use tiktoken_rs::tokenizer::Tokenizer;

use crate::{Message, ModelRequest, ToolOffer};

/// What a message costs beside its words: its role and marks (OpenAI's cookbook for counting tokens gives 3 to 4).
const MESSAGE: u32 = 4;
/// What a call costs beside name and arguments: its id and marks.
const CALL: u32 = 12;
/// What a tool costs beside its JSON.
const OFFER: u32 = 8;
/// What begins the answer.
const ANSWER: u32 = 3;

/// The vocabulary by which a model's tokens are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Vocabulary {
    /// That of OpenAI's models since GPT-4o, and the nearest for those whose own is not known. A conversation learns from
    /// what the server says it used by how much it counts too little.
    #[default]
    O200k,
    /// That of GPT-4 and GPT-3.5.
    Cl100k,
}

impl Vocabulary {
    /// That of a model by its name, with or without who serves it, as `openai/gpt-4-turbo`.
    pub fn of_model(name: &str) -> Self {
        let name = name.rsplit('/').next().unwrap_or(name);
        match tiktoken_rs::tokenizer::get_tokenizer(name) {
            Some(Tokenizer::Cl100kBase) => Self::Cl100k,
            _ => Self::O200k,
        }
    }

    /// How many tokens a text has.
    pub fn tokens(self, text: &str) -> u32 {
        let vocabulary = match self {
            Self::O200k => tiktoken_rs::o200k_base_singleton(),
            Self::Cl100k => tiktoken_rs::cl100k_base_singleton(),
        };
        u32::try_from(vocabulary.count_ordinary(text)).unwrap_or(u32::MAX)
    }

    /// How many characters of a text have about so many tokens; nothing where all of it has no more.
    pub(crate) fn letters(self, text: &str, most: u32) -> Option<usize> {
        let count = self.tokens(text);
        if count <= most {
            return None;
        }
        let letters = text.chars().count();
        Some(usize::try_from(u64::from(most) * letters as u64 / u64::from(count)).unwrap_or(letters))
    }

    /// How many tokens a request has.
    pub fn request(self, request: &ModelRequest) -> u32 {
        let messages = request.messages.iter().map(|message| self.message(message)).fold(ANSWER, u32::saturating_add);
        messages.saturating_add(self.offers(&request.tools))
    }

    /// How many tokens the offered tools have.
    pub(crate) fn offers(self, offers: &[ToolOffer]) -> u32 {
        let each = offers.iter().map(|offer| {
            let words = self.tokens(&offer.name).saturating_add(self.tokens(&offer.description));
            words.saturating_add(self.tokens(&offer.parameters.to_string())).saturating_add(OFFER)
        });
        each.fold(0, u32::saturating_add)
    }

    /// How many tokens one message has.
    pub(crate) fn message(self, message: &Message) -> u32 {
        let words = match message {
            Message::System { content } | Message::User { content } | Message::Tool { content, .. } => {
                self.tokens(content)
            }
            Message::Assistant { content, calls, .. } => calls.iter().fold(self.tokens(content), |sum, call| {
                let arguments = serde_json::to_string(&call.arguments).unwrap_or_default();
                sum.saturating_add(self.tokens(&call.name)).saturating_add(self.tokens(&arguments)).saturating_add(CALL)
            }),
        };
        words.saturating_add(MESSAGE)
    }
}

/// How many tokens a text has in the vocabulary of most models.
pub fn tokens(text: &str) -> u32 {
    Vocabulary::default().tokens(text)
}

/// How many tokens a request has in the vocabulary of most models.
pub fn request_tokens(request: &ModelRequest) -> u32 {
    Vocabulary::default().request(request)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_vocabulary_is_known_by_its_name() {
        for (name, vocabulary) in [
            ("gpt-4o-mini", Vocabulary::O200k),
            ("gpt-4.1", Vocabulary::O200k),
            ("gpt-4", Vocabulary::Cl100k),
            ("openai/gpt-4-turbo", Vocabulary::Cl100k),
            ("gpt-3.5-turbo", Vocabulary::Cl100k),
            ("claude-sonnet-4-5", Vocabulary::O200k),
            ("Qwen/Qwen3-32B", Vocabulary::O200k),
        ] {
            assert_eq!(Vocabulary::of_model(name), vocabulary, "{name}");
        }
        let text = "Ein Überblick über die Größe der Wörter: übermäßig";
        assert!(Vocabulary::Cl100k.tokens(text) > Vocabulary::O200k.tokens(text));
    }
}
