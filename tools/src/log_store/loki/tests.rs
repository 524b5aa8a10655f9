#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::config::Usual;
use super::super::double::{Double, json_answer};
use super::super::quote::tests::go_unquoted;
use super::super::{Level, Pods, Selection, Text};
use super::*;

fn search(wanted: Wanted) -> Search {
    let at = |text: &str| text.parse().unwrap();
    Search { wanted, from: at("2026-01-02T02:45:00Z"), to: at("2026-01-02T03:10:00Z"), limit: 2 }
}

fn labelled(selection: &Selection, there: &[&str]) -> Result<String, String> {
    let fields = FieldNames::default().or(&USUAL);
    query::of(selection, &Labels::new(&fields, there.iter().map(|name| (*name).to_owned()).collect()))
}

fn shop(pods: Option<Pods>) -> Selection {
    Selection { namespace: Some("shop".to_owned()), pods, ..Selection::default() }
}

#[test]
fn a_selection_is_written_with_the_labels_that_there_are() {
    let all = Selection {
        container: Some("app".to_owned()),
        text: Some(Text::Words("a.b \"c\"".to_owned())),
        ..shop(Pods::of("StatefulSet", "db"))
    };
    assert_eq!(
        labelled(&all, &["namespace", "pod", "container"]).unwrap(),
        r#"{namespace="shop",pod=~"db-[0-9]+",container="app"} |~ "(?i)a\\.b \"c\"""#
    );
    assert_eq!(
        labelled(&shop(Some(Pods::named("db-0"))), &["k8s_namespace_name"]).unwrap(),
        r#"{k8s_namespace_name="shop"} | pod="db-0" or k8s_pod_name="db-0" or kubernetes_pod_name="db-0" or pod_name="db-0""#
    );
    let bad = labelled(&Selection { level: Some(Level::Error), ..shop(None) }, &["namespace"]).unwrap();
    assert!(
        bad.starts_with(r#"{namespace="shop"} |~ "(?i)\\b(error|"#) && bad.contains(r#" !~ "(?i)\\b(level|"#),
        "{bad}"
    );
}

#[test]
fn a_search_without_a_label_is_refused_with_what_there_is() {
    assert_eq!(
        labelled(&shop(None), &["app", "kube_namespace"]).unwrap_err(),
        "Loki has no label for the namespace (namespace, k8s_namespace_name, kubernetes_namespace_name, namespace_name); its labels: \
         app, kube_namespace; `kube_namespace` may be it; set `logs.fields.namespace`, or give `query`"
    );
    assert!(labelled(&Selection::default(), &["namespace"]).unwrap_err().starts_with("give `namespace`"));
}

proptest! {
    #[test]
    fn no_text_becomes_syntax(namespace: String, words: String) {
        let selection = Selection { namespace: Some(namespace.clone()), text: Some(Text::Words(words.clone())), ..Selection::default() };
        let query = labelled(&selection, &["namespace"]).unwrap();
        let (read, rest) = go_unquoted(query.strip_prefix("{namespace=").unwrap()).unwrap();
        prop_assert_eq!(read, namespace);
        let (pattern, end) = go_unquoted(rest.strip_prefix("} |~ ").unwrap()).unwrap();
        prop_assert_eq!(end, "");
        let read = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
        prop_assert!(read.is_match(&words));
    }
}

const QUERY: &str = r#"{namespace="shop",pod="cart-1"}"#;

fn streams(values: &[(&str, &str)]) -> ResponseTemplate {
    let values: Vec<Value> = values.iter().map(|(at, line)| json!([at, line, {}])).collect();
    let stream = json!({"namespace": "shop", "pod": "cart-1", "container": "app"});
    json_answer(
        &json!({"status": "success", "data": {"resultType": "streams", "result": [{"stream": stream, "values": values}]}}),
    )
}

#[tokio::test]
async fn lines_of_both_ends_come_with_counts_over_time() {
    let double = Double::start().await;
    let range = "loki/api/v1/query_range";
    double
        .answer(
            "GET",
            "loki/api/v1/labels",
            &[],
            json_answer(&json!({"status": "success", "data": ["namespace", "pod"]})),
        )
        .await;
    let newest = streams(&[("1767323400000000000", "last"), ("1767323340500000000", "last but one")]);
    double.answer("GET", range, &[("query", QUERY), ("direction", "backward"), ("limit", "2")], newest).await;
    double
        .answer(
            "GET",
            range,
            &[("query", QUERY), ("direction", "forward"), ("limit", "20")],
            streams(&[("1767322800000000000", "first"), ("1767323400000000000", "last")]),
        )
        .await;
    let counting = format!("sum(count_over_time({QUERY} [60s]))");
    let matrix = json!([{"metric": {}, "values": [[1_767_322_860, "1"], [1_767_323_100, "0"], [1_767_323_400, "40"]]}]);
    double
        .answer(
            "GET",
            range,
            &[("query", &counting), ("step", "60s")],
            json_answer(&json!({"status": "success", "data": {"resultType": "matrix", "result": matrix}})),
        )
        .await;
    let found = double.store("loki").search(&search(Wanted::Fitting(shop(Some(Pods::named("cart-1")))))).await.unwrap();
    let lines = |entries: &[Entry]| {
        entries.iter().map(|entry| format!("{} {} {}", entry.at, entry.source, entry.line)).collect::<Vec<_>>()
    };
    assert_eq!(lines(&found.oldest), ["2026-01-02T03:00:00Z cart-1/app first"]);
    assert_eq!(
        lines(&found.newest),
        ["2026-01-02T03:09:00.5Z cart-1/app last but one", "2026-01-02T03:10:00Z cart-1/app last"]
    );
    let each: Vec<String> = found.counts.unwrap().each.iter().map(|(at, count)| format!("{at} {count}")).collect();
    assert_eq!(each, ["2026-01-02T03:00:00Z 1", "2026-01-02T03:09:00Z 40"]);
    assert_eq!(
        double.asked().await,
        [
            "GET loki/api/v1/labels start=1767321900000000000 & end=1767323400000000000".to_owned(),
            format!(
                "GET {range} query={QUERY} & start=1767321900000000000 & end=1767323400000000000 & limit=2 & direction=backward"
            ),
            format!("GET {range} query={counting} & start=1767321960000000000 & end=1767323460000000000 & step=60s"),
            format!(
                "GET {range} query={QUERY} & start=1767321900000000000 & end=1767323400000000000 & limit=20 & direction=forward"
            ),
        ]
    );
}

#[tokio::test]
async fn a_sum_comes_as_rows() {
    let double = Double::start().await;
    let matrix = json!([{"metric": {"pod": "a"}, "values": [[1_767_322_860, "1"], [1_767_322_920, "2"]]}]);
    double
        .answer(
            "GET",
            "loki/api/v1/query_range",
            &[("query", "sum(x)")],
            json_answer(&json!({"status": "success", "data": {"resultType": "matrix", "result": matrix}})),
        )
        .await;
    let found = double.store("loki").search(&search(Wanted::Query(" sum(x)".to_owned()))).await.unwrap();
    assert_eq!((found.rows, found.counts), (vec!["pod=\"a\" 1767322860 1, 1767322920 2".to_owned()], None));
}

#[tokio::test]
async fn each_failure_says_what_to_do() {
    for (answer, wanted) in [
        (
            ResponseTemplate::new(400).set_body_string("parse error at line 1, col 3: syntax error"),
            "Loki refuses the query: parse error at line 1, col 3: syntax error",
        ),
        (ResponseTemplate::new(401), "refused the login (HTTP 401); check `logs.endpoint.auth`"),
        (
            ResponseTemplate::new(429).insert_header("retry-after", "7"),
            "takes no more requests now (HTTP 429, wait 7 s)",
        ),
        (
            ResponseTemplate::new(500).set_body_string("context deadline exceeded"),
            "failed (HTTP 500): context deadline exceeded",
        ),
        (
            ResponseTemplate::new(200).set_body_raw("<html>log in</html>", "text/html"),
            "doesn't speak the API of Loki: it answers in text/html",
        ),
        (
            ResponseTemplate::new(200).set_body_raw("{\"data\": {\"resultType\": \"str", "application/json"),
            "doesn't speak the API of Loki",
        ),
        (
            ResponseTemplate::new(200).set_delay(std::time::Duration::from_secs(9)),
            "gave no answer in 1 s; ask for a shorter time",
        ),
    ] {
        let double = Double::start().await;
        double.answer("GET", "loki/api/v1/query_range", &[], answer).await;
        let error =
            double.store("loki").search(&search(Wanted::Query("{a=\"b\"".to_owned()))).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[test]
fn the_usual_names_leave_room_for_ones_own() {
    let usual = Usual { namespace: &["a"], pod: &["b"], container: &["c"], level: &[], message: &[] };
    let set = FieldNames { pod: vec!["mine".to_owned()], ..FieldNames::default() }.or(&usual);
    assert_eq!((set.namespace, set.pod), (vec!["a".to_owned()], vec!["mine".to_owned()]));
}
