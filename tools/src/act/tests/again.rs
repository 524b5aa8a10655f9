//! The same call, planned again: as after a restart of the program.

use super::*;
use crate::Preview;

fn at(time: &str) -> Look {
    Look { now: time.parse().unwrap(), ..look() }
}

async fn planned(tool: &dyn crate::Tool, arguments: &Value, time: &str) -> Preview {
    tool.plan(arguments.clone(), &at(time)).await.unwrap().unwrap().preview().clone()
}

#[tokio::test]
async fn a_restart_is_the_same_at_another_time_and_another_one_of_another_object() {
    let at = "/apis/apps/v1/namespaces/shop/deployments/cart";
    let cart = |image: &str| {
        json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "cart", "namespace": "shop", "uid": "u1",
            "resourceVersion": "5"}, "spec": {"template": {"metadata": {"labels": {"app": "cart"}},
            "spec": {"a": 1, "b": 2, "c": 3, "containers": [{"image": image}]}}}})
    };
    let config = ActConfig { enabled: vec![Act::Restart], ..ActConfig::default() };
    let arguments = json!({"kind": "Deployment", "namespace": "shop", "name": "cart"});
    let preview = async |image: &'static str, time: &str| {
        let double = Double::start().await;
        double.answer(at, 200, &cart(image)).await;
        let mock = Mock::given(method("PATCH")).and(path(at)).and(query_param("dryRun", "All"));
        mock.respond_with(move |request: &wiremock::Request| {
            let edit: Value = request.body_json().unwrap();
            let mut after = cart(image);
            after["spec"]["template"]["metadata"]["annotations"] =
                edit["spec"]["template"]["metadata"]["annotations"].clone();
            ResponseTemplate::new(200).set_body_json(after)
        })
        .mount(&double.0)
        .await;
        let tools = tools(&config, Some(&double.cluster())).unwrap();
        planned(tools[0].as_ref(), &arguments, time).await
    };
    let first = preview("cart:1", "2026-01-02T03:04:05Z").await;
    assert!(
        first.diff.contains("+        kubectl.kubernetes.io/restartedAt: the time of the restart"),
        "{}",
        first.diff
    );
    assert_eq!(preview("cart:1", "2026-01-02T04:00:00Z").await, first);
    let other = preview("cart:2", "2026-01-02T04:00:00Z").await;
    assert_eq!(other.diff, first.diff, "the image is not near what changes");
    assert_ne!(other.basis, first.basis, "another object would be restarted");
}

#[tokio::test]
async fn a_silence_is_the_same_at_another_time_and_another_one_where_it_hides_something_else() {
    let arguments = |duration: &str| json!({"matchers": ["alertname=Down"], "duration": duration, "comment": "known"});
    let preview = async |pods: &[&str], duration: &str, time: &str| {
        let server = MockServer::start().await;
        let config: ActConfig =
            serde_json::from_value(json!({"enabled": ["silence"], "alertmanager": {"url": server.uri()}})).unwrap();
        let alerts: Vec<Value> = pods.iter().map(|pod| json!({"labels": {"alertname": "Down", "pod": pod}})).collect();
        for (at, answer) in [("/api/v2/silences", json!([])), ("/api/v2/alerts", json!(alerts))] {
            let get = Mock::given(method("GET")).and(path(at));
            get.respond_with(ResponseTemplate::new(200).set_body_json(answer)).mount(&server).await;
        }
        planned(tools(&config, None).unwrap()[0].as_ref(), &arguments(duration), time).await
    };
    let first = preview(&["a", "b"], "2h", "2026-01-02T03:04:05Z").await;
    assert_eq!(preview(&["b", "a"], "2h", "2026-01-02T03:10:00Z").await, first);
    for (pods, duration) in [(&["a", "c"][..], "2h"), (&["a", "b"], "3h")] {
        assert_ne!(preview(pods, duration, "2026-01-02T03:10:00Z").await.basis, first.basis);
    }
}
