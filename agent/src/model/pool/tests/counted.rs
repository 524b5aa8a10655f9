use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::*;

/// The samples of one metric, by their labels.
fn samples(handle: &PrometheusHandle, name: &str) -> Vec<String> {
    let page = handle.render();
    let lines = page.lines().filter_map(|line| line.strip_prefix(name));
    let mut samples: Vec<String> = lines.filter(|line| line.starts_with('{')).map(str::to_owned).collect();
    samples.sort();
    samples
}

#[tokio::test(start_paused = true)]
async fn each_request_is_counted_with_what_became_of_it_and_what_it_cost() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let counted = recorder.handle();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let one_failure = json!({"breaker": {"failures": 1}});
    let (strong, _) = member_with("strong", 32_000, &one_failure, vec![Deed::Hang, down()]);
    let (cheap, _) = member("cheap", vec![Deed::Say("Yes.", 1, 1)]);
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], Some(Period::seconds(5)));
    assert_eq!(samples(&counted, "marple_model_breaker_open"), ["{model=\"cheap\"} 0", "{model=\"strong\"} 0"]);
    for _ in 0..3 {
        ask(&pool).await.0.unwrap();
    }
    assert_eq!(
        samples(&counted, "marple_model_requests_total"),
        [
            "{model=\"cheap\",outcome=\"answered\"} 3",
            "{model=\"strong\",outcome=\"cancelled\"} 1",
            "{model=\"strong\",outcome=\"unavailable\"} 1",
        ]
    );
    assert_eq!(
        samples(&counted, "marple_model_tokens_total"),
        [
            "{model=\"cheap\",kind=\"cached\"} 0",
            "{model=\"cheap\",kind=\"completion\"} 6",
            "{model=\"cheap\",kind=\"prompt\"} 30",
        ]
    );
    let cost = samples(&counted, "marple_model_cost_dollars_total");
    let dollars: f64 = cost[0].strip_prefix("{model=\"cheap\"} ").unwrap().parse().unwrap();
    assert!((dollars - 0.000_036).abs() < 1e-9 && cost.len() == 1, "{cost:?}");
    assert_eq!(samples(&counted, "marple_model_hedges_total"), ["{model=\"cheap\"} 1"]);
    assert_eq!(samples(&counted, "marple_model_in_flight"), ["{model=\"cheap\"} 0", "{model=\"strong\"} 0"]);
    assert_eq!(samples(&counted, "marple_model_breaker_open"), ["{model=\"cheap\"} 0", "{model=\"strong\"} 1"]);
}
