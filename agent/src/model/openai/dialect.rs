//! What a server turned out not to know, or to want.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::Url;

use super::super::{ModelConfig, ToolStyle};

/// A switch that turns at most once, so that asking again comes to an end.
#[derive(Debug, Default)]
pub(super) struct Learnt(AtomicBool);

impl Learnt {
    pub(super) fn is(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Turns it. Says whether that is new.
    fn turn(&self) -> bool {
        !self.0.swap(true, Ordering::Relaxed)
    }
}

/// What servers differ in. One that refuses a field by name is not sent it again for as long as the process runs, one that
/// misses something gets it from then on.
#[derive(Debug, Default)]
pub(super) struct Dialect {
    /// Whether `max_completion_tokens`, which OpenAI's models that think want, stands for `max_tokens`, which all others know.
    completion_tokens: AtomicBool,
    turned_tokens: Learnt,
    pub(super) no_stream: Learnt,
    pub(super) no_stream_options: Learnt,
    pub(super) no_temperature: Learnt,
    pub(super) no_tool_choice: Learnt,
    /// Tools are offered and called by words.
    pub(super) text_tools: Learnt,
    /// What it gave beside words and calls is not taken back.
    pub(super) no_aside: Learnt,
    /// Its thinking goes back with its calls, as DeepSeek's and Moonshot's models want.
    pub(super) wants_thinking: Learnt,
    /// Calls that another model made get a signature that Gemini lets pass.
    pub(super) wants_signature: Learnt,
    /// Ids of calls have nine letters and digits, as Mistral's models want.
    pub(super) short_ids: Learnt,
}

impl Dialect {
    pub(super) fn of(config: &ModelConfig, url: &Url) -> Self {
        let openai = url.host_str().is_some_and(|host| host == "api.openai.com" || host.ends_with(".openai.azure.com"));
        Self {
            completion_tokens: AtomicBool::new(openai),
            text_tools: Learnt(AtomicBool::new(config.tools == ToolStyle::Text)),
            ..Self::default()
        }
    }

    pub(super) fn completion_tokens(&self) -> bool {
        self.completion_tokens.load(Ordering::Relaxed)
    }

    /// Learns from a refusal of a request, with tools or without. Says whether that is new.
    pub(super) fn learn(&self, said: &str, with_tools: bool) -> bool {
        let said = said.to_ascii_lowercase();
        if said.contains("max_completion_tokens") || said.contains("max_tokens") {
            return self.learn_tokens(&said);
        }
        // What a server misses is told by the names of what it is to be given, so this goes before what it doesn't know.
        if said.contains("thought_signature") || said.contains("thoughtsignature") {
            return self.wants_signature.turn();
        }
        if is_thinking_missing(&said) {
            return self.wants_thinking.turn();
        }
        if is_id_too_long(&said) {
            return self.short_ids.turn();
        }
        if with_tools && refuses_tools(&said) {
            return self.text_tools.turn();
        }
        for (word, flag) in [
            ("stream_options", &self.no_stream_options),
            ("temperature", &self.no_temperature),
            ("tool_choice", &self.no_tool_choice),
            ("extra_content", &self.no_aside),
            ("reasoning_details", &self.no_aside),
            ("thinking_blocks", &self.no_aside),
            ("stream", &self.no_stream),
        ] {
            if said.contains(word) {
                return flag.turn();
            }
        }
        false
    }

    /// How much was learnt so far: a request that was written with less differs from the next.
    pub(super) fn learnt(&self) -> usize {
        let all = [
            &self.turned_tokens,
            &self.no_stream,
            &self.no_stream_options,
            &self.no_temperature,
            &self.no_tool_choice,
            &self.text_tools,
            &self.no_aside,
            &self.wants_thinking,
            &self.wants_signature,
            &self.short_ids,
        ];
        all.into_iter().filter(|learnt| learnt.is()).count()
    }

    fn learn_tokens(&self, said: &str) -> bool {
        let completion = self.completion_tokens();
        // The old field's refusal names the new one; a refusal of the new one may name both.
        let wants_other = if completion { said.contains("max_completion_tokens") } else { said.contains("max_tokens") };
        let turns = wants_other && self.turned_tokens.turn();
        if turns {
            self.completion_tokens.store(!completion, Ordering::Relaxed);
        }
        turns
    }
}

/// DeepSeek: "The `reasoning_content` in the thinking mode must be passed back to the API.", "Missing `reasoning_content`
/// field in the assistant message".
fn is_thinking_missing(said: &str) -> bool {
    said.contains("reasoning_content")
        && ["must be", "missing", "required", "pass back", "passed back"].iter().any(|word| said.contains(word))
}

/// Mistral: "Tool call id was `call_1` but must be a-z, A-Z, 0-9, with a length of 9."
fn is_id_too_long(said: &str) -> bool {
    said.contains("tool call id") && said.contains("length of 9")
}

/// Whether a server refuses tools as such, in the words of those in use: vLLM without a parser, Ollama's models without
/// tools in their template, llama.cpp without Jinja, OpenRouter without a provider that has them, and strict ones that don't
/// know the field. What is wrong with one tool is another thing.
pub(super) fn refuses_tools(said: &str) -> bool {
    if said.contains("tool_choice") {
        return false;
    }
    let plain = ["enable-auto-tool-choice", "requires --jinja", "found that support tool use"];
    let about = ["tools", "tool use", "tool calling", "tool calls", "function calling", "functions"];
    let refusal =
        ["not support", "n't support", "unsupported", "unrecognized", "unknown", "not permitted", "not allowed"];
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    // `tools[3]` or `tools.3` names one of them.
    let one = said.contains("tools[") || said.contains("tools.");
    has(&plain) || (has(&about) && has(&refusal) && !one)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_given_up_once() {
        let dialect = Dialect::default();
        assert!(dialect.learn("Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.", true));
        assert!(dialect.completion_tokens());
        assert!(!dialect.learn("unknown field max_completion_tokens", true));
        assert!(dialect.learn("Unsupported value: 'temperature' does not support 0", true));
        assert!(!dialect.learn("temperature again", true));
        assert!(dialect.learn("stream_options: extra fields not permitted", true));
        assert!(dialect.learn("tool_choice: 'none' is not supported", true));
        assert!(dialect.learn("streaming is not supported", true));
        assert!(!dialect.learn("messages[3] is wrong", true));
    }

    #[test]
    fn a_server_without_tools_is_known_by_its_words() {
        for said in [
            "registry.ollama.ai/library/gemma3:4b does not support tools",
            "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set",
            "tools param requires --jinja flag",
            "No endpoints found that support tool use. Try disabling \"kubernetes_get\".",
            "Function calling is not enabled: this model doesn't support function calling",
            "Unrecognized request argument supplied: tools",
        ] {
            assert!(Dialect::default().learn(said, true), "{said}");
            assert!(!Dialect::default().learn(said, false), "{said}");
        }
        for said in [
            "Invalid schema for function 'logs': tools[3].function.parameters: unknown keyword",
            "tools.0.function.name: unsupported characters",
            "tool_choice 'required' is not supported",
        ] {
            assert!(!refuses_tools(said), "{said}");
        }
    }

    #[test]
    fn what_a_server_misses_is_given_from_then_on() {
        let dialect = Dialect::default();
        assert!(dialect.learn("The `reasoning_content` in the thinking mode must be passed back to the API.", true));
        assert!(dialect.learn("Function call is missing a thought_signature in functionCall parts.", true));
        assert!(dialect.learn("Tool call id was call_1 but must be a-z, A-Z, 0-9, with a length of 9.", true));
        assert!(dialect.wants_thinking.is() && dialect.wants_signature.is() && dialect.short_ids.is());
        assert!(!dialect.learn("Function call is missing a thought_signature in functionCall parts.", true));
    }
}
