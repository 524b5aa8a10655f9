#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::json;
use wiremock::ResponseTemplate;

use super::super::double::{Double, json_answer};
use super::super::{Entry, Level, Pods, Selection, Text};
use super::*;

fn search(wanted: Wanted) -> Search {
    let at = |text: &str| text.parse().unwrap();
    Search { wanted, from: at("2026-01-02T02:45:00Z"), to: at("2026-01-02T03:10:00Z"), limit: 1 }
}

fn fields() -> FieldNames {
    let one = |name: &str| vec![name.to_owned()];
    FieldNames {
        namespace: one("ns"),
        pod: one("pod"),
        container: one("c"),
        level: one("level"),
        message: one("message"),
        time: None,
    }
    .or(&USUAL)
}

#[test]
fn a_selection_is_query_dsl_in_which_texts_are_values() {
    let hostile = "shop\"}},{\"match_all\":{}}";
    let selection = Selection {
        namespace: Some(hostile.to_owned()),
        pods: Pods::of("StatefulSet", "d.b"),
        text: Some(Text::Regex("timed out|refused".to_owned())),
        ..Selection::default()
    };
    let any = |queries: Value| json!({"bool": {"should": queries, "minimum_should_match": 1}});
    let phrase = |words: &str| json!({"multi_match": {"query": words, "type": "phrase", "fields": ["message"], "lenient": true}});
    assert_eq!(
        query::of(&selection, &fields()).unwrap(),
        [
            any(json!([{"term": {"ns": hostile}}, {"term": {"ns.keyword": hostile}}])),
            any(
                json!([{"regexp": {"pod": {"value": "d\\.b-[0-9]+"}}}, {"regexp": {"pod.keyword": {"value": "d\\.b-[0-9]+"}}}])
            ),
            any(json!([phrase("timed out"), phrase("refused")])),
        ]
    );
    let level = query::of(&Selection { level: Some(Level::Error), ..Selection::default() }, &fields()).unwrap();
    assert_eq!(level[0]["bool"]["should"][1]["bool"]["must_not"], json!([{"exists": {"field": "level"}}]));
    let pattern = Selection { text: Some(Text::Regex("a.*b".to_owned())), ..Selection::default() };
    assert!(query::of(&pattern, &fields()).unwrap_err().contains("only alternatives of words"));
}

#[test]
fn a_query_is_read_in_either_language() {
    assert_eq!(query::written(" a:b ").unwrap(), json!({"query_string": {"query": "a:b", "lenient": true}}));
    assert_eq!(query::written("{\"query\": {\"term\": {\"a\": 1}}}").unwrap(), json!({"term": {"a": 1}}));
    assert!(query::written("{a: 1}").unwrap_err().contains("is no JSON"));
}

#[tokio::test]
async fn lines_of_both_ends_come_with_counts_over_time() {
    let double = Double::start().await;
    let hit = |at: &str, text: &str| json!({"_index": "logs-1", "_source": {"@timestamp": at, "message": text, "kubernetes": {"pod": {"name": "db-0"}, "container": {"name": "db"}}}});
    let buckets = json!([{"key_as_string": "x", "key": 1_767_322_800_000_i64, "doc_count": 1}, {"key": 1_767_323_340_000_i64, "doc_count": 40}]);
    let answer = json!({"took": 3, "timed_out": false, "hits": {"total": {"value": 41, "relation": "eq"}, "hits": [hit("2026-01-02T03:09:59.000Z", "last")]}, "aggregations": {"over_time": {"buckets": buckets}}});
    double
        .answer(
            "POST",
            "logs-*/_search",
            &[("ignore_unavailable", "true"), ("allow_no_indices", "true")],
            json_answer(&answer),
        )
        .await;
    let found = double.store("elasticsearch").search(&search(Wanted::Query("db".to_owned()))).await.unwrap();
    let last =
        Entry { at: "2026-01-02T03:09:59Z".parse().unwrap(), source: "db-0/db".to_owned(), line: "last".to_owned() };
    assert_eq!((found.newest, found.oldest), (vec![last], vec![]));
    assert_eq!(found.counts.unwrap().total(), 41);
    let bodies = double.bodies().await;
    let time = json!({"range": {"@timestamp": {"gte": "2026-01-02T02:45:00Z", "lte": "2026-01-02T03:10:00Z", "format": "strict_date_optional_time"}}});
    let filter = json!([time, {"query_string": {"query": "db", "lenient": true}}]);
    assert_eq!(
        bodies[0],
        json!({"size": 1, "track_total_hits": true, "query": {"bool": {"filter": filter}},
            "sort": [{"@timestamp": {"order": "desc", "unmapped_type": "date"}}],
            "aggs": {"over_time": {"date_histogram": {"field": "@timestamp", "fixed_interval": "60s", "min_doc_count": 1}}}})
    );
    assert_eq!(
        (&bodies[1]["size"], &bodies[1]["sort"][0]["@timestamp"]["order"], bodies[1].get("aggs")),
        (&json!(20), &json!("asc"), None)
    );
}

#[tokio::test]
async fn what_it_refuses_is_told_by_its_root_and_half_an_answer_is_none() {
    let cause = json!({"error": {"root_cause": [{"type": "query_shard_exception", "reason": "Failed to parse query [a:(]"}], "reason": "all shards failed"}, "status": 400});
    for (answer, wanted) in [
        (ResponseTemplate::new(400).set_body_json(&cause), "OpenSearch refuses the query: Failed to parse query [a:(]"),
        (ResponseTemplate::new(403).set_body_json(&cause), "refused the login (HTTP 403)"),
        (json_answer(&json!({"timed_out": true, "hits": {"hits": []}})), "gave up in the middle of the search"),
        (json_answer(&json!({"hello": 1})), "doesn't speak the API of OpenSearch"),
    ] {
        let double = Double::start().await;
        double.answer("POST", "logs-*/_search", &[], answer).await;
        let error =
            double.store("opensearch").search(&search(Wanted::Query("a:(".to_owned()))).await.unwrap_err().to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}
