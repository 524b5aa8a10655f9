#![allow(clippy::unwrap_used, missing_docs)]

use proptest::prelude::*;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::super::double::{Double, json_answer};
use super::super::quote::tests::go_unquoted;
use super::super::{Level, Pods, Selection, Text};
use super::*;

fn search(wanted: Wanted) -> Search {
    let at = |text: &str| text.parse().unwrap();
    Search { wanted, from: at("2026-01-02T02:45:00Z"), to: at("2026-01-02T03:10:00Z"), limit: 2 }
}

fn fields() -> FieldNames {
    let one = |name: &str| vec![name.to_owned()];
    FieldNames { namespace: one("ns"), pod: one("pod"), container: one("c"), ..FieldNames::default() }.or(&USUAL)
}

#[test]
fn a_selection_is_written_in_logsql() {
    let all = Selection {
        namespace: Some("shop".to_owned()),
        pods: Pods::of("StatefulSet", "db"),
        container: Some("app".to_owned()),
        text: Some(Text::Regex("time(out|r)".to_owned())),
        level: None,
    };
    assert_eq!(
        query::of(&all, &fields()),
        r#""ns":="shop" "pod":~"^(db-[0-9]+)$" "c":="app" "_msg":~"(?i)time(out|r)""#
    );
    assert_eq!(query::of(&Selection::default(), &fields()), "*");
    let usual = query::of(
        &Selection { pods: Some(Pods::named("db-0")), ..Selection::default() },
        &FieldNames::default().or(&USUAL),
    );
    assert_eq!(usual, r#"("kubernetes.pod_name":="db-0" or "k8s.pod.name":="db-0" or "pod":="db-0")"#);
    let bad = query::of(&Selection { level: Some(Level::Warn), ..Selection::default() }, &fields());
    assert!(
        bad.starts_with(r#"(("level":~"(?i)^(error|"#) && bad.contains(r#"or ("level":"" "severity":"" "_msg":~"#),
        "{bad}"
    );
}

proptest! {
    #[test]
    fn no_text_becomes_syntax(namespace: String) {
        let query = query::of(&Selection { namespace: Some(namespace.clone()), ..Selection::default() }, &fields());
        prop_assert_eq!(go_unquoted(query.strip_prefix("\"ns\":=").unwrap()), Some((namespace, "")));
    }
}

#[tokio::test]
async fn lines_of_both_ends_come_with_counts_over_time() {
    let double = Double::start().await;
    let query = r#"("kubernetes.pod_name":="db-0" or "k8s.pod.name":="db-0" or "pod":="db-0")"#;
    let hits = json!({"hits": [{"fields": {}, "timestamps": ["2026-01-02T03:09:00Z", "2026-01-02T03:00:00Z"], "values": [40, 1], "total": 41}]});
    double.answer("POST", "select/logsql/hits", &[("query", query), ("step", "60s")], json_answer(&hits)).await;
    let line = |at: &str, text: &str| {
        json!({"_time": at, "_msg": text, "_stream": "{}", "kubernetes.pod_name": "db-0", "kubernetes.container_name": "db"}).to_string()
    };
    let newest = [line("2026-01-02T03:09:59Z", "last"), line("2026-01-02T03:09:58.5Z", "last but one")].join("\n");
    let of = |order: &str| format!("{query} | sort by (_time){order}");
    double
        .answer(
            "POST",
            "select/logsql/query",
            &[("query", &of(" desc limit 2"))],
            ResponseTemplate::new(200).set_body_string(newest),
        )
        .await;
    double
        .answer(
            "POST",
            "select/logsql/query",
            &[("query", &of(" limit 20"))],
            ResponseTemplate::new(200).set_body_string(line("2026-01-02T03:00:01Z", "first") + "\n"),
        )
        .await;
    let selection = Selection { pods: Some(Pods::named("db-0")), ..Selection::default() };
    let found = double.store("victoria_logs").search(&search(Wanted::Fitting(selection))).await.unwrap();
    let lines: Vec<String> = found
        .oldest
        .iter()
        .chain(&found.newest)
        .map(|entry| format!("{} {} {}", entry.at, entry.source, entry.line))
        .collect();
    assert_eq!(
        lines,
        [
            "2026-01-02T03:00:01Z db-0/db first",
            "2026-01-02T03:09:58.5Z db-0/db last but one",
            "2026-01-02T03:09:59Z db-0/db last"
        ]
    );
    assert_eq!(found.counts.unwrap().each.iter().map(|(_, count)| *count).collect::<Vec<_>>(), [1, 40]);
    let asked = double.asked().await;
    let times = "start=2026-01-02T02:45:00Z & end=2026-01-02T03:10:00Z";
    assert_eq!(asked[0], format!("POST select/logsql/hits query={query} & {times} & step=60s"));
    assert_eq!(asked[1], format!("POST select/logsql/query query={} & {times}", of(" desc limit 2")));
    assert_eq!(asked.len(), 3);
}

#[tokio::test]
async fn what_a_pipe_makes_comes_as_rows_and_a_wrong_query_as_its_fault() {
    let double = Double::start().await;
    double
        .answer(
            "POST",
            "select/logsql/query",
            &[("query", "* | stats count() n")],
            ResponseTemplate::new(200).set_body_string("{\"n\":\"3\"}\n"),
        )
        .await;
    let found =
        double.store("victoria_logs").search(&search(Wanted::Query("* | stats count() n".to_owned()))).await.unwrap();
    assert_eq!(found.rows, ["{\"n\":\"3\"}"]);
    let wrong = ResponseTemplate::new(400).set_body_string("cannot parse query [a:]: missing word");
    double.answer("POST", "select/logsql/hits", &[("query", "a:")], wrong).await;
    let error = double.store("victoria_logs").search(&search(Wanted::Query("a:".to_owned()))).await.unwrap_err();
    assert!(
        matches!(&error, LogStoreError::Query(text) if text == "VictoriaLogs refuses the query: cannot parse query [a:]: missing word"),
        "{error}"
    );
    double.answer("POST", "select/logsql/hits", &[("query", "b")], json_answer(&json!({"hits": []}))).await;
    assert_eq!(double.store("victoria_logs").search(&search(Wanted::Query("b".to_owned()))).await.unwrap().newest, []);
}
