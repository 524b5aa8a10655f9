//! Spans of an investigation, in the names of OpenTelemetry's conventions for generative AI. They hold what was asked of
//! whom and what it took; what was said in it stays out, for a trace store is nobody's evidence log.

use marple_core::Incident;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::model::Finish;
use crate::run::Event;
use crate::{Model, ModelRequest, Outcome, ToolCall};

/// The field of the reasons for which a model stopped: here one, for the conventions a list.
pub const FINISH_REASONS: &str = "gen_ai.response.finish_reasons";
/// The target of the spans, by which they are told from what is logged.
pub const SPANS: &str = "marple::genai";

/// An investigation with all that belongs to it.
pub(super) fn investigation(model: &dyn Model, incident: Option<&Incident>) -> Span {
    let span = info_span!(
        target: SPANS,
        "invoke_agent",
        otel.name = "invoke_agent marple",
        gen_ai.operation.name = "invoke_agent",
        gen_ai.provider.name = model.provider().name,
        gen_ai.agent.name = "marple",
        gen_ai.conversation.id = Empty,
        gen_ai.request.model = model.name(),
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        marple.cost_usd = Empty,
        marple.turns = Empty,
        marple.calls = Empty,
        marple.ending = Empty,
    );
    if let Some(incident) = incident {
        span.record("gen_ai.conversation.id", tracing::field::display(incident.id));
    }
    span
}

/// Notes how it ended.
pub(super) fn ended(span: &Span, outcome: &Outcome) {
    span.record("gen_ai.usage.input_tokens", whole(outcome.usage.prompt));
    span.record("gen_ai.usage.output_tokens", whole(outcome.usage.completion));
    span.record("marple.cost_usd", outcome.usage.dollars());
    span.record("marple.turns", i64::from(outcome.turns));
    span.record("marple.calls", i64::from(outcome.calls));
    span.record("marple.ending", tracing::field::display(&outcome.ending));
}

/// As OpenTelemetry knows numbers: one without a sign would be exported as text.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// One request to the model, its retries included.
pub(super) fn request(model: &dyn Model, request: &ModelRequest) -> Span {
    let (name, provider) = (model.name(), model.provider());
    info_span!(
        target: SPANS,
        "chat",
        otel.name = format!("chat {name}"),
        otel.kind = "client",
        gen_ai.operation.name = "chat",
        gen_ai.provider.name = provider.name,
        gen_ai.request.model = name,
        gen_ai.request.max_tokens = i64::from(request.max_output),
        server.address = provider.host,
        server.port = provider.port.map(i64::from),
        gen_ai.response.id = Empty,
        gen_ai.response.model = Empty,
        gen_ai.response.finish_reasons = Empty,
        gen_ai.usage.input_tokens = Empty,
        gen_ai.usage.cache_read.input_tokens = Empty,
        gen_ai.usage.output_tokens = Empty,
        error.type = Empty,
        otel.status_code = Empty,
    )
}

/// Notes what came of it.
pub(super) fn answered(span: &Span, event: &Event) {
    match event {
        Event::ModelAnswered { answer, .. } => {
            let calls = answer.finish == Finish::Complete && !answer.calls.is_empty();
            span.record(FINISH_REASONS, if calls { "tool_calls" } else { answer.finish.as_str() });
            if let Some(id) = &answer.id {
                span.record("gen_ai.response.id", id.as_str());
            }
            if let Some(by) = &answer.by {
                span.record("gen_ai.response.model", by.model.as_str());
            }
            if let Some(usage) = answer.usage {
                span.record("gen_ai.usage.input_tokens", whole(usage.prompt));
                span.record("gen_ai.usage.cache_read.input_tokens", whole(usage.cached));
                span.record("gen_ai.usage.output_tokens", whole(usage.completion));
            }
        }
        Event::ModelFailed { error, .. } => failed(span, error.kind()),
        Event::Cancelled => failed(span, "cancelled"),
        Event::Tick { .. } => failed(span, "timed_out"),
        _ => {}
    }
}

/// One call of a tool.
pub(super) fn call(call: &ToolCall) -> Span {
    info_span!(
        target: SPANS,
        "execute_tool",
        otel.name = format!("execute_tool {}", call.name),
        gen_ai.operation.name = "execute_tool",
        gen_ai.tool.name = call.name,
        gen_ai.tool.call.id = call.id,
        gen_ai.tool.r#type = "function",
        error.type = Empty,
        otel.status_code = Empty,
    )
}

/// Notes that what it spans failed, in one word.
pub(super) fn failed(span: &Span, kind: &str) {
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}
