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
    let (coverage, cancel) = (coverage::of(bundle), CancellationToken::new());
    Server { bundle: Arc::new(bundle.clone()), store, coverage, now: bundle.now(), real: None, cancel }
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
        let real = Real::new(RealPrometheus { program: program.clone(), first: false });
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
        let real = program.map(|program| RealPrometheus { program, first: false });
        let router = router(&bundle, real, &cancel);
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

/// A replay of a bundle, and what it answers to a query.
struct Asked {
    listener: crate::replay::listener::Listener,
    cancel: CancellationToken,
}

impl Asked {
    async fn of(bundle: Bundle, real: Option<RealPrometheus>) -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let cancel = CancellationToken::new();
        let router = router(&Arc::new(bundle), real, &cancel);
        let address = ([127, 0, 0, 1], 0).into();
        let listener = crate::replay::listener::Listener::open("Prometheus", address, router, &cancel).await.unwrap();
        Self { listener, cancel }
    }

    /// Who evaluated it, and the answer.
    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> (String, Value) {
        let url = reqwest::Url::parse_with_params(&format!("{}{path}", self.listener.url()), parameters).unwrap();
        let answer = reqwest::get(url).await.unwrap();
        let by = answer.headers().get("marple-evaluated-by").map_or("", |by| by.to_str().unwrap()).to_owned();
        (by, answer.json().await.unwrap())
    }

    async fn instant(&self, query: &str) -> Value {
        self.ask("/api/v1/query", &[("query", query)]).await.1
    }
}

/// A cluster of two namespaces of which one was recorded, from ten minutes before 2026-01-01T01:00.
fn two_namespaces() -> Bundle {
    let mut bundle = crate::demo_bundle().unwrap();
    bundle.manifest.since = "2026-01-01T00:50:00Z".parse().unwrap();
    bundle.manifest.recorded_at = "2026-01-01T01:00:00Z".parse().unwrap();
    bundle.manifest.namespaces = ["shop".to_owned()].into();
    bundle.manifest.omissions.clear();
    let end = bundle.manifest.recorded_at.as_millisecond();
    let state = bundle.prometheus.as_mut().unwrap();
    let series = |labels: &[(&str, &str)]| crate::bundle::Series {
        labels: Arc::new(labels.iter().copied().collect()),
        samples: Arc::new((0..=30).rev().map(|n| crate::bundle::Sample { at: end - n * 30_000, value: 1.0 }).collect()),
    };
    state.series = vec![
        series(&[("__name__", "nodes"), ("node", "n1")]),
        series(&[("__name__", "pods"), ("namespace", "shop")]),
        series(&[("__name__", "up"), ("namespace", "monitoring")]),
    ];
    state.whole = Some("up".to_owned());
    state.histograms = vec![[("__name__", "took"), ("namespace", "shop")].into_iter().collect()];
    bundle
}

#[tokio::test]
async fn what_reaches_back_before_the_recording_is_told_and_what_is_before_it_is_refused() {
    let asked = Asked::of(two_namespaces(), None).await;
    let from = "2026-01-01T00:45:00Z";
    assert_eq!(asked.instant("sum(rate(nodes[5m]))").await.get("warnings"), None);
    for query in ["sum_over_time(nodes[1h])", "max_over_time(nodes[30m:1m])", "avg_over_time(nodes[5m] offset 12m)"] {
        let answer = asked.instant(query).await;
        let told = answer["warnings"][0].as_str().unwrap_or_default();
        assert!(told.contains(from) && told.contains("is not counted"), "{query}: {answer}");
    }
    for query in ["nodes offset 1h", "absent(nodes @ 1767222000)", "rate(nodes[5m] offset 1d)"] {
        let answer = asked.instant(query).await;
        let why = answer["error"].as_str().unwrap_or_default();
        assert!(answer["errorType"] == "execution" && why.contains(from), "{query}: {answer}");
    }
    let parameters = [("query", "absent(nodes)"), ("start", "1767222000"), ("end", "1767229200"), ("step", "60")];
    let (_, answer) = asked.ask("/api/v1/query_range", &parameters).await;
    assert_eq!(answer["data"]["result"], json!([]), "nothing is absent that is not known: {answer}");
    assert!(answer["warnings"][0].as_str().unwrap().contains("points before it are left out"), "{answer}");
    asked.cancel.cancel();
}

#[tokio::test]
async fn sums_over_namespaces_that_were_not_recorded_and_series_that_were_cut_are_told() {
    let mut bundle = two_namespaces();
    let asked = Asked::of(bundle.clone(), None).await;
    for query in ["sum(pods)", "count(elsewhere)", "absent(elsewhere)", "topk by (node) (1, pods)"] {
        let answer = asked.instant(query).await;
        let told = answer["warnings"][0].as_str().unwrap_or_default();
        assert!(told.contains("is recorded of the namespaces shop alone"), "{query}: {answer}");
    }
    for query in ["sum by (namespace) (pods)", "sum(pods{namespace=\"shop\"})", "sum(up)", "sum(nodes)", "pods"] {
        assert_eq!(asked.instant(query).await.get("warnings"), None, "{query}");
    }
    asked.cancel.cancel();
    let cut = crate::bundle::Omission { what: "metrics".to_owned(), why: "there are more than 2 series".to_owned() };
    bundle.manifest.omissions.push(cut);
    let asked = Asked::of(bundle, None).await;
    let answer = asked.instant("nodes").await;
    assert_eq!(answer["warnings"], json!(["not all series were recorded: there are more than 2 series"]));
    assert_eq!(asked.instant("vector(1)").await.get("warnings"), None);
    asked.cancel.cancel();
}

#[tokio::test]
async fn a_selector_that_would_find_native_histograms_is_refused() {
    let asked = Asked::of(two_namespaces(), None).await;
    for query in ["took", "sum(rate({__name__=~\"to.+\"}[5m]))", "histogram_count(took{namespace=\"shop\"})"] {
        let answer = asked.instant(query).await;
        assert!(answer["error"].as_str().unwrap_or_default().contains("native histograms"), "{query}: {answer}");
    }
    assert_eq!(asked.instant("took{namespace=\"till\"}").await["status"], "success");
    asked.cancel.cancel();
}

#[tokio::test]
async fn a_real_prometheus_answers_from_when_it_is_ready_and_ours_until_then() {
    let Some(program) = program() else {
        eprintln!("no prometheus is on the PATH: left out");
        return;
    };
    let asked = Asked::of(two_namespaces(), Some(RealPrometheus { program, first: true })).await;
    let (by, ours) = asked.ask("/api/v1/query", &[("query", "sum(pods)")]).await;
    assert_eq!(by, "marple", "nobody waits for it");
    let becomes_ready = async {
        loop {
            let (by, answer) = asked.ask("/api/v1/query", &[("query", "sum(pods)")]).await;
            if by == "prometheus" {
                break answer;
            }
            tokio::task::yield_now().await;
        }
    };
    let real = tokio::time::timeout(std::time::Duration::from_mins(1), becomes_ready).await.unwrap();
    assert_eq!((&real["data"], &real["warnings"]), (&ours["data"], &ours["warnings"]));
    asked.cancel.cancel();
    let nowhere = RealPrometheus { program: "/nowhere/prometheus".into(), first: true };
    let asked = Asked::of(two_namespaces(), Some(nowhere)).await;
    for _ in 0..3 {
        assert_eq!(asked.ask("/api/v1/query", &[("query", "nodes")]).await.0, "marple");
    }
    asked.cancel.cancel();
}
