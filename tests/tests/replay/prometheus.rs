//! Prometheus and the replay, asked the same.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use marple_tests::cluster::TestCluster;
use serde_json::{Value, json};

use crate::replaying::Replaying;

/// Asks Prometheus and the replay the queries of all rules and those that investigations ask, and compares.
pub(crate) async fn compare_queries(cluster: &TestCluster, namespace: &str, replay: &Replaying) -> Result<()> {
    let rules: Value = reqwest::get(format!("{}/api/v1/rules", cluster.prometheus_url())).await?.json().await?;
    let groups = rules["data"]["groups"].as_array().context("rules")?.clone();
    let rules = groups.iter().flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default());
    let mut queries: Vec<String> = rules.filter_map(|rule| Some(rule["query"].as_str()?.to_owned())).collect();
    ensure!(queries.len() >= 10, "{queries:?}");
    queries.extend(
        [
            r#"kube_pod_container_status_restarts_total{namespace="NS"}"#,
            r#"sum by (pod) (rate(container_cpu_usage_seconds_total{namespace="NS"}[1m]))"#,
            r#"container_memory_working_set_bytes{namespace="NS",container!=""} / 1024"#,
            r#"max_over_time(kube_pod_container_status_ready{namespace="NS"}[5m])"#,
            r#"count by (phase) (kube_pod_status_phase{namespace="NS"} == 1)"#,
            r#"changes(kube_deployment_status_observed_generation{namespace="NS"}[10m])"#,
            r#"topk(2, kube_pod_created{namespace="NS"})"#,
            r#"sum(increase(http_requests_total{namespace="NS"}[2m])) by (pod) or vector(0)"#,
            r#"label_replace(up{namespace="NS"}, "x", "$1", "pod", "(.*)-.*")"#,
            r#"absent(kube_deployment_labels{namespace="NS",deployment="nothing"})"#,
            r#"kube_deployment_spec_replicas{namespace="NS"} - on (deployment) kube_deployment_status_replicas_available{namespace="NS"}"#,
            r#"quantile_over_time(0.9, kube_deployment_status_replicas_unavailable{namespace="NS"}[3m:10s])"#,
            r#"avg_over_time(up{namespace="NS"}[1m] offset 30s)"#,
        ]
        .map(|query| query.replace("NS", namespace)),
    );
    // The last scrape may have come after the recording had read it.
    let end = replay.recorded_at - 10;
    let mut answered = 0;
    for query in queries {
        let instant = [("query", query.clone()), ("time", end.to_string())];
        let range = [
            ("query", query.clone()),
            ("start", (end - 120).to_string()),
            ("end", end.to_string()),
            ("step", "10".to_owned()),
        ];
        for (path, parameters) in [("query", instant.to_vec()), ("query_range", range.to_vec())] {
            let live = asked(cluster.prometheus_url(), path, &parameters, namespace).await?;
            let replayed = asked(&replay.prometheus, path, &parameters, namespace).await?;
            answered += usize::from(!live.is_empty());
            ensure!(alike(&live, &replayed), "{path} {query}\n--- live\n{live:#?}\n--- replay\n{replayed:#?}");
        }
    }
    ensure!(answered > 14, "only {answered} queries found anything");
    Ok(())
}

/// The rows of an answer by their labels: those of the namespace, and those of none.
async fn asked(
    url: &str,
    path: &str,
    parameters: &[(&str, String)],
    namespace: &str,
) -> Result<BTreeMap<String, Vec<(f64, f64)>>> {
    let mut url = reqwest::Url::parse(&format!("{url}/api/v1/{path}"))?;
    url.query_pairs_mut().extend_pairs(parameters);
    let answer: Value = reqwest::get(url).await?.json().await?;
    ensure!(answer["status"] == json!("success"), "{answer}");
    let rows = answer["data"]["result"].as_array().cloned().unwrap_or_default();
    let sample = |pair: &Value| {
        let value = pair[1].as_str().and_then(|text| text.replace("Inf", "inf").parse().ok()).unwrap_or(f64::NAN);
        (pair[0].as_f64().unwrap_or_default(), value)
    };
    let row = |row: Value| {
        let samples = match row.get("values").and_then(Value::as_array) {
            Some(values) => values.iter().map(sample).collect(),
            None => vec![sample(&row["value"])],
        };
        (row["metric"].to_string(), samples)
    };
    let ours = |row: &Value| row["metric"].get("namespace").is_none_or(|of| of == namespace);
    Ok(rows.into_iter().filter(ours).map(row).collect())
}

fn alike(live: &BTreeMap<String, Vec<(f64, f64)>>, replayed: &BTreeMap<String, Vec<(f64, f64)>>) -> bool {
    // Sums over series are added up in any order.
    let same = |a: f64, b: f64| {
        a.total_cmp(&b).is_eq() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
    };
    live.len() == replayed.len()
        && live.iter().zip(replayed).all(|((labels, samples), (other, others))| {
            labels == other
                && samples.len() == others.len()
                && samples.iter().zip(others).all(|(one, other)| same(one.0, other.0) && same(one.1, other.1))
        })
}
