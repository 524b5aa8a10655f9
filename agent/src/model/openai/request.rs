//! A request as it goes over the wire.

use async_openai::types::chat::{
    ChatCompletionMessageToolCall, ChatCompletionMessageToolCalls, ChatCompletionRequestAssistantMessage,
    ChatCompletionRequestMessage, ChatCompletionRequestSystemMessage, ChatCompletionRequestToolMessage,
    ChatCompletionRequestUserMessage, ChatCompletionStreamOptions, ChatCompletionTool, ChatCompletionToolChoiceOption,
    ChatCompletionTools, CreateChatCompletionRequest, FunctionCall, FunctionObject, ToolChoiceOptions,
};

use serde_json::Value;

use super::super::{Message, ModelConfig, ModelRequest, ToolCall};
use super::aside;
use super::dialect::Dialect;

/// The request in the words that this server knows, and with what it wants to see again.
pub(super) fn body(
    config: &ModelConfig,
    dialect: &Dialect,
    request: &ModelRequest,
) -> Result<Value, serde_json::Error> {
    let mut body = serde_json::to_value(typed(config, dialect, request)?)?;
    if let Some(messages) = body.get_mut("messages").and_then(Value::as_array_mut) {
        for (written, message) in messages.iter_mut().zip(&request.messages) {
            aside::add(written, message, &config.name, dialect);
        }
    }
    if let Some(fields) = body.as_object_mut() {
        // As it was written: 0.2, not the nearest of twice the length.
        if let (Some(place), Some(temperature)) = (fields.get_mut("temperature"), config.temperature) {
            *place = serde_json::from_str(&temperature.to_string())?;
        }
        fields.extend(config.extra_body.clone());
    }
    Ok(body)
}

fn typed(
    config: &ModelConfig,
    dialect: &Dialect,
    request: &ModelRequest,
) -> Result<CreateChatCompletionRequest, serde_json::Error> {
    let stream = !dialect.no_stream.is();
    let options = ChatCompletionStreamOptions { include_usage: Some(true), include_obfuscation: None };
    let tokens = Some(request.max_output);
    let (max_completion_tokens, max_tokens) = if dialect.completion_tokens() { (tokens, None) } else { (None, tokens) };
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
    let forbidden = !request.may_call && !tools.is_empty() && !dialect.no_tool_choice.is();
    #[expect(deprecated, reason = "servers beside OpenAI's know only the older `max_tokens`")]
    Ok(CreateChatCompletionRequest {
        model: config.name.clone(),
        messages: request.messages.iter().map(message).collect::<Result<_, _>>()?,
        tools: (!tools.is_empty()).then_some(tools),
        tool_choice: forbidden.then_some(ChatCompletionToolChoiceOption::Mode(ToolChoiceOptions::None)),
        temperature: config.temperature.filter(|_| !dialect.no_temperature.is()),
        max_completion_tokens,
        max_tokens,
        stream: stream.then_some(true),
        stream_options: (stream && !dialect.no_stream_options.is()).then_some(options),
        ..CreateChatCompletionRequest::default()
    })
}

fn message(message: &Message) -> Result<ChatCompletionRequestMessage, serde_json::Error> {
    Ok(match message {
        Message::System { content } => ChatCompletionRequestSystemMessage::from(content.as_str()).into(),
        Message::User { content } => ChatCompletionRequestUserMessage::from(content.as_str()).into(),
        Message::Assistant { content, calls, .. } => ChatCompletionRequestAssistantMessage {
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
