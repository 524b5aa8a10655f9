//! A request as it goes over the wire.

use std::sync::atomic::Ordering;

use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessage,
    ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage, ChatCompletionRequestToolMessage,
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, ChatCompletionTool, ChatCompletionToolChoiceOption,
    ChatCompletionTools, CreateChatCompletionRequest, FunctionCall, FunctionObject, ToolChoiceOptions,
};

use super::super::{Message, ModelConfig, ModelRequest, ToolCall};
use super::dialect::Dialect;

/// The request in the words that this server knows.
pub(super) fn body(
    config: &ModelConfig,
    dialect: &Dialect,
    request: &ModelRequest,
) -> Result<CreateChatCompletionRequest, serde_json::Error> {
    let knows = |flag: &std::sync::atomic::AtomicBool| !flag.load(Ordering::Relaxed);
    let stream = knows(&dialect.no_stream);
    let options = ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None };
    let tokens = Some(request.max_output);
    let (max_completion_tokens, max_tokens) =
        if dialect.completion_tokens.load(Ordering::Relaxed) { (tokens, None) } else { (None, tokens) };
    let tools: Vec<ChatCompletionTools> = request
        .tools
        .iter()
        .map(|offer| {
            ChatCompletionTools::Function(ChatCompletionTool {
                function: FunctionObject {
                    name: offer.name.clone(),
                    description: Some(offer.description.clone()),
                    parameters: Some(offer.parameters.clone()),
                    strict: None,
                },
            })
        })
        .collect();
    let forbidden = !request.may_call && !tools.is_empty() && knows(&dialect.no_tool_choice);
    #[expect(deprecated, reason = "servers beside OpenAI's know only the older `max_tokens`")]
    Ok(CreateChatCompletionRequest {
        model: config.name.clone(),
        messages: request.messages.iter().map(message).collect::<Result<_, _>>()?,
        tools: (!tools.is_empty()).then_some(tools),
        tool_choice: forbidden.then_some(ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::None)),
        temperature: config.temperature.filter(|_| knows(&dialect.no_temperature)),
        max_completion_tokens,
        max_tokens,
        stream: stream.then_some(true),
        stream_options: (stream && knows(&dialect.no_stream_options)).then_some(options),
        ..CreateChatCompletionRequest::default()
    })
}

fn message(message: &Message) -> Result<ChatCompletionRequestMessage, serde_json::Error> {
    Ok(match message {
        Message::System { content } => ChatCompletionRequestSystemMessage::from(content.as_str()).into(),
        Message::User { content } => ChatCompletionRequestUserMessage::from(content.as_str()).into(),
        Message::Assistant { content, calls } => ChatCompletionRequestAssistantMessage {
            content: (!content.is_empty()).then(|| content.as_str().into()),
            tool_calls: match calls.as_slice() {
                [] => None,
                calls => Some(calls.iter().map(call).collect::<Result<_, _>>()?),
            },
            ..ChatCompletionRequestAssistantMessage::default()
        }
        .into(),
        Message::Tool { call, content } => {
            ChatCompletionRequestToolMessage { content: content.as_str().into(), tool_call_id: call.clone() }.into()
        }
    })
}

fn call(call: &ToolCall) -> Result<ChatCompletionMessageToolCalls, serde_json::Error> {
    Ok(ChatCompletionMessageToolCalls::Function(ChatCompletionMessageToolCall {
        id: call.id.clone(),
        function: FunctionCall { name: call.name.clone(), arguments: serde_json::to_string(&call.arguments)? },
    }))
}
