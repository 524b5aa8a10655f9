//! Silences at an Alertmanager that answers from a script.

use super::*;

#[tokio::test]
async fn a_silence_shows_what_it_hides_and_is_set_once() {
    let server = MockServer::start().await;
    let config: ActConfig = serde_json::from_value(
        json!({"enabled": ["silence"], "alertmanager": {"url": server.uri(), "token": "t0ken"}}),
    )
    .unwrap();
    let tool = &tools(&config, None).unwrap()[0];
    let get = |at: &str| Mock::given(method("GET")).and(path(at)).and(header("authorization", "Bearer t0ken"));
    get("/api/v2/silences").respond_with(ResponseTemplate::new(200).set_body_json(json!([]))).mount(&server).await;
    let alerts = json!([{"labels": {"alertname": "Down", "pod": "cart-1"}}]);
    get("/api/v2/alerts")
        .and(query_param("filter", "alertname=\"Down\""))
        .and(query_param("silenced", "false"))
        .respond_with(ResponseTemplate::new(200).set_body_json(alerts))
        .mount(&server)
        .await;
    let body = json!({"matchers": [{"name": "alertname", "value": "Down", "isRegex": false, "isEqual": true}],
        "startsAt": "2026-01-02T03:04:05Z", "endsAt": "2026-01-02T05:04:05Z", "createdBy": "marple, approved by ann", "comment": "known"});
    let set = Mock::given(method("POST")).and(path("/api/v2/silences")).and(body_json(body));
    set.respond_with(ResponseTemplate::new(200).set_body_json(json!({"silenceID": "s1"})))
        .expect(1)
        .mount(&server)
        .await;
    let arguments = json!({"matchers": ["alertname=Down"], "duration": "2h", "comment": "known"});
    let plan = tool.plan(arguments, &look()).await.unwrap().unwrap();
    assert_eq!(
        plan.preview().diff,
        "+ silence {alertname=\"Down\"} for 2h: known\nhides 1 alert that fires now:\n- alertname=\"Down\" pod=\"cart-1\"\n"
    );
    let done = plan.carry_out("ann", &look()).await.unwrap();
    assert!(done.content.starts_with("Done: silence s1 until 2026-01-02T05:04:05Z.\n"), "{}", done.content);
    for (matchers, duration, wanted) in [
        (json!(["severity!=info"]), "2h", "these matchers would silence everything"),
        (json!(["alertname=Down"]), "3d", "3d is no time to silence for: from 1m to 1d"),
        (json!(["alertname"]), "2h", "\"alertname\" is no matcher"),
    ] {
        let wrong = json!({"matchers": matchers, "duration": duration, "comment": "c"});
        let error = tool.plan(wrong, &look()).await.err().unwrap().to_string();
        assert!(error.contains(wanted), "{error}");
    }
}
