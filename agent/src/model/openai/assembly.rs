//! Puts an answer together from its pieces, forgiving what servers in use leave out.

use serde_json::Value;

use super::super::{Finish, ModelAnswer, Usage, WrittenCall};

/// No answer is longer than this; a server that goes on without end is cut off.
const LONGEST: usize = 4 * 1024 * 1024;

/// What a piece holds that is worth showing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) thinking: String,
    pub(super) text: String,
}

/// An answer on its way.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    content: String,
    calls: Vec<(Option<u64>, WrittenCall)>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    length: usize,
}

impl Assembly {
    /// Takes a chunk of a stream, or a whole answer; both have the same shape but for one name.
    pub(super) fn take(&mut self, chunk: &Value) -> Piece {
        if let Some(usage) = chunk.get("usage").and_then(usage) {
            self.usage = Some(usage);
        }
        let mut piece = Piece::default();
        let Some(choice) = chunk.get("choices").and_then(|choices| choices.get(0)) else { return piece };
        if let Some(reason) = choice.get("finish_reason").and_then(Value::as_str).filter(|reason| !reason.is_empty()) {
            self.finish = Some(match reason {
                "length" | "max_tokens" => Finish::Length,
                "content_filter" | "safety" => Finish::Filtered,
                _ => Finish::Complete,
            });
        }
        let Some(delta) = ["delta", "message"].iter().find_map(|name| choice.get(name).filter(|part| part.is_object()))
        else {
            return piece;
        };
        piece.thinking =
            ["reasoning_content", "reasoning"].iter().filter_map(|name| delta.get(name)).map(text).collect();
        piece.text = delta.get("content").map(text).unwrap_or_default();
        self.length += piece.text.len() + piece.thinking.len();
        self.content.push_str(&piece.text);
        for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            self.call(call);
        }
        if let Some(function) = delta.get("function_call").filter(|function| function.is_object()) {
            self.call(&serde_json::json!({ "index": 0, "function": function }));
        }
        piece
    }

    /// Whether the server said that the answer is whole.
    pub(super) fn is_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether it is longer than any answer.
    pub(super) fn is_too_long(&self) -> bool {
        self.length > LONGEST
    }

    /// The answer.
    pub(super) fn into_answer(self) -> ModelAnswer {
        ModelAnswer {
            content: without_thoughts(&self.content),
            calls: self.calls.into_iter().map(|(_, call)| call).collect(),
            finish: self.finish.unwrap_or(Finish::Complete),
            usage: self.usage,
        }
    }

    /// A call, or a piece of one. Pieces belong together by index; servers that give none, or the same to all, begin a
    /// call with a new id.
    fn call(&mut self, piece: &Value) {
        let index = piece.get("index").and_then(Value::as_u64);
        let id = piece.get("id").and_then(Value::as_str).filter(|id| !id.is_empty());
        let function = piece.get("function").unwrap_or(piece);
        let name = function.get("name").and_then(Value::as_str).unwrap_or_default();
        let place = self.calls.iter().rposition(|(at, call)| {
            let same_index = index.is_none() || *at == index;
            let same_id = id.is_none() || call.id.is_none() || call.id.as_deref() == id;
            same_index && same_id
        });
        // Without index and id, a name begins a call.
        let begins = index.is_none() && id.is_none() && !name.is_empty();
        let place = place.filter(|_| !begins).unwrap_or_else(|| {
            self.calls.push((index, WrittenCall::default()));
            self.calls.len() - 1
        });
        let Some((_, call)) = self.calls.get_mut(place) else { return };
        if let Some(id) = id {
            call.id = Some(id.to_owned());
        }
        if call.name != name {
            call.name.push_str(name);
        }
        match function.get("arguments") {
            Some(Value::String(text)) => {
                self.length += text.len();
                call.arguments.push_str(text);
            }
            Some(object @ Value::Object(_)) => call.arguments = object.to_string(),
            _ => {}
        }
    }
}

/// Text, or a list of parts of text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")).filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Without the thoughts that some servers leave at the beginning of the words.
fn without_thoughts(content: &str) -> String {
    let rest = content.trim_start().strip_prefix("<think>").and_then(|rest| rest.split_once("</think>"));
    rest.map_or(content, |(_, rest)| rest).trim().to_owned()
}

fn usage(value: &Value) -> Option<Usage> {
    let number = |names: &[&str]| names.iter().find_map(|name| value.pointer(name)).and_then(Value::as_u64);
    let prompt = number(&["/prompt_tokens", "/input_tokens"])?;
    Some(Usage {
        prompt,
        cached: number(&[
            "/prompt_tokens_details/cached_tokens",
            "/prompt_cache_hit_tokens",
            "/cache_read_input_tokens",
        ])
        .unwrap_or(0)
        .min(prompt),
        completion: number(&["/completion_tokens", "/output_tokens"]).unwrap_or(0),
        cost: 0,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn assembled(chunks: &[Value]) -> ModelAnswer {
        let mut assembly = Assembly::default();
        for chunk in chunks {
            assembly.take(chunk);
        }
        assembly.into_answer()
    }

    fn delta(delta: Value) -> Value {
        let choice = Value::Object([("delta".to_owned(), delta)].into_iter().collect());
        json!({"choices": [choice]})
    }

    fn call(id: Option<&str>, name: &str, arguments: &str) -> WrittenCall {
        WrittenCall { id: id.map(str::to_owned), name: name.to_owned(), arguments: arguments.to_owned() }
    }

    #[test]
    fn pieces_of_calls_come_together_by_index() {
        let answer = assembled(&[
            delta(json!({"role": "assistant", "content": null})),
            delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "logs", "arguments": ""}}]})),
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"pod\":"}}]})),
            delta(json!({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "events", "arguments": "{}"}}]})),
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"x\"}"}}]})),
            json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
            json!({"choices": [], "usage": {"prompt_tokens": 10, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 8}}}),
        ]);
        assert_eq!(answer.calls, [call(Some("a"), "logs", "{\"pod\":\"x\"}"), call(Some("b"), "events", "{}")]);
        assert_eq!(answer.usage, Some(Usage { prompt: 10, cached: 8, completion: 3, cost: 0 }));
    }

    #[test]
    fn whole_calls_with_one_index_or_none_stay_apart() {
        let same = assembled(&[
            delta(json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "logs", "arguments": "{}"}}]})),
            delta(
                json!({"tool_calls": [{"index": 0, "id": "b", "function": {"name": "logs", "arguments": {"n": 1}}}]}),
            ),
        ]);
        assert_eq!(same.calls, [call(Some("a"), "logs", "{}"), call(Some("b"), "logs", "{\"n\":1}")]);
        let none = assembled(&[delta(json!({"tool_calls": [
            {"function": {"name": "logs", "arguments": "{}"}}, {"id": "", "function": {"name": "logs", "arguments": "{}"}}]}))]);
        assert_eq!(none.calls, [call(None, "logs", "{}"), call(None, "logs", "{}")]);
    }

    #[test]
    fn a_whole_answer_has_the_same_shape() {
        let answer = assembled(&[
            json!({"choices": [{"message": {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            "tool_calls": [{"id": "a", "type": "function", "function": {"name": "logs", "arguments": {"n": 1}}}]},
            "finish_reason": "length"}], "usage": {"input_tokens": 4, "output_tokens": 2}}),
        ]);
        assert_eq!(
            answer,
            ModelAnswer {
                content: "ab".to_owned(),
                calls: vec![call(Some("a"), "logs", "{\"n\":1}")],
                finish: Finish::Length,
                usage: Some(Usage { prompt: 4, cached: 0, completion: 2, cost: 0 }),
            }
        );
    }

    #[test]
    fn thoughts_are_shown_but_are_no_words() {
        let mut assembly = Assembly::default();
        let piece = assembly.take(&delta(json!({"reasoning_content": "hm"})));
        assert_eq!(piece, Piece { thinking: "hm".to_owned(), text: String::new() });
        assembly.take(&delta(json!({"content": "<think>hm {</think>\nYes."})));
        assert_eq!(assembly.into_answer().content, "Yes.");
    }
}
