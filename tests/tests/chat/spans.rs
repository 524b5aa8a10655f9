//! What a trace store gets of an investigation, over OTLP, read by OpenTelemetry's own types.

use std::sync::{Arc, Mutex};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::model::{KEY, MODEL, ModelDouble};
use marple_tests::program::{Program, TOKEN, client};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message as _;
use serde_json::{Value, json};

use super::looking;

type Spans = Arc<Mutex<Vec<Span>>>;

/// A collector that keeps all it is sent.
async fn collector() -> Result<(String, Spans)> {
    let spans = Spans::default();
    let take = async |State(spans): State<Spans>, body: Bytes| {
        let sent = ExportTraceServiceRequest::decode(body).expect("a request as OTLP defines it");
        let scopes = sent.resource_spans.into_iter().flat_map(|resource| resource.scope_spans);
        spans.lock().unwrap().extend(scopes.flat_map(|scope| scope.spans));
    };
    let app = Router::new().route("/v1/traces", post(take)).with_state(Arc::clone(&spans));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((url, spans))
}

/// The attributes of a span, those that are set.
fn attributes(span: &Span) -> Value {
    let told = |told: &Option<Told>| match told {
        Some(Told::StringValue(text)) => json!(text),
        Some(Told::IntValue(number)) => json!(number),
        Some(Told::DoubleValue(number)) => json!(number),
        Some(Told::ArrayValue(list)) => {
            let text = |value: &Option<Told>| match value {
                Some(Told::StringValue(text)) => json!(text),
                other => panic!("{other:?}"),
            };
            list.values.iter().map(|value| text(&value.value)).collect()
        }
        other => panic!("{other:?}"),
    };
    let pair = |key: &str, value: Value| (key.to_owned(), value);
    Value::Object(
        span.attributes
            .iter()
            .map(|one| pair(&one.key, told(&one.value.as_ref().and_then(|value| value.value.clone()))))
            .collect(),
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_investigation_arrives_with_the_names_of_the_conventions() -> Result<()> {
    let cluster = cluster_or_return!();
    let model = ModelDouble::start(looking()).await?;
    let (url, spans) = collector().await?;
    let settings = format!(
        "cluster: {{ context: {} }}\nforwarder: {{ enabled: false }}\n\
         model: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\", prices: {{ prompt: 2, completion: 8 }} }}\n",
        cluster.context(),
        model.url
    );
    let environment = [("OTEL_EXPORTER_OTLP_ENDPOINT", url.as_str()), ("OTEL_BSP_SCHEDULE_DELAY", "200")];
    let mut program = Program::serve(&settings, &environment).await?;
    let asked =
        client().post(program.url("/api/chat")).bearer_auth(TOKEN).json(&json!({"ask": "Is kube-system there?"}));
    asked.send().await?.error_for_status()?;
    let all = wait_for("the spans of one question", std::time::Duration::from_secs(20), || async {
        let spans = spans.lock().unwrap().clone();
        if spans.len() == 4 { Ok(spans) } else { Err(format!("{} spans", spans.len())) }
    })
    .await?;
    let named = |name: &str| all.iter().filter(move |span| span.name == name).collect::<Vec<_>>();
    let whole = *named("invoke_agent marple").first().context("an investigation")?;
    let told = attributes(whole);
    assert_eq!(
        (&told["gen_ai.operation.name"], &told["gen_ai.agent.name"], &told["gen_ai.provider.name"]),
        (&json!("invoke_agent"), &json!("marple"), &json!("openai"))
    );
    assert!(
        told["gen_ai.usage.input_tokens"].as_i64() > Some(0) && told["marple.cost_usd"].as_f64() > Some(0.0),
        "{told}"
    );
    assert_eq!((&told["marple.turns"], &told["marple.calls"]), (&json!(2), &json!(1)));
    let chats = named(&format!("chat {MODEL}"));
    let reasons: Vec<Value> =
        chats.iter().map(|span| attributes(span)["gen_ai.response.finish_reasons"].clone()).collect();
    assert_eq!(reasons, [json!(["tool_calls"]), json!(["stop"])]);
    for span in &chats {
        let told = attributes(span);
        assert_eq!((span.kind(), &span.parent_span_id), (SpanKind::Client, &whole.span_id));
        assert_eq!((&told["gen_ai.request.model"], &told["server.address"]), (&json!(MODEL), &json!("127.0.0.1")));
        assert_eq!(json!(format!("http://127.0.0.1:{}/v1", told["server.port"])), json!(model.url));
        assert!(told["gen_ai.usage.output_tokens"].as_i64() > Some(0), "{told}");
    }
    let look = *named("execute_tool kubernetes_describe").first().context("a look")?;
    let told = attributes(look);
    assert_eq!(
        (&told["gen_ai.tool.name"], &told["gen_ai.tool.type"]),
        (&json!("kubernetes_describe"), &json!("function"))
    );
    assert_eq!((&look.trace_id, &look.parent_span_id), (&whole.trace_id, &whole.span_id));
    let said: String = all.iter().map(|span| attributes(span).to_string()).collect();
    assert!(!said.contains("kube-system") && !said.contains(KEY), "what was said stays out: {said}");
    program.stop().await
}
