//! What a server turned out not to know.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Url;

/// Fields that servers differ in. A server that refuses one by name is not sent it again for as long as the process
/// runs; each turns at most once, so that asking again comes to an end.
#[derive(Debug, Default)]
pub(super) struct Dialect {
    /// `max_completion_tokens`, which OpenAI's models that think want, for `max_tokens`, which all others know.
    pub(super) completion_tokens: AtomicBool,
    turned_tokens: AtomicBool,
    pub(super) no_stream: AtomicBool,
    pub(super) no_stream_options: AtomicBool,
    pub(super) no_temperature: AtomicBool,
    pub(super) no_tool_choice: AtomicBool,
}

impl Dialect {
    pub(super) fn of(url: &Url) -> Self {
        let openai = url.host_str().is_some_and(|host| host == "api.openai.com" || host.ends_with(".openai.azure.com"));
        Self { completion_tokens: AtomicBool::new(openai), ..Self::default() }
    }

    /// Learns from a refusal. Says whether the next request will differ.
    pub(super) fn learn(&self, said: &str) -> bool {
        let said = said.to_ascii_lowercase();
        let completion = self.completion_tokens.load(Ordering::Relaxed);
        if said.contains("max_completion_tokens") || said.contains("max_tokens") {
            // The old field's refusal names the new one; a refusal of the new one may name both.
            let wants_other =
                if completion { said.contains("max_completion_tokens") } else { said.contains("max_tokens") };
            if wants_other && !self.turned_tokens.swap(true, Ordering::Relaxed) {
                self.completion_tokens.store(!completion, Ordering::Relaxed);
                return true;
            }
            return false;
        }
        for (word, flag) in [
            ("stream_options", &self.no_stream_options),
            ("temperature", &self.no_temperature),
            ("tool_choice", &self.no_tool_choice),
            ("stream", &self.no_stream),
        ] {
            if said.contains(word) {
                return !flag.swap(true, Ordering::Relaxed);
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_given_up_once() {
        let dialect = Dialect::default();
        assert!(dialect.learn("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead."));
        assert!(dialect.completion_tokens.load(Ordering::Relaxed));
        assert!(!dialect.learn("unknown field max_completion_tokens"));
        assert!(dialect.learn("Unsupported value: 'temperature' does not support 0"));
        assert!(!dialect.learn("temperature again"));
        assert!(dialect.learn("stream_options: extra fields not permitted"));
        assert!(dialect.learn("streaming is not supported"));
        assert!(!dialect.learn("messages[3] is wrong"));
    }
}
