//! What a client tells of a conversation, in the form that OpenAI's API gave it.

use marple_agent::{Exchange, Message};
use serde_json::{Value, json};

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

/// What is told from outside the conversation, as a person's wishes.
pub(super) fn wishes(messages: &[Value]) -> String {
    let told = messages.iter().filter(|message| ["system", "developer"].contains(&role(message)));
    told.map(text).filter(|text| text != OPENING).collect::<Vec<_>>().join("\n")
}

/// A question with what is wished beside it.
pub(super) fn question(asked: String, wishes: &[&str]) -> String {
    let wishes = wishes.iter().map(|wish| wish.trim()).filter(|wish| !wish.is_empty()).collect::<Vec<_>>().join("\n");
    if wishes.is_empty() { asked } else { format!("{asked}\n\n{wishes}") }
}

/// The first message of each history that is given out.
pub(super) const OPENING: &str = "You are marple, which explains what happens in a Kubernetes cluster, with evidence.";

/// A history that goes on with this question and what was said to it so far.
pub(super) fn asked(before: &[Value], question: &str, said: &[Message]) -> Vec<Value> {
    let mut history = before.to_vec();
    if history.is_empty() {
        history.push(json!({ "role": "system", "content": OPENING }));
    }
    history.push(json!({ "role": "user", "content": question }));
    history.extend(said.iter().map(message));
    history
}

/// The same with the answer.
pub(super) fn continued(before: &[Value], question: &str, said: &[Message], answer: &str) -> Vec<Value> {
    let mut history = asked(before, question, said);
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
    fn a_history_that_is_given_out_is_taken_back_as_the_same() {
        let said = [Message::assistant("Yes.", Vec::new())];
        let first = continued(&[], "Is cart well?", &said, "Yes.");
        assert_eq!(first.len(), 3, "{first:?}");
        let second = continued(&first, "And till?", &[], "No.");
        let told: Vec<(String, String)> =
            exchanges(&second).into_iter().map(|one| (one.question, one.answer)).collect();
        assert_eq!(told, [("Is cart well?".into(), "Yes.".into()), ("And till?".into(), "No.".into())]);
        assert_eq!(wishes(&second), "");
    }
}
