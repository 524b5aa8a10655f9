//! A request as the script's closures read it.

use serde_json::{Value, json};

/// A request that passed the checks.
#[derive(Clone, Debug)]
pub struct Received {
    body: Value,
}

impl Received {
    pub(super) fn of(body: Value) -> Self {
        Self { body }
    }

    /// The whole body.
    pub fn body(&self) -> &Value {
        &self.body
    }

    /// The texts of the conversation, in their order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        let messages = self.body.get("messages").and_then(Value::as_array).into_iter().flatten();
        messages.filter_map(|message| message.get("content").and_then(Value::as_str))
    }

    /// How many answers of the model stand in the conversation.
    pub fn answers(&self) -> u64 {
        let messages = self.body.get("messages").and_then(Value::as_array).into_iter().flatten();
        messages.filter(|message| message.get("role").and_then(Value::as_str) == Some("assistant")).map(|_| 1).sum()
    }

    /// The names of the offered tools.
    pub fn tools(&self) -> Vec<&str> {
        let tools = self.body.get("tools").and_then(Value::as_array).into_iter().flatten();
        tools.filter_map(|tool| tool.pointer("/function/name").and_then(Value::as_str)).collect()
    }

    /// A citation of the first line that holds these words, from the evidence that shows it. Where none does, the
    /// citation is of `e0`, which is never found.
    pub fn cite(&self, words: &str) -> Value {
        for text in self.texts() {
            let mut evidence = None;
            for line in text.lines() {
                if let Some((id, after)) = named(line) {
                    // A result begins with a line of its evidence and its title, which is not in it.
                    let begins = line.starts_with('[');
                    // A finding tells its evidence and the quote on one line.
                    if !begins && after.contains(words) {
                        return json!({"evidence": id, "quote": after.trim()});
                    }
                    evidence = begins.then_some(id);
                } else if let (Some(id), true) = (&evidence, line.contains(words)) {
                    return json!({"evidence": id, "quote": line.trim()});
                }
            }
        }
        json!({"evidence": "e0", "quote": words})
    }
}

/// The evidence that a line names as `[e12]`, and what follows.
fn named(line: &str) -> Option<(String, &str)> {
    let (_, rest) = line.split_once("[e")?;
    let (digits, after) = rest.split_once(']')?;
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    number.then(|| (format!("e{digits}"), after))
}
