//! What a client tells of a conversation, in the form that OpenAI's API gave it.

use marple_agent::{Exchange, Message};
use marple_core::ConversationId;
use serde_json::{Value, json};

use crate::chat::Talk;

/// The text of a message: a string, or the texts among its parts.
pub(super) fn text(message: &Value) -> String {
    match message.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            parts.iter().filter_map(|part| part.get("text")?.as_str()).collect::<Vec<_>>().join("\n")
        }
        _ => String::new(),
    }
}

/// Who said a message.
pub(super) fn role(message: &Value) -> &str {
    message.get("role").and_then(Value::as_str).unwrap_or_default()
}

/// The questions with their answers: of what was said to a question the last, for what came before it were looks.
pub(super) fn exchanges(messages: &[Value]) -> Vec<Exchange> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    for message in messages {
        let text = text(message);
        match (role(message), exchanges.last_mut()) {
            ("user", _) => exchanges.push(Exchange { question: text, answer: String::new() }),
            ("assistant", Some(last)) if !text.trim().is_empty() => last.answer = text,
            _ => {}
        }
    }
    exchanges.retain(|exchange| !exchange.answer.is_empty());
    exchanges
}

/// The question that a history ends in, which is not answered yet, and how many messages stand before it.
pub(super) fn open(messages: &[Value]) -> Option<(usize, String)> {
    let last = messages.iter().rposition(|message| role(message) == "user")?;
    let calls =
        |message: &Value| message.get("tool_calls").and_then(Value::as_array).is_some_and(|calls| !calls.is_empty());
    let answered =
        messages.last().is_some_and(|end| role(end) == "assistant" && !calls(end) && !text(end).trim().is_empty());
    let question = messages.get(last).map(text).filter(|question| !question.trim().is_empty())?;
    (!answered).then_some((last, question))
}

/// What is told from outside the conversation, as a person's wishes.
pub(super) fn wishes(messages: &[Value]) -> String {
    let told = messages.iter().filter(|message| ["system", "developer"].contains(&role(message)));
    told.map(text).filter(|text| !text.starts_with(OPENING)).collect::<Vec<_>>().join("\n")
}

/// The type of the first part among messages that has no text, as an image.
pub(super) fn unreadable(messages: &[Value]) -> Option<&str> {
    let parts = messages.iter().filter_map(|message| message.get("content")?.as_array()).flatten();
    let mut kinds = parts.map(|part| part.get("type").and_then(Value::as_str).unwrap_or("text"));
    // A refusal is an assistant's own words of an earlier answer.
    kinds.find(|kind| !matches!(*kind, "text" | "input_text" | "output_text" | "refusal"))
}

/// What the first message of each history that is given out begins with.
const OPENING: &str = "You are marple, which explains what happens in a Kubernetes cluster, with evidence.";

/// What stands before the id of the conversation in it.
const NAMED: &str = "This is conversation ";

/// The conversation that a history was given out for.
pub(super) fn conversation(messages: &[Value]) -> Option<ConversationId> {
    let first = messages.first().filter(|first| role(first) == "system").map(text)?;
    first.strip_prefix(OPENING)?.trim().strip_prefix(NAMED)?.strip_suffix('.')?.parse().ok()
}

/// The history of a question, with what was said to it so far.
pub(super) fn asked(talk: &Talk, said: &[Message]) -> Vec<Value> {
    let (before, question) = talk.before();
    let mut history = before.to_vec();
    if history.is_empty() {
        let opening = format!("{OPENING} {NAMED}{}.", talk.conversation());
        history.push(json!({ "role": "system", "content": opening }));
    }
    history.push(json!({ "role": "user", "content": question }));
    history.extend(said.iter().map(message));
    history
}

/// The same with the answer.
pub(super) fn continued(talk: &Talk, said: &[Message], answer: &str) -> Vec<Value> {
    let mut history = asked(talk, said);
    let last = history.last().is_some_and(|last| role(last) == "assistant" && text(last) == answer);
    if !last {
        history.push(json!({ "role": "assistant", "content": answer }));
    }
    history
}

fn message(message: &Message) -> Value {
    match message {
        Message::System { content } => json!({ "role": "system", "content": content }),
        Message::User { content } => json!({ "role": "user", "content": content }),
        Message::Tool { call, content } => json!({ "role": "tool", "tool_call_id": call, "content": content }),
        Message::Assistant { content, calls, .. } if calls.is_empty() => {
            json!({ "role": "assistant", "content": content })
        }
        Message::Assistant { content, calls, .. } => {
            let call = |call: &marple_agent::ToolCall| {
                let arguments = Value::Object(call.arguments.clone()).to_string();
                json!({ "id": call.id, "type": "function", "function": { "name": call.name, "arguments": arguments } })
            };
            json!({ "role": "assistant", "content": content, "tool_calls": calls.iter().map(call).collect::<Vec<_>>() })
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn of_a_history_the_questions_with_their_last_answers_are_taken() {
        let messages = [
            json!({"role": "system", "content": "Be short."}),
            json!({"role": "user", "content": [{"type": "text", "text": "Why is cart slow?"}]}),
            json!({"role": "assistant", "content": "Let me look.", "tool_calls": [{"id": "1"}]}),
            json!({"role": "tool", "tool_call_id": "1", "content": "[e1] …"}),
            json!({"role": "assistant", "content": "It lacks memory [e1]."}),
            json!({"role": "user", "content": "Since when?"}),
        ];
        let exchange =
            Exchange { question: "Why is cart slow?".to_owned(), answer: "It lacks memory [e1].".to_owned() };
        assert_eq!(exchanges(&messages), [exchange]);
        assert_eq!(wishes(&messages), "Be short.");
    }

    #[test]
    fn parts_that_are_no_text_are_named() {
        let part = |kind: &str| json!([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": kind}]}]);
        for (kind, wanted) in [("image_url", Some("image_url")), ("input_audio", Some("input_audio")), ("text", None)] {
            assert_eq!(unreadable(part(kind).as_array().unwrap()), wanted);
        }
    }
}
