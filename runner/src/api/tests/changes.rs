//! The change history over HTTP.

use serde_json::{Value, json};

use super::*;

fn batch(cluster: &str, password: &str) -> Value {
    let object = json!({"kind": "ConfigMap", "namespace": "shop", "name": "settings"});
    let change = json!({"cluster": cluster, "object": object, "uid": "u", "version": "7", "at": Timestamp::now(),
        "kind": "altered", "by": {"manager": "kubectl-edit"}, "fields": [{"path": "data.timeout", "before": "5s", "after": "50ms"},
            {"path": "data.db_password", "before": "first-hunter22x", "after": password}]});
    let state = json!({"format": 1, "object": object, "uid": "u", "version": "7",
        "fields": [{"path": "data.db_password", "digest": 7, "text": password}]});
    json!({"cluster": cluster, "entries": [{"object": object, "changes": [change], "state": state}],
        "listed": [{"kind": "ConfigMap", "at": "2026-01-02T03:04:05Z"}]})
}

#[tokio::test]
async fn changes_are_stored_before_they_are_answered_once_and_without_their_secrets() {
    let (server, state) = server_and_state().await;
    state.renew(crate::api::Live::of(Some(&Secret::new(TOKEN)), redact(), "test", false));
    let body = batch("test", "second-hunter33x").to_string();
    let answer = server.ask("POST", "/api/changes", &body).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"accepted": 1, "duplicate": 0})));
    let again = server.ask("POST", "/api/changes", &body).await;
    assert_eq!((again.status, again.json()), (200, json!({"accepted": 0, "duplicate": 1})));

    let listed = server.ask("GET", "/api/changes?namespace=shop", "").await;
    let change = &listed.json()["changes"][0];
    assert_eq!(change["fields"][0], json!({"path": "data.timeout", "before": "5s", "after": "50ms"}));
    assert_eq!(
        server.ask("GET", "/api/changes?namespace=till", "").await.json(),
        json!({"changes": [], "more": false})
    );
    let kept = server.ask("GET", "/api/changes/kept?cluster=test&kind=ConfigMap", "").await;
    assert_eq!(kept.json()["listed_at"], "2026-01-02T03:04:05Z");
    assert_eq!(kept.json()["states"][0]["fields"][0]["digest"], 7, "it is compared by that");
    for text in [&listed.body, &kept.body] {
        assert!(!text.contains("hunter"), "{text}");
    }
}

#[tokio::test]
async fn a_delivery_that_was_taken_in_is_dropped_with_its_states_and_one_without_a_right_number_is_refused() {
    let server = server().await;
    let post = async |number: &str, batch: Value| {
        let body = batch.to_string();
        let head = format!(
            "POST /api/changes HTTP/1.1\r\nHost: marple\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
             Marple-Delivery: {number}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        server.raw(head.as_bytes()).await
    };
    let stream = "0199aaaa-0000-7000-8000-000000000001";
    let reached = json!({"kind": "ConfigMap", "namespace": "", "form": "f", "version": "7"});
    let mut first = batch("test", "x");
    first["reached"] = json!([reached]);
    assert_eq!(post(&format!("{stream}/2"), first.clone()).await.json(), json!({"accepted": 1, "duplicate": 0}));
    let mut late = batch("test", "y");
    late["entries"][0]["state"]["version"] = json!("6");
    for number in [1, 2] {
        let answer = post(&format!("{stream}/{number}"), late.clone()).await;
        assert_eq!((answer.status, answer.json()), (200, json!({"accepted": 0, "duplicate": 1})));
    }
    let kept = server.ask("GET", "/api/changes/kept?cluster=test&kind=ConfigMap", "").await.json();
    assert_eq!((&kept["states"][0]["version"], &kept["reached"]), (&json!("7"), &json!([reached])));
    let answer = post("7", first).await;
    assert_eq!(answer.status, 400);
    assert!(answer.body.contains("marple-delivery is a stream's UUID, `/` and a number"), "{}", answer.body);
}

#[tokio::test]
async fn changes_of_another_cluster_are_kept_apart() {
    let (server, state) = server_and_state().await;
    state.renew(crate::api::Live::of(Some(&Secret::new(TOKEN)), redact(), "test", false));
    server.ask("POST", "/api/changes", &batch("other", "x").to_string()).await;
    assert_eq!(
        server.ask("GET", "/api/changes?namespace=shop", "").await.json(),
        json!({"changes": [], "more": false})
    );
    let kept = server.ask("GET", "/api/changes/kept?cluster=test&kind=ConfigMap", "").await.json();
    assert_eq!(kept, json!({"states": [], "listed_at": null, "reached": []}));
}

#[tokio::test]
async fn changes_without_the_token_or_in_another_form_are_refused_by_where_they_are_wrong() {
    let server = server().await;
    let request = "POST /api/changes HTTP/1.1\r\nHost: marple\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(server.raw(request.as_bytes()).await.status, 401);
    let wrong = server.ask("POST", "/api/changes", r#"{"cluster": "test", "entries": [{"object": 1}]}"#).await;
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["pointer"], "/entries/0/object", "{}", wrong.body);
    assert_eq!(server.ask("GET", "/api/changes/kept?kind=ConfigMap", "").await.status, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_for_which_there_is_no_room_are_refused_and_taken_later() {
    let (server, state) = server_and_state().await;
    let release = server.store.hold();
    let value = "x".repeat(3 << 20);
    let body = |name: &str| {
        let mut batch = batch("test", &value);
        batch["entries"][0]["object"]["name"] = json!(name);
        batch["entries"][0]["changes"][0]["object"]["name"] = json!(name);
        batch["entries"][0]["changes"][0]["uid"] = json!(name);
        batch.to_string()
    };
    // Two that wait for the writer take the room; the next is told so at once, before its body is read.
    let waiting = ["0", "1"].map(|name| {
        let (address, body) = (server.address, body(name));
        tokio::spawn(async move { ask(address, "POST", "/api/changes", &body).await })
    });
    let head = format!(
        "POST /api/changes HTTP/1.1\r\nHost: marple\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
         Content-Length: {}\r\n\r\n",
        body("2").len()
    );
    let taken = async {
        while state.bodies.available_permits() >= body("2").len() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), taken).await.unwrap();
    let refused = raw(server.address, head.as_bytes()).await;
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert!(refused.head.to_ascii_lowercase().contains("retry-after: "), "{}", refused.head);
    release.send(()).unwrap();
    for asked in waiting {
        assert_eq!(asked.await.unwrap().json(), json!({"accepted": 1, "duplicate": 0}));
    }
    let again = server.ask("POST", "/api/changes", &body("again")).await;
    assert_eq!((again.status, again.json()), (200, json!({"accepted": 1, "duplicate": 0})));
}
