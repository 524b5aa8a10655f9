#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;
use tokio_util::sync::CancellationToken;
use wiremock::ResponseTemplate;

use super::super::double::{Double, json_answer};
use super::*;

fn look() -> Look {
    let at = |text: &str| text.parse().unwrap();
    Look {
        incident_start: Some(at("2026-01-02T03:00:00Z")),
        now: at("2026-01-02T03:10:00Z"),
        cancel: CancellationToken::new(),
    }
}

async fn call(double: &Double, arguments: Value) -> Result<Output, ToolError> {
    tools(double.store("victoria_logs"))[0].call(arguments, &look()).await
}

#[tokio::test]
async fn the_schema_costs_no_more_than_230_tokens() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    let double = Double::start().await;
    for kind in ["loki", "victoria_logs", "elasticsearch"] {
        let tools = tools(double.store(kind));
        let spec = tools[0].spec();
        let offered = json!({"type": "function", "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters}});
        let tokens = counter.encode_ordinary(&offered.to_string()).len();
        assert!(tokens <= 230, "{kind}: {tokens}");
    }
}

#[tokio::test]
async fn a_storm_of_lines_is_told_by_when_it_began_and_folded() {
    let double = Double::start().await;
    let hits = json!({"hits": [{"timestamps": ["2026-01-02T03:00:00Z"], "values": [50]}]});
    double.answer("POST", "select/logsql/hits", &[], json_answer(&hits)).await;
    let line = |second: u32| {
        json!({"_time": format!("2026-01-02T03:00:{second:02}Z"), "_msg": format!("connection to db:5432 refused, try {second}"), "pod": "cart-1"}).to_string()
    };
    let lines = (0..50).map(line).collect::<Vec<_>>().join("\n");
    double.answer("POST", "select/logsql/query", &[], ResponseTemplate::new(200).set_body_string(lines)).await;
    let output = call(&double, json!({"kind": "deployment", "name": "shop/cart", "text": "refused", "level": "warn"}))
        .await
        .unwrap();
    assert_eq!(
        output.title,
        "stored logs of deployment shop/cart, level warn and worse, saying \"refused\", 2026-01-02T02:45:00Z to 2026-01-02T03:10:00Z"
    );
    let view = output.view.unwrap();
    let lines: Vec<&str> = view.lines().collect();
    assert_eq!(
        lines[0],
        "50 lines from 2026-01-02T02:45:00Z to 2026-01-02T03:10:00Z; the incident began 2026-01-02T03:00:00Z"
    );
    assert_eq!(lines[1], "each 60s: none before 03:00, 03:00 50, none from 03:01 on");
    assert_eq!(
        lines[3..],
        [
            "all from cart-1",
            "03:00:00.000 connection to db:5432 refused, try 0",
            "… the line above again, 49 times, differing in numbers, times or ids: 49 lines left out …"
        ]
    );
    assert_eq!(output.content.lines().count(), 54);
}

#[tokio::test]
async fn what_can_not_be_searched_is_refused_before_it_is_asked() {
    let double = Double::start().await;
    for (arguments, wanted) in [
        (json!({"query": "*", "namespace": "shop"}), "`query` stands for itself"),
        (json!({"text": "a", "regex": "b"}), "not both"),
        (json!({"regex": "a("}), "no regular expression"),
        (json!({"kind": "Node", "name": "worker-1"}), "a Node's pods can't be told"),
        (json!({"since": "now", "until": "-1h"}), "not before `until`"),
        (json!({"level": "bad"}), "one of error, warn is wanted"),
    ] {
        let error = call(&double, arguments).await.unwrap_err();
        assert!(
            matches!(&error, ToolError::Arguments(text) if text.starts_with("logs_search: ") && text.contains(wanted)),
            "{error}"
        );
    }
    assert_eq!(double.asked().await, Vec::<String>::new());
}
