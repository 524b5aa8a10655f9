//! Puts an answer together from its pieces, forgiving what servers in use leave out.

use serde_json::{Map, Value};

use super::super::{Answerer, Aside, Finish, ModelAnswer, Prices, Usage, WrittenCall};
use super::aside;
use super::words::{Words, without_thoughts};

/// No answer is longer than this; a server that goes on without end is cut off.
const LONGEST: usize = 4 * 1024 * 1024;

/// What a piece holds that is worth showing.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Piece {
    pub(super) thinking: String,
    pub(super) text: String,
    /// Whether it holds anything of an answer, be it a part of a call.
    pub(super) begins: bool,
}

/// An answer on its way.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    model: String,
    /// The model's name in the server's own words, and the answer's.
    named: Option<String>,
    id: Option<String>,
    words: Words,
    content: String,
    refusal: String,
    thinking: String,
    fields: Map<String, Value>,
    calls: Vec<(Option<u64>, WrittenCall)>,
    finish: Option<Finish>,
    usage: Option<Usage>,
    length: usize,
}

impl Assembly {
    /// An answer of a model of this name; what it calls by words is not to be shown.
    pub(super) fn of(model: &str, text_calls: bool) -> Self {
        let words = if text_calls { Words::without_calls() } else { Words::default() };
        Self { model: model.to_owned(), words, ..Self::default() }
    }

    /// Takes a chunk of a stream, or a whole answer; both have the same shape but for one name.
    pub(super) fn take(&mut self, chunk: &Value) -> Piece {
        if let Some(usage) = chunk.get("usage").and_then(usage) {
            self.usage = Some(usage);
        }
        for (name, kept) in [("model", &mut self.named), ("id", &mut self.id)] {
            if kept.is_none() {
                *kept = chunk.get(name).and_then(Value::as_str).filter(|text| !text.is_empty()).map(short);
            }
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
        // Some servers send it under both names.
        let thinking = ["reasoning_content", "reasoning"].iter().filter_map(|name| delta.get(name)).map(text);
        let thinking = thinking.into_iter().find(|text| !text.is_empty()).unwrap_or_default();
        let content = delta.get("content").map(text).unwrap_or_default();
        let refusal = delta.get("refusal").map(text).unwrap_or_default();
        self.length += content.len() + thinking.len() + refusal.len();
        self.content.push_str(&content);
        self.refusal.push_str(&refusal);
        self.thinking.push_str(&thinking);
        aside::keep_message(&mut self.fields, delta);
        piece = self.words.take(&content);
        piece.begins = !(content.is_empty() && thinking.is_empty());
        piece.thinking.insert_str(0, &thinking);
        for call in delta.get("tool_calls").and_then(Value::as_array).into_iter().flatten() {
            piece.begins = true;
            self.call(call);
        }
        if let Some(function) = delta.get("function_call").filter(|function| function.is_object()) {
            piece.begins = true;
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
        let calls: Vec<WrittenCall> = self.calls.into_iter().map(|(_, call)| call).collect();
        let beside = Aside { model: self.model, thinking: self.thinking, fields: self.fields, ..Aside::default() };
        let is_something = !beside.is_empty() || calls.iter().any(|call| !call.extra.is_empty());
        let refused = !self.refusal.trim().is_empty();
        let content = without_thoughts(&self.content);
        ModelAnswer {
            content: if refused && content.is_empty() { self.refusal.trim().to_owned() } else { content },
            calls,
            finish: if refused { Finish::Filtered } else { self.finish.unwrap_or_default() },
            usage: self.usage,
            by: self.named.map(|model| Answerer { model, prices: Prices::default() }),
            lost: Usage::default(),
            id: self.id,
            aside: is_something.then(|| Box::new(beside)),
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
        // Without an id, a name begins a call where there is no index, or where the call at that index is whole.
        let whole = |place: usize| self.calls.get(place).is_some_and(|(_, call)| is_whole(&call.arguments));
        let begins = id.is_none() && !name.is_empty() && (index.is_none() || place.is_some_and(whole));
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
        aside::keep_call(&mut call.extra, piece);
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

/// A name of a server's, of which no more is kept than names have.
fn short(name: &str) -> String {
    name.chars().take(128).collect()
}

/// Text, or a list of parts of text.
fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part.get("text")).filter_map(Value::as_str).collect(),
        _ => String::new(),
    }
}

/// Whether arguments are all there.
fn is_whole(arguments: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(arguments).is_ok()
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
    #![allow(clippy::indexing_slicing, clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn assembled(chunks: &[Value]) -> ModelAnswer {
        let mut assembly = Assembly::of("m", false);
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
        let (name, arguments) = (name.to_owned(), arguments.to_owned());
        WrittenCall { id: id.map(str::to_owned), name, arguments, ..WrittenCall::default() }
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
                ..ModelAnswer::default()
            }
        );
    }

    #[test]
    fn whole_calls_at_one_index_without_ids_stay_apart() {
        let call_of = |n: u32| json!({"index": 0, "function": {"name": "logs", "arguments": format!("{{\"n\":{n}}}")}});
        let answer =
            assembled(&[delta(json!({"tool_calls": [call_of(1)]})), delta(json!({"tool_calls": [call_of(2)]}))]);
        assert_eq!(answer.calls, [call(None, "logs", "{\"n\":1}"), call(None, "logs", "{\"n\":2}")]);
    }

    #[test]
    fn thinking_in_a_field_of_its_own_is_no_words_and_is_kept_apart_once() {
        let mut assembly = Assembly::default();
        let piece = assembly.take(&delta(json!({"reasoning_content": "hm", "reasoning": "hm"})));
        assert_eq!(piece, Piece { thinking: "hm".to_owned(), text: String::new(), begins: true });
        let piece = assembly.take(&delta(json!({"content": "Yes."})));
        assert_eq!(piece, Piece { thinking: String::new(), text: "Yes.".to_owned(), begins: true });
        let answer = assembly.into_answer();
        assert_eq!((answer.content.as_str(), answer.aside.unwrap().thinking.as_str()), ("Yes.", "hm"));
    }

    #[test]
    fn a_part_of_a_call_begins_an_answer_and_a_role_does_not() {
        let mut assembly = Assembly::default();
        assert!(!assembly.take(&delta(json!({"role": "assistant", "content": ""}))).begins);
        let begun = json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "logs", "arguments": ""}}]});
        assert!(assembly.take(&delta(begun)).begins);
    }

    #[test]
    fn a_refusal_is_withheld_with_its_words() {
        let answer = assembled(&[
            delta(json!({"refusal": "I can't help "})),
            delta(json!({"refusal": "with that."})),
            json!({"choices": [{"delta": {}, "finish_reason": "stop"}]}),
        ]);
        assert_eq!((answer.finish, answer.content.as_str()), (Finish::Filtered, "I can't help with that."));
    }

    #[test]
    fn what_goes_back_is_kept_as_it_came_and_put_together_from_its_pieces() {
        let google = json!({"google": {"thought_signature": "c2ln"}});
        let answer = assembled(&[
            delta(json!({"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "Let "}]})),
            delta(
                json!({"reasoning_details": [{"type": "reasoning.text", "index": 0, "text": "me", "signature": "s"}]}),
            ),
            delta(json!({"reasoning_details": [{"type": "reasoning.encrypted", "index": 1, "data": "x"}]})),
            delta(json!({"tool_calls": [{"index": 0, "id": "a", "type": "function", "extra_content": google,
                "function": {"name": "logs", "arguments": "{}"}}]})),
        ]);
        let fields = json!({"reasoning_details": [
            {"type": "reasoning.text", "index": 0, "text": "Let me", "signature": "s"},
            {"type": "reasoning.encrypted", "index": 1, "data": "x"}]});
        assert_eq!(Value::Object(answer.aside.unwrap().fields), fields);
        assert_eq!(Value::Object(answer.calls[0].extra.clone()), json!({ "extra_content": google }));
    }
}
