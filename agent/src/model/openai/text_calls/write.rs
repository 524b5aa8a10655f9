//! A request without fields for tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::super::super::{Message, ModelRequest, ToolCall};
use crate::Prompts;

/// The request with tools, calls and results as words. Roles alternate, as the templates of small models want.
pub(crate) fn rewritten(request: &ModelRequest, prompts: &Prompts) -> ModelRequest {
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    let mut messages: Vec<Message> = Vec::new();
    if !request.tools.is_empty() {
        messages.push(Message::System { content: prompts.text_tools(&request.tools) });
    }
    for message in &request.messages {
        match message {
            Message::System { content } => match messages.last_mut() {
                // The tools come after the instructions, which say what they are for.
                Some(Message::System { content: tools }) => *tools = format!("{content}\n\n{tools}"),
                _ => messages.push(message.clone()),
            },
            Message::User { content } => said(&mut messages, content),
            Message::Assistant { content, calls, .. } => {
                names.extend(calls.iter().map(|call| (call.id.as_str(), call.name.as_str())));
                messages.push(Message::assistant(with_calls(content, calls), Vec::new()));
            }
            Message::Tool { call, content } => {
                let name = names.get(call.as_str()).copied().unwrap_or("tool");
                said(&mut messages, &format!("<tool_response name=\"{name}\">\n{content}\n</tool_response>"));
            }
        }
    }
    ModelRequest { messages, tools: Arc::new([]), ..request.clone() }
}

/// Says it in the last message where that is not the model's, else in one of its own.
fn said(messages: &mut Vec<Message>, text: &str) {
    match messages.last_mut() {
        Some(Message::User { content }) => {
            content.push_str("\n\n");
            content.push_str(text);
        }
        _ => messages.push(Message::User { content: text.to_owned() }),
    }
}

fn with_calls(content: &str, calls: &[ToolCall]) -> String {
    let call = |call: &ToolCall| {
        let call = json!({ "name": call.name, "arguments": Value::Object(call.arguments.clone()) });
        format!("<tool_call>\n{call}\n</tool_call>")
    };
    let words = Some(content.trim()).filter(|words| !words.is_empty()).map(str::to_owned);
    words.into_iter().chain(calls.iter().map(call)).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use super::*;
    use crate::ToolOffer;

    #[test]
    fn tools_calls_and_results_stand_in_words_and_roles_alternate() {
        let call = |id: &str, name: &str| ToolCall {
            id: id.to_owned(),
            name: name.to_owned(),
            arguments: json!({"of": id}).as_object().unwrap().clone(),
        };
        let result = |call: &str, content: &str| Message::Tool { call: call.to_owned(), content: content.to_owned() };
        let request = ModelRequest {
            messages: vec![
                Message::System { content: "Find the cause.".to_owned() },
                Message::User { content: "The case.".to_owned() },
                Message::assistant("I look.", vec![call("a", "logs"), call("b", "events")]),
                result("a", "OOM"),
                result("b", "none"),
            ],
            tools: Arc::new([ToolOffer {
                name: "logs".to_owned(),
                description: "Reads logs.".to_owned(),
                parameters: json!({"type": "object", "properties": {"of": {"type": "string"}}}),
            }]),
            may_call: true,
            max_output: 100,
        };
        let rewritten = rewritten(&request, &Prompts::embedded());
        assert!(rewritten.tools.is_empty());
        let [Message::System { content }, rest @ ..] = rewritten.messages.as_slice() else { panic!("{rewritten:?}") };
        assert!(content.starts_with("Find the cause.\n\n# Tools"), "{content}");
        let offer = "- logs: Reads logs. {\"type\":\"object\",\"properties\":{\"of\":{\"type\":\"string\"}}}";
        assert!(content.ends_with(offer), "{content}");
        let calls = "I look.\n<tool_call>\n{\"name\":\"logs\",\"arguments\":{\"of\":\"a\"}}\n</tool_call>\n\
                     <tool_call>\n{\"name\":\"events\",\"arguments\":{\"of\":\"b\"}}\n</tool_call>";
        let results = "<tool_response name=\"logs\">\nOOM\n</tool_response>\n\n\
                       <tool_response name=\"events\">\nnone\n</tool_response>";
        let user = |content: &str| Message::User { content: content.to_owned() };
        assert_eq!(rest, [user("The case."), Message::assistant(calls, vec![]), user(results)]);
    }
}
