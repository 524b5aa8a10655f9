//! Answers as they go over the wire.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::{Response as HttpResponse, StatusCode};
use axum::response::{IntoResponse, Response};
use futures::StreamExt;
use serde_json::{Value, json};

use super::{Call, MODEL, Received, Reply, strict};

/// The answer to a request.
pub(super) async fn answer(reply: Reply, received: &Received) -> Response {
    // Ids follow from the conversation, so that the same request is answered the same by any double.
    let first = received.answers() * 100;
    let own = |calls: Vec<(String, Value)>| {
        let call = |(index, (name, arguments)): (u64, (String, Value))| Call {
            id: Some(format!("call_double_{}", first + index)),
            name,
            arguments: arguments.to_string(),
        };
        (0..).zip(calls).map(call).collect::<Vec<_>>()
    };
    match reply {
        Reply::Text(text) => stream(&whole(&text, &[], received), &End::Done),
        Reply::Calls(calls) => stream(&whole("", &own(calls), received), &End::Done),
        Reply::Act(calls) => stream(&whole("", &own(calls(received)), received), &End::Done),
        Reply::Written(calls) => stream(&whole("", &calls, received), &End::Done),
        Reply::Conclude(conclusion) => {
            let calls = own(vec![("conclude".to_owned(), conclusion(received))]);
            stream(&whole("", &calls, received), &End::Done)
        }
        Reply::Whole(body) => Json(body).into_response(),
        Reply::Status { code, retry_after, message } => status(code, retry_after, &message),
        Reply::Cut => stream(&begun(), &End::Break),
        Reply::Pause => stream(&begun(), &End::Pause),
        Reply::Hang => std::future::pending().await,
        Reply::Nonsense => ([("content-type", "text/html")], "<html><body>It works!</body></html>").into_response(),
        Reply::Forever(_) | Reply::Known(_) => refusal("a reply that is no answer"),
    }
}

/// A refusal as OpenAI writes it.
pub(super) fn refusal(fault: &str) -> Response {
    let code = if fault.starts_with("maximum context length") { "context_length_exceeded" } else { "invalid_request" };
    let error = json!({"error": {"message": fault, "type": "invalid_request_error", "code": code}});
    (StatusCode::BAD_REQUEST, Json(error)).into_response()
}

fn status(code: u16, retry_after: Option<String>, message: &str) -> Response {
    let mut response = HttpResponse::builder().status(code).header("content-type", "application/json");
    if let Some(wait) = retry_after {
        response = response.header("retry-after", wait);
    }
    let body = Body::from(json!({"error": {"message": message, "type": "error"}}).to_string());
    response.body(body).unwrap_or_else(|error| refusal(&error.to_string()))
}

/// How a stream ends.
enum End {
    Done,
    Break,
    Pause,
}

fn stream(chunks: &[Value], end: &End) -> Response {
    let mut pieces: Vec<Result<Bytes, std::io::Error>> =
        chunks.iter().map(|chunk| Ok(Bytes::from(format!("data: {chunk}\n\n")))).collect();
    if matches!(end, End::Done) {
        pieces.push(Ok(Bytes::from_static(b"data: [DONE]\n\n")));
    }
    let body = futures::stream::iter(pieces);
    let body = match end {
        End::Pause => Body::from_stream(body.chain(futures::stream::pending())),
        // What was written goes out while nothing more is ready; then the connection breaks.
        End::Break => Body::from_stream(body.chain(futures::stream::once(async {
            tokio::task::yield_now().await;
            Err(std::io::Error::other("cut"))
        }))),
        End::Done => Body::from_stream(body),
    };
    ([("content-type", "text/event-stream")], body).into_response()
}

fn chunk(delta: &Value, finish: Option<&str>) -> Value {
    json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})
}

/// The beginning of an answer that calls something dangerous to act on in part.
fn begun() -> Vec<Value> {
    let call = json!([{"index": 0, "id": "call_cut", "type": "function",
        "function": {"name": "conclude", "arguments": "{\"verdict\":\"no_fault\",\"summary\":\"cut"}}]);
    vec![chunk(&json!({"role": "assistant", "content": "Let me"}), None), chunk(&json!({"tool_calls": call}), None)]
}

/// A whole answer in pieces: words in two, arguments in two, then the reason, then the usage.
fn whole(text: &str, calls: &[Call], received: &Received) -> Vec<Value> {
    let mut chunks = vec![chunk(&json!({"role": "assistant", "content": ""}), None)];
    let half = |text: &str| {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
        let (one, other) = text.split_at(middle);
        [one.to_owned(), other.to_owned()]
    };
    for piece in half(text).iter().filter(|piece| !piece.is_empty()) {
        chunks.push(chunk(&json!({"content": piece}), None));
    }
    for (index, call) in calls.iter().enumerate() {
        let [one, other] = half(&call.arguments);
        let begin = json!({"index": index, "id": call.id, "type": "function",
            "function": {"name": call.name, "arguments": one}});
        chunks.push(chunk(&json!({"tool_calls": [begin]}), None));
        chunks.push(chunk(&json!({"tool_calls": [{"index": index, "function": {"arguments": other}}]}), None));
    }
    chunks.push(chunk(&json!({}), Some(if calls.is_empty() { "stop" } else { "tool_calls" })));
    let prompt = strict::size(received.body());
    let completion = 20 + calls.len() * 20;
    chunks.push(json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": MODEL, "choices": [],
        "usage": {"prompt_tokens": prompt, "completion_tokens": completion, "prompt_tokens_details": {"cached_tokens": 0}}}));
    chunks
}
