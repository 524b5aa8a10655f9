#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::sync::Arc;

use serde_json::{Value, json};
use wiremock::matchers::{body_partial_json, header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::*;
use crate::model::{Finish, WrittenCall};
use crate::{Message, ToolOffer};

fn model(url: &str, settings: &Value) -> OpenAi {
    let mut config = json!({"url": url, "name": "m", "api_key": "sk-test", "retries": 0});
    config.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    // Fails only where one is installed already.
    rustls::crypto::ring::default_provider().install_default().ok();
    OpenAi::new(&serde_json::from_value(config).unwrap(), reqwest::Client::new()).unwrap()
}

fn request() -> ModelRequest {
    ModelRequest {
        messages: vec![
            Message::System { content: "Find the cause.".to_owned() },
            Message::User { content: "The case.".to_owned() },
        ],
        tools: Arc::new([ToolOffer {
            name: "logs".to_owned(),
            description: "Reads logs.".to_owned(),
            parameters: json!({"type": "object", "properties": {"of": {"type": "string"}}}),
        }]),
        may_call: true,
        max_output: 500,
    }
}

async fn ask(model: &OpenAi) -> Result<ModelAnswer, ModelError> {
    let (deltas, _) = mpsc::channel(1);
    model.complete(request(), &deltas).await
}

fn said(message: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(json!({"choices": [{"message": message, "finish_reason": "stop"}]}))
}

fn refused(status: u16, message: &str) -> ResponseTemplate {
    ResponseTemplate::new(status).set_body_json(json!({"error": {"message": message}}))
}

/// What was asked so far.
async fn bodies(server: &MockServer) -> Vec<Value> {
    server.received_requests().await.unwrap().iter().map(|request| request.body_json().unwrap()).collect()
}

#[tokio::test]
async fn a_deployment_of_azure_is_asked_with_its_version_and_its_key() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/openai/deployments/gpt-5/chat/completions"))
        .and(query_param("api-version", "2024-10-21"))
        .and(header("api-key", "sk-test"))
        .and(body_partial_json(json!({"max_tokens": 500, "stream": true})))
        .respond_with(said(&json!({"content": "Yes."})))
        .expect(1)
        .mount(&server)
        .await;
    let url = format!("{}/openai/deployments/gpt-5?api-version=2024-10-21", server.uri());
    assert_eq!(ask(&model(&url, &json!({}))).await.unwrap().content, "Yes.");
    let received = server.received_requests().await.unwrap();
    assert!(received[0].headers.get("authorization").is_none());
}

#[tokio::test]
async fn settings_of_the_configuration_are_sent_as_they_are_written() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(said(&json!({"content": "Yes."}))).mount(&server).await;
    let settings = json!({"temperature": 0.2, "extra_body": {"reasoning_effort": "low"}});
    ask(&model(&server.uri(), &settings)).await.unwrap();
    let body = bodies(&server).await.remove(0);
    assert_eq!((&body["temperature"], &body["reasoning_effort"]), (&json!(0.2), &json!("low")));
}

#[tokio::test]
async fn a_server_that_refuses_tools_is_offered_them_by_words_from_then_on() {
    for (status, why) in [
        (400, "\"auto\" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set"),
        (400, "registry.ollama.ai/library/gemma3:4b does not support tools"),
        (404, "No endpoints found that support tool use."),
        (500, "tools param requires --jinja flag"),
    ] {
        let server = MockServer::start().await;
        Mock::given(body_partial_json(json!({"tools": [{"type": "function"}]})))
            .respond_with(refused(status, why))
            .expect(1)
            .with_priority(1)
            .mount(&server)
            .await;
        let call = "I look.\n<tool_call>{\"name\": \"logs\", \"arguments\": {\"of\": \"cart\"}}</tool_call>";
        Mock::given(method("POST")).respond_with(said(&json!({"content": call}))).mount(&server).await;
        let model = model(&server.uri(), &json!({}));
        for _ in 0..2 {
            let answer = ask(&model).await.unwrap();
            let arguments = "{\"of\":\"cart\"}".to_owned();
            let call = WrittenCall { name: "logs".to_owned(), arguments, ..WrittenCall::default() };
            assert_eq!((answer.content.as_str(), answer.calls), ("I look.", vec![call]), "{why}");
        }
        let last = bodies(&server).await.pop().unwrap();
        assert!(last.get("tools").is_none() && last.get("tool_choice").is_none());
        let instructions = last["messages"][0]["content"].as_str().unwrap();
        assert!(
            instructions.starts_with("Find the cause.\n\n# Tools") && instructions.contains("- logs: Reads logs. {")
        );
    }
}

#[tokio::test]
async fn requests_that_are_refused_at_the_same_time_for_the_same_reason_are_both_made_again() {
    let server = MockServer::start().await;
    Mock::given(body_partial_json(json!({"stream_options": {}})))
        .respond_with(
            refused(400, "stream_options: extra fields not permitted").set_delay(std::time::Duration::from_millis(50)),
        )
        .with_priority(1)
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(said(&json!({"content": "Yes."}))).mount(&server).await;
    let model = model(&server.uri(), &json!({}));
    let (one, other) = tokio::join!(ask(&model), ask(&model));
    assert_eq!((one.unwrap().content, other.unwrap().content), ("Yes.".to_owned(), "Yes.".to_owned()));
}

#[tokio::test]
async fn a_call_that_a_server_left_in_the_words_is_read_where_it_names_a_tool() {
    let server = MockServer::start().await;
    let left = "<tool_call>{\"name\": \"logs\", \"arguments\": {}}</tool_call>";
    Mock::given(method("POST")).respond_with(said(&json!({"content": left}))).mount(&server).await;
    let answer = ask(&model(&server.uri(), &json!({}))).await.unwrap();
    assert_eq!(answer.calls.len(), 1);
    assert!(bodies(&server).await[0].get("tools").is_some(), "the server is still offered tools by its own fields");
}

#[tokio::test]
async fn a_refusal_and_a_filter_are_no_answer() {
    for (message, reason, words) in [
        (json!({"content": null, "refusal": "I can't help."}), "stop", "I can't help."),
        (json!({"content": ""}), "content_filter", ""),
    ] {
        let server = MockServer::start().await;
        let body = json!({"choices": [{"message": message, "finish_reason": reason}]});
        Mock::given(method("POST")).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(&server).await;
        let answer = ask(&model(&server.uri(), &json!({}))).await.unwrap();
        assert_eq!((answer.finish, answer.content.as_str()), (Finish::Filtered, words));
    }
}

#[tokio::test]
async fn geminis_list_of_one_error_is_read() {
    let server = MockServer::start().await;
    let body = json!([{"error": {"code": 400, "message": "API key not valid.", "status": "INVALID_ARGUMENT"}}]);
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(400).set_body_json(body)).mount(&server).await;
    let error = ask(&model(&server.uri(), &json!({}))).await.unwrap_err();
    assert!(error.to_string().ends_with("refuses the request (400: API key not valid.)"), "{error}");
}

#[tokio::test]
async fn the_answer_says_who_gave_it() {
    let server = MockServer::start().await;
    Mock::given(method("POST")).respond_with(said(&json!({"content": "Yes."}))).mount(&server).await;
    let answer = ask(&model(&server.uri(), &json!({"prices": {"prompt": 1.0}}))).await.unwrap();
    let prices = crate::Prices { prompt: 1.0, ..crate::Prices::default() };
    assert_eq!(answer.by, Some(Answerer { model: "m".to_owned(), prices }));
}
