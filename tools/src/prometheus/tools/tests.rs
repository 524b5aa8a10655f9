#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::prometheus::double::{Double, prometheus};
use crate::{Look, Output, ToolError};

fn look() -> Look {
    Look {
        incident_start: Some("2026-01-02T03:00:00Z".parse().unwrap()),
        now: "2026-01-02T03:10:00Z".parse().unwrap(),
        cancel: CancellationToken::new(),
    }
}

async fn call(double: &Double, name: &str, arguments: Value) -> Result<Output, ToolError> {
    let tools = tools(double.prometheus());
    let tool = tools.iter().find(|tool| tool.spec().name == name).unwrap();
    tool.call(arguments, &look()).await
}

#[tokio::test]
async fn the_five_schemas_cost_no_more_than_460_tokens() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    let specs: Vec<Value> = tools(prometheus("http://127.0.0.1:9"))
        .iter()
        .map(|tool| tool.spec())
        .map(|spec| json!({"type": "function", "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters}}))
        .collect();
    assert_eq!(specs.len(), 5);
    let tokens: Vec<usize> = specs.iter().map(|spec| counter.encode_ordinary(&spec.to_string()).len()).collect();
    assert!(tokens.iter().sum::<usize>() <= 460, "{tokens:?}");
}

#[tokio::test]
async fn values_are_told_largest_first_and_what_all_have_once() {
    let double = Double::start().await;
    let of = |pod: &str| json!({"namespace": "shop", "pod": pod});
    let series = [(of("a"), "1"), (of("b"), "NaN"), (of("c"), "+Inf"), (of("d"), "50331648")];
    double.vector("x_bytes", &series).await;
    double.vector("count(x_bytes)", &[(json!({}), "4")]).await;
    let output = call(&double, "prometheus_query", json!({"query": "x_bytes", "time": "-5m"})).await.unwrap();
    assert_eq!(output.title, "PromQL x_bytes at 2026-01-02T03:05:00Z");
    assert_eq!(
        output.content,
        "4 series\nall have namespace=\"shop\"\npod=\"c\" +Inf\npod=\"d\" 48 MiB\npod=\"a\" 1 bytes\npod=\"b\" NaN\n"
    );
    assert_eq!(
        double.asked().await,
        ["POST query query=count(x_bytes) & time=1767323100.000", "POST query query=x_bytes & time=1767323100.000"]
    );
}

#[tokio::test]
async fn more_series_than_are_shown_are_counted_and_kept() {
    let double = Double::start().await;
    let series: Vec<(Value, String)> =
        (0..100).map(|pod| (json!({"pod": format!("p{pod}")}), pod.to_string())).collect();
    let series: Vec<(Value, &str)> = series.iter().map(|(labels, value)| (labels.clone(), value.as_str())).collect();
    double.vector("up", &series).await;
    double.nothing_else().await;
    let output = call(&double, "prometheus_query", json!({"query": "up"})).await.unwrap();
    let view = output.view.unwrap();
    assert!(
        view.starts_with("100 series\npod=\"p99\" 99\n") && view.ends_with("… 60 more series left out …\n"),
        "{view}"
    );
    assert_eq!(output.content.lines().count(), 101);
    let missing: Vec<&str> =
        view.lines().filter(|line| !line.starts_with('…') && !output.content.contains(line)).collect();
    assert_eq!(missing, Vec::<&str>::new());
}

#[tokio::test]
async fn a_metric_that_is_not_there_is_named_with_those_of_similar_names() {
    let double = Double::start().await;
    double.nothing_else().await;
    double
        .answer(
            "GET",
            "label/__name__/values",
            &[],
            &json!(["kube_pod_info", "container_memory_working_set_bytes", "up"]),
        )
        .await;
    let query = "sum(container_memory_workingset_bytes{pod=\"a\"})";
    let output = call(&double, "prometheus_query", json!({"query": query})).await.unwrap();
    assert_eq!(
        output.content,
        "no series: nothing fits the query at 2026-01-02T03:10:00Z\n\
         there is no metric container_memory_workingset_bytes; similar names: container_memory_working_set_bytes\n"
    );
}

#[tokio::test]
async fn a_condition_that_holds_for_nothing_is_told_with_the_values() {
    let double = Double::start().await;
    double.vector("kube_x", &[(json!({"pod": "a"}), "0.25"), (json!({"pod": "b"}), "0.5")]).await;
    double.nothing_else().await;
    let output = call(&double, "prometheus_query", json!({"query": "kube_x > 0.9"})).await.unwrap();
    assert!(
        output
            .content
            .ends_with("without its conditions, `kube_x` has 2 series: from pod=\"a\" 0.25 to pod=\"b\" 0.5\n"),
        "{}",
        output.content
    );
}

#[tokio::test]
async fn a_label_or_a_value_that_is_not_there_is_named() {
    let double = Double::start().await;
    double.nothing_else().await;
    double.answer("GET", "label/__name__/values", &[], &json!(["up"])).await;
    let hour = [("match[]", "up"), ("start", "1767319800.000"), ("end", "1767323400.000")];
    double.answer("GET", "label/pod_name/values", &hour, &json!([])).await;
    double.answer("GET", "label/pod/values", &hour, &json!(["cart-1", "cart-2"])).await;
    double.answer("GET", "labels", &hour, &json!(["__name__", "job", "pod"])).await;
    let why = async |query: &str| {
        let output = call(&double, "prometheus_query", json!({"query": query})).await.unwrap();
        output.content.lines().nth(1).unwrap().to_owned()
    };
    assert_eq!(why("up{pod_name=\"cart-1\"}").await, "up has no label pod_name; its labels: job, pod");
    assert_eq!(
        why("up{pod=\"cart\"}").await,
        "no series of up has pod=\"cart\"; similar values: \"cart-1\", \"cart-2\""
    );
}

#[tokio::test]
async fn a_range_is_from_half_an_hour_before_the_incident_until_now() {
    let double = Double::start().await;
    let of = |pod: &str| json!({"namespace": "shop", "pod": pod});
    let low_then_high: Vec<f64> = (0..41).map(|minute| if minute < 30 { 0.1 } else { 0.9 }).collect();
    double
        .matrix(
            "rate(x[5m])",
            &[(of("calm"), "2026-01-02T02:30:00Z", &[1.0; 41]), (of("cart"), "2026-01-02T02:30:00Z", &low_then_high)],
        )
        .await;
    double.nothing_else().await;
    let output = call(&double, "prometheus_range", json!({"query": "rate(x[5m])"})).await.unwrap();
    assert_eq!(
        double.asked().await,
        [
            "POST query query=count(rate(x[5m])) & time=1767323400.000",
            "POST query_range query=rate(x[5m]) & start=1767321000.000 & end=1767323400.000 & step=60"
        ]
    );
    assert_eq!(output.view, None, "a short one is shown whole");
    assert_eq!(
        output.content,
        "2 series from 2026-01-02T02:30:00Z to 2026-01-02T03:10:00Z, a value each 1m, times in UTC; the incident began 2026-01-02T03:00:00Z\n\
         all have namespace=\"shop\"\n\
         pod=\"cart\": step up at 03:00 from 0.1 to 0.9\n  02:30 0.1 ×30, 0.9 ×11\n\
         pod=\"calm\": 1 all the time\n  02:30 1 ×41\n"
    );
}

#[tokio::test]
async fn a_range_that_can_not_be_is_refused_before_it_is_asked() {
    let double = Double::start().await;
    let fault = async |arguments: Value| match call(&double, "prometheus_range", arguments).await {
        Err(ToolError::Arguments(text)) => text,
        other => panic!("{other:?}"),
    };
    assert!(fault(json!({"query": "up", "start": "now", "end": "-1h"})).await.contains("not before `end`"));
    assert!(fault(json!({"query": "up", "start": "-1d", "step": "1s"})).await.contains("take at least 24m"));
    assert!(fault(json!({"query": "up", "start": "soon"})).await.contains("argument `start` is \"soon\""));
    assert_eq!(double.asked().await, Vec::<String>::new());
}

fn rules() -> Value {
    let alert = |pod: &str, state: &str| {
        json!({"labels": {"alertname": "CartSlow", "severity": "page", "namespace": "shop", "pod": pod},
        "annotations": {}, "state": state, "activeAt": "2026-01-02T03:01:00Z", "value": "2e+00"})
    };
    json!({"groups": [{"rules": [
        {"type": "recording", "name": "shop:latency:p99", "query": "histogram_quantile(0.99, x)", "health": "ok"},
        {"type": "alerting", "name": "CartSlow", "query": "shop:latency:p99\n  > 1", "duration": 300.0, "labels": {"severity": "page"},
         "annotations": {"summary": "{{ $labels.pod }} is slow"}, "health": "err", "lastError": "many-to-many matching",
         "alerts": [alert("a", "pending"), alert("b", "firing")]},
    ]}]})
}

#[tokio::test]
async fn a_rule_is_told_with_its_alerts_values_and_what_it_reads() {
    let double = Double::start().await;
    double.answer("GET", "rules", &[], &rules()).await;
    double.vector("shop:latency:p99", &[(json!({"namespace": "shop", "pod": "b"}), "2")]).await;
    let output = call(&double, "prometheus_rule", json!({"name": "cartslow"})).await.unwrap();
    assert_eq!(
        output.content,
        "alert CartSlow: firing\n\
         expr: shop:latency:p99 > 1\n\
         for: 5m\n\
         labels: severity=\"page\"\n\
         summary: {{ $labels.pod }} is slow\n\
         health: err, its last evaluation failed: many-to-many matching\n\
         active alerts (2) (now 2026-01-02T03:10:00Z, T is the start of the incident, 2026-01-02T03:00:00Z):\n\
         \x20 all have namespace=\"shop\"\n\
         \x20 firing since 9m ago (T+60s), value 2: pod=\"b\"\n\
         \x20 pending since 9m ago (T+60s), value 2: pod=\"a\"\n\
         `shop:latency:p99` now: 1 series\n\
         \x20 namespace=\"shop\" pod=\"b\" 2\n\
         shop:latency:p99 is recorded: histogram_quantile(0.99, x)\n"
    );
    assert_eq!(double.asked().await, ["GET rules", "POST query query=shop:latency:p99 & time=1767323400.000"]);
}

#[tokio::test]
async fn an_unknown_rule_gives_those_of_similar_names() {
    let double = Double::start().await;
    double.answer("GET", "rules", &[], &rules()).await;
    let error = call(&double, "prometheus_rule", json!({"name": "CartSlower"})).await.unwrap_err();
    assert_eq!(error.to_string(), "none of Prometheus's 2 rules has the name \"CartSlower\"; similar names: CartSlow");
    assert!(matches!(error, ToolError::NotFound(_)));
}

#[tokio::test]
async fn metrics_are_found_by_words_and_labels() {
    let double = Double::start().await;
    let hour = [("start", "1767319200.000"), ("end", "1767323400.000")];
    let with = |selector: &'static str| [("match[]", selector), hour[0], hour[1]];
    let names = json!(["http_requests_total", "http_request_duration_seconds_bucket", "up"]);
    double.answer("GET", "label/__name__/values", &with("{namespace=\"shop\"}"), &names).await;
    double
        .answer(
            "GET",
            "metadata",
            &[],
            &json!({"http_requests_total": [{"type": "counter", "help": "Requests.", "unit": ""}],
        "http_request_duration_seconds": [{"type": "histogram", "help": "How long requests took.", "unit": ""}]}),
        )
        .await;
    double.answer("GET", "labels", &with("http_requests_total"), &json!(["__name__", "code", "pod"])).await;
    double.answer("GET", "labels", &with("http_request_duration_seconds_bucket"), &json!(["__name__", "le"])).await;
    let output = call(&double, "prometheus_find", json!({"words": "HTTP requests", "matchers": "namespace=\"shop\""}))
        .await
        .unwrap();
    assert_eq!(output.title, "metrics of \"HTTP requests\" with {namespace=\"shop\"}");
    assert_eq!(
        output.content,
        "2 of 3 metrics\n\
         http_requests_total (counter): Requests.; labels code, pod\n\
         http_request_duration_seconds_bucket (histogram): How long requests took.; labels le\n"
    );
    let nothing =
        call(&double, "prometheus_find", json!({"words": "htpp_request_total", "matchers": "{namespace=\"shop\"}"}))
            .await
            .unwrap();
    assert_eq!(
        nothing.content,
        "none of 3 metrics with {namespace=\"shop\"} fits; similar names: http_requests_total\n"
    );
}

#[tokio::test]
async fn only_matchers_get_into_a_selector() {
    let double = Double::start().await;
    for matchers in ["namespace=\"shop\"} or up{", "namespace", "a=b", "sum(x)"] {
        let error = call(&double, "prometheus_find", json!({"matchers": matchers})).await.unwrap_err();
        assert!(
            matches!(&error, ToolError::Arguments(text) if text.contains("wanted is as namespace")),
            "{matchers}: {error}"
        );
    }
    assert!(matches!(call(&double, "prometheus_find", json!({})).await, Err(ToolError::Arguments(_))));
    assert_eq!(double.asked().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_query_that_can_not_be_read_is_not_sent() {
    let double = Double::start().await;
    for (tool, query) in [("prometheus_query", "up{"), ("prometheus_range", "rate(up)"), ("prometheus_query", "sum(")] {
        let error = call(&double, tool, json!({"query": query})).await.unwrap_err();
        assert!(matches!(&error, ToolError::Arguments(text) if text.starts_with("the query was not sent")), "{error}");
    }
    assert_eq!(double.asked().await, Vec::<String>::new());
}

#[tokio::test]
async fn what_only_the_server_knows_is_told_as_it_says_it() {
    let double = Double::start().await;
    let why = "invalid parameter \"query\": 1:1: parse error: unknown function with name \"nonesuch\"";
    let body = json!({"status": "error", "errorType": "bad_data", "error": why});
    let answer = wiremock::ResponseTemplate::new(400).set_body_json(body);
    wiremock::Mock::given(wiremock::matchers::any()).respond_with(answer).mount(&double.0).await;
    let error = call(&double, "prometheus_query", json!({"query": "nonesuch(up)"})).await.unwrap_err();
    assert_eq!(error.to_string(), "1:1: parse error: unknown function with name \"nonesuch\"");
    assert_eq!(double.queries().await, ["nonesuch(up)"]);
}

#[tokio::test]
async fn a_query_of_hundreds_of_series_is_narrowed_and_says_how() {
    let double = Double::start().await;
    double.vector("count(x)", &[(json!({}), "12345")]).await;
    double.vector("topk(40, x)", &[(json!({"pod": "a"}), "7")]).await;
    double.matrix("topk(40, x)", &[(json!({"pod": "a"}), "2026-01-02T02:30:00Z", &[7.0; 41])]).await;
    for tool in ["prometheus_query", "prometheus_range"] {
        let output = call(&double, tool, json!({"query": "x"})).await.unwrap();
        let note = "narrowed: the query has 12345 series; asked was `topk(40, x)`, the 40 largest at each time; sum by a label, \
                    or match fewer\n";
        assert!(output.content.contains(note) && output.content.contains("pod=\"a\""), "{}", output.content);
    }
    // What is one value, or a few by its own words, is not counted first.
    double.nothing_else().await;
    let before = double.queries().await.len();
    for query in ["sum(x)", "topk(3, x)", "count(up) > 1", "vector(1)"] {
        call(&double, "prometheus_range", json!({"query": query})).await.unwrap();
    }
    assert!(
        !double.queries().await[before..]
            .iter()
            .any(|query| query.starts_with("count(sum") || query.starts_with("count(topk"))
    );
}

#[tokio::test]
async fn targets_are_summed_by_job_and_those_down_say_why() {
    let double = Double::start().await;
    let target = |instance: &str, health: &str, error: &str| {
        json!({"labels": {"job": "cart", "instance": instance}, "scrapePool": "cart", "scrapeUrl": format!("http://{instance}/metrics"),
        "health": health, "lastError": error, "lastScrape": "2026-01-02T03:09:30.5Z"})
    };
    let targets = [target("a:80", "up", ""), target("b:80", "down", "connection refused")];
    double
        .answer("GET", "targets", &[("state", "active")], &json!({"activeTargets": targets, "droppedTargets": []}))
        .await;
    let output = call(&double, "prometheus_status", json!({"of": "targets", "word": "CART"})).await.unwrap();
    assert_eq!(
        output.content,
        "2 targets; up: cart 1 of 2\n\
         down: instance=\"b:80\" job=\"cart\" at http://b:80/metrics, last scraped 30s ago (T+9m30s): connection refused\n"
    );
}

#[tokio::test]
async fn a_server_that_knows_no_targets_is_asked_for_up() {
    let double = Double::start().await;
    let answer = wiremock::ResponseTemplate::new(404).set_body_string("404 page not found");
    let path = wiremock::matchers::path("/api/v1/targets");
    wiremock::Mock::given(path).respond_with(answer).mount(&double.0).await;
    double.vector("up == 0", &[(json!({"__name__": "up", "job": "cart"}), "0")]).await;
    let output = call(&double, "prometheus_status", json!({"of": "targets"})).await.unwrap();
    assert!(output.content.ends_with("those whose metric `up` is 0: 1\nup job=\"cart\" 0\n"), "{}", output.content);
}

#[tokio::test]
async fn active_alerts_are_told_the_newest_first() {
    let double = Double::start().await;
    let alert = |name: &str, at: &str| json!({"labels": {"alertname": name, "namespace": "shop"}, "annotations": {}, "state": "firing", "activeAt": at, "value": "1e+00"});
    let alerts = [alert("Old", "2026-01-02T02:00:00Z"), alert("New", "2026-01-02T03:05:00Z")];
    double.answer("GET", "alerts", &[], &json!({"alerts": alerts})).await;
    let output = call(&double, "prometheus_status", json!({"of": "alerts"})).await.unwrap();
    let lines: Vec<&str> = output.content.lines().collect();
    assert!(lines[0].starts_with("2 active alerts") && lines[1] == "all have namespace=\"shop\"", "{lines:?}");
    assert!(lines[2].contains("alertname=\"New\"") && lines[3].contains("alertname=\"Old\""), "{lines:?}");
}

#[tokio::test]
async fn a_labels_values_are_told_and_only_a_label_is_asked_for() {
    let double = Double::start().await;
    double.answer("GET", "label/pod/values", &[], &json!(["cart-1", "cart-2", "web-1"])).await;
    let output = call(&double, "prometheus_find", json!({"values_of": "pod", "words": "cart"})).await.unwrap();
    assert_eq!(output.content, "2 values\ncart-1\ncart-2\n");
    let error = call(&double, "prometheus_find", json!({"values_of": "../x"})).await.unwrap_err();
    assert!(matches!(error, ToolError::Arguments(_)), "{error}");
}
