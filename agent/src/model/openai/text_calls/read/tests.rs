#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;

use super::*;

fn offers() -> Vec<ToolOffer> {
    let offer = |name: &str| ToolOffer {
        name: name.to_owned(),
        description: "Looks.".to_owned(),
        parameters: json!({"type": "object", "properties": {"of": {"type": "string"}, "n": {"type": "integer"}}}),
    };
    vec![offer("logs"), offer("events")]
}

fn call(name: &str, arguments: &str) -> WrittenCall {
    WrittenCall { name: name.to_owned(), arguments: arguments.to_owned(), ..WrittenCall::default() }
}

fn leftover(content: &str) -> Option<(String, Vec<WrittenCall>)> {
    read(content, &offers(), Understood::Leftover)
}

#[test]
fn each_form_that_models_were_taught_is_read() {
    let of = call("logs", "{\"of\":\"cart\"}");
    let none = call("events", "{}");
    for (content, words, calls) in [
        ("<tool_call>\n{\"name\": \"logs\", \"arguments\": {\"of\": \"cart\"}}\n</tool_call>", "", vec![of.clone()]),
        (
            "I look.\n<tool_call>{\"name\":\"logs\",\"arguments\":{\"of\":\"cart\"}}</tool_call>\n\
             <tool_call>{\"name\":\"events\",\"arguments\":{}}</tool_call>",
            "I look.",
            vec![of.clone(), none.clone()],
        ),
        // Not closed, and two in one.
        ("<tool_call>{\"name\":\"logs\",\"arguments\":{\"of\":\"cart\"}", "", vec![of.clone()]),
        (
            "<tool_call>[{\"name\":\"logs\",\"arguments\":{\"of\":\"cart\"}},{\"name\":\"events\",\"parameters\":{}}]</tool_call>",
            "",
            vec![of.clone(), none.clone()],
        ),
        ("<function=logs>{\"of\":\"cart\"}</function>", "", vec![of.clone()]),
        (
            "<tool_call>\n<function=logs>\n<parameter=of>\ncart\n</parameter>\n</function>\n</tool_call>",
            "",
            vec![of.clone()],
        ),
        (
            "<function=logs><parameter=of>7</parameter><parameter=n>7</parameter></function>",
            "",
            vec![call("logs", "{\"of\":\"7\",\"n\":7}")],
        ),
        ("[TOOL_CALLS][{\"name\": \"logs\", \"arguments\": {\"of\": \"cart\"}}]</s>", "", vec![of.clone()]),
        ("<|python_tag|>{\"name\": \"logs\", \"parameters\": {\"of\": \"cart\"}}", "", vec![of.clone()]),
        (
            "Let me see:\n```json\n{\"name\": \"logs\", \"arguments\": {\"of\": \"cart\"}}\n```",
            "Let me see:",
            vec![of.clone()],
        ),
        (
            "```\n{\"tool\": \"logs\", \"args\": {\"of\": \"cart\"}}\n{\"tool\": \"events\", \"args\": {}}\n```",
            "",
            vec![of.clone(), none.clone()],
        ),
        ("{\"name\": \"logs\", \"arguments\": {\"of\": \"cart\"}}", "", vec![of.clone()]),
        ("I look.\n{\"name\": \"logs\", \"arguments\": \"{\\\"of\\\":\\\"cart\\\"}\"}", "I look.", vec![of.clone()]),
        (
            "[{\"type\": \"function\", \"function\": {\"name\": \"logs\", \"arguments\": {\"of\": \"cart\"}}}]",
            "",
            vec![of.clone()],
        ),
        (
            "{\"tool_calls\": [{\"name\": \"functions.events\", \"arguments\": {}}]}",
            "",
            vec![call("functions.events", "{}")],
        ),
        // A result that it invents is none.
        (
            "<tool_call>{\"name\":\"events\",\"arguments\":{}}</tool_call>\n<tool_response>\n{\"x\":1}\n</tool_response>\nSo it is.",
            "",
            vec![none],
        ),
    ] {
        assert_eq!(leftover(content), Some((words.to_owned(), calls)), "{content}");
    }
}

#[test]
fn an_answer_that_quotes_json_of_something_else_is_an_answer() {
    for content in [
        "It lacks memory [e1].",
        "The manifest is wrong:\n```yaml\nname: logs\n```",
        "```json\n{\"name\": \"logs\", \"kind\": \"Pod\"}\n```",
        "{\"name\": \"logs\"}",
        "{\"verdict\": \"no_fault\", \"summary\": \"All is well.\", \"confidence\": \"low\"}",
        "The config says {\"name\": \"logs\", \"arguments\": {}} in the middle of a line.",
        "{\"name\": \"kubectl\", \"arguments\": {}}",
        "```json\n{\"name\": \"logs\", \"arguments\": {}}\n```\nand\n```yaml\na: 1\n```",
        "{\"name\": \"logs\", \"arguments\": {}} is what the log says.",
        "The pod logs <tool_call>{\"name\": \"kubectl\", \"arguments\": {}}</tool_call> at its start.",
        "[]",
    ] {
        assert_eq!(leftover(content), None, "{content}");
    }
}

#[test]
fn a_model_that_calls_by_words_is_told_of_a_wrong_name_and_of_broken_json() {
    let read = |content: &str| read(content, &offers(), Understood::Always).unwrap().1;
    let kubectl = "<tool_call>{\"name\": \"kubectl\", \"arguments\": {\"a\": 1}}</tool_call>";
    assert_eq!(read(kubectl), [call("kubectl", "{\"a\":1}")]);
    let broken = "<tool_call>{\"name\": \"logs\", \"arguments\": {\"of\" \"cart\"}}</tool_call>";
    assert_eq!(read(broken), [call("logs", "{\"of\" \"cart\"}}")]);
    assert_eq!(read("<tool_call>logs of cart</tool_call>"), [call("", "logs of cart")]);
    let beside = "<tool_call>{\"name\": \"logs\", \"of\": \"cart\"}</tool_call>";
    assert_eq!(read(beside), [call("logs", "{\"of\":\"cart\"}")]);
}
