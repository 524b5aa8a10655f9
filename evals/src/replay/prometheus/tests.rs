//! The own evaluation beside a real Prometheus that holds the same samples. Left out where no `prometheus` is on the PATH.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::*;
use crate::case::Suite;

/// Of the suite every so many recordings are looked at: a Prometheus takes a second or two to start.
const EVERY: usize = 7;

/// What an investigation asks, of whatever namespace.
const ASKED: [&str; 14] = [
    r#"kube_pod_container_status_restarts_total{namespace="NS"}"#,
    r#"sum by (pod) (rate(container_cpu_usage_seconds_total{namespace="NS"}[1m]))"#,
    r#"container_memory_working_set_bytes{namespace="NS",container!=""} / 1024"#,
    r#"max_over_time(kube_pod_container_status_ready{namespace="NS"}[5m])"#,
    r#"count by (phase) (kube_pod_status_phase{namespace="NS"} == 1)"#,
    r#"changes(kube_deployment_status_observed_generation{namespace="NS"}[10m])"#,
    r#"topk(2, kube_pod_created{namespace="NS"})"#,
    r#"sum(increase(http_requests_total{namespace="NS"}[2m])) by (pod, code) or vector(0)"#,
    r#"label_replace(up{namespace="NS"}, "x", "$1", "pod", "(.*)-.*")"#,
    r#"absent(kube_deployment_labels{namespace="NS",deployment="nothing"})"#,
    r#"kube_deployment_spec_replicas{namespace="NS"} - on (deployment) kube_deployment_status_replicas_available{namespace="NS"}"#,
    r#"quantile_over_time(0.9, kube_deployment_status_replicas_unavailable{namespace="NS"}[3m:10s])"#,
    r#"avg_over_time(up{namespace="NS"}[1m] offset 30s)"#,
    r#"histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket{namespace="NS"}[2m])))"#,
];

fn program() -> Option<PathBuf> {
    marple_tools::command::installed("prometheus", &std::env::vars().collect())
}

fn server(bundle: &Bundle) -> Server {
    let state = bundle.prometheus.as_ref().unwrap();
    let store = Store::new(&state.series, state.evaluation_interval_ms);
    Server { bundle: Arc::new(bundle.clone()), store, now: bundle.now(), real: None }
}

/// The rows of an answer by their labels.
fn rows(data: &Value) -> BTreeMap<String, Vec<(String, f64)>> {
    let sample = |pair: &Value| {
        let value = pair[1].as_str().map_or("NaN", |text| text).replace("Inf", "inf");
        (pair[0].to_string(), value.parse().unwrap())
    };
    let row = |row: &Value| {
        let labels: BTreeMap<String, Value> = serde_json::from_value(row["metric"].clone()).unwrap();
        let samples = row["values"]
            .as_array()
            .map_or_else(|| vec![sample(&row["value"])], |all| all.iter().map(sample).collect());
        (json!(labels).to_string(), samples)
    };
    match data["resultType"].as_str() {
        Some("scalar") => BTreeMap::from([("scalar".to_owned(), vec![sample(&data["result"])])]),
        _ => data["result"].as_array().unwrap().iter().map(row).collect(),
    }
}

fn alike(ours: &BTreeMap<String, Vec<(String, f64)>>, theirs: &BTreeMap<String, Vec<(String, f64)>>) -> bool {
    // Sums over series are added up in any order.
    let same = |a: f64, b: f64| {
        a.total_cmp(&b).is_eq() || (a.is_nan() && b.is_nan()) || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
    };
    ours.len() == theirs.len()
        && ours.iter().zip(theirs).all(|((labels, samples), (other, others))| {
            labels == other
                && samples.len() == others.len()
                && samples.iter().zip(others).all(|(one, other)| one.0 == other.0 && same(one.1, other.1))
        })
}

fn queries(bundle: &Bundle) -> Vec<String> {
    let rules = &bundle.prometheus.as_ref().unwrap().rules;
    let groups = rules["groups"].as_array().unwrap().iter();
    let rules = groups
        .flat_map(|group| group["rules"].as_array().unwrap())
        .map(|rule| rule["query"].as_str().unwrap().to_owned());
    let asked =
        bundle.manifest.namespaces.iter().flat_map(|namespace| ASKED.map(|query| query.replace("NS", namespace)));
    rules.chain(asked).collect()
}

#[tokio::test]
async fn queries_are_answered_as_a_real_prometheus_answers_them_over_recordings_of_the_suite() {
    let Some(program) = program() else {
        eprintln!("no prometheus is on the PATH: left out");
        return;
    };
    rustls::crypto::ring::default_provider().install_default().ok();
    let suite = Suite::open(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/suite")), None).unwrap();
    let (mut compared, mut found) = (0, 0);
    for case in suite.cases.iter().step_by(EVERY) {
        let bundle = Bundle::read(&case.bundle).unwrap();
        let Some(state) = &bundle.prometheus else { continue };
        let server = server(&bundle);
        let real = Real::new(program.clone());
        let end = bundle.now().as_second();
        for query in queries(&bundle) {
            let asked = [
                ("/api/v1/query", vec![("query", query.clone()), ("time", end.to_string())]),
                ("/api/v1/query", vec![("query", query.clone()), ("time", (end - 157).to_string())]),
                (
                    "/api/v1/query_range",
                    vec![
                        ("query", query.clone()),
                        ("start", (end - 300).to_string()),
                        ("end", end.to_string()),
                        ("step", "7".to_owned()),
                    ],
                ),
            ];
            for (path, parameters) in asked {
                let parameters: Vec<(String, String)> =
                    parameters.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
                let form = reqwest::Url::parse_with_params("http://form/", &parameters).unwrap();
                let question = Parameters::parse(form.query().unwrap(), "");
                let ours = match path {
                    "/api/v1/query" => queries::instant(&server, &question),
                    _ => queries::range(&server, &question),
                };
                let (code, answer) = real.ask(state, path, &parameters).await.unwrap();
                assert!(code.is_success(), "{query}: {answer}");
                let (ours, theirs) = (rows(&ours.unwrap()), rows(&answer["data"]));
                compared += 1;
                found += usize::from(!theirs.is_empty());
                assert!(
                    alike(&ours, &theirs),
                    "{} {path} {query}\n--- here\n{ours:#?}\n--- Prometheus\n{theirs:#?}",
                    case.id
                );
            }
        }
    }
    assert!(compared > 500 && found * 3 > compared, "{found} of {compared} found anything");
}

#[tokio::test]
async fn what_is_not_evaluated_here_is_answered_by_a_real_prometheus_or_refused() {
    let refused = |program: Option<PathBuf>| async move {
        let bundle = Arc::new(crate::demo_bundle().unwrap());
        let cancel = tokio_util::sync::CancellationToken::new();
        let router = router(&bundle, program);
        let listener =
            crate::replay::listener::Listener::open("Prometheus", ([127, 0, 0, 1], 0).into(), router, &cancel)
                .await
                .unwrap();
        let url = format!("{}/api/v1/query?query=limitk(1,%20up)", listener.url());
        let answer: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        cancel.cancel();
        answer
    };
    rustls::crypto::ring::default_provider().install_default().ok();
    let answer = refused(None).await;
    assert_eq!((&answer["status"], &answer["errorType"]), (&json!("error"), &json!("bad_data")), "{answer}");
    let answer = refused(Some(PathBuf::from("/nowhere/prometheus"))).await;
    assert!(answer["error"].as_str().unwrap().contains("run /nowhere/prometheus"), "{answer}");
    if let Some(program) = program() {
        let answer = refused(Some(program)).await;
        assert_eq!(answer["status"], "success", "{answer}");
        assert_eq!(answer["data"]["result"].as_array().unwrap().len(), 1, "{answer}");
    }
}
