//! What Robusta's forwarder sends is judged and kept as what the own one sees. Needs no cluster.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use anyhow::Result;
use marple_tests::program::{Program, TOKEN, client};
use serde_json::{Value, json};

/// A payload as it sends it.
fn payload(operation: &str, kind: &str, object: &Value, before: &Value) -> Value {
    json!({
        "specversion": "1.0", "type": "KUBERNETES_TOPOLOGY_CHANGE", "source": "https://github.com/aantn/kubewatch",
        "id": "8d0b1c1e", "time": "2026-01-01T10:00:00Z", "datacontenttype": "application/json",
        "data": {"operation": operation, "kind": kind, "apiVersion": "v1", "clusterUid": "u", "description": "",
            "obj": object, "oldObj": before},
    })
}

fn map(version: u32, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"timeout": value, "password": "hunter2-of-the-shop"},
        "metadata": {"name": "settings", "namespace": "shop", "uid": "m", "resourceVersion": version.to_string(),
            "creationTimestamp": "2026-01-01T00:00:00Z"}})
}

async fn hand(program: &Program, payload: &Value) -> Result<(u16, Value)> {
    // As a sender does that has its login in the URL.
    let request = client().post(program.url("/api/handle")).basic_auth("any", Some(TOKEN)).json(payload);
    let answer = request.send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_robustas_forwarder_sends_becomes_signals_incidents_and_changes() -> Result<()> {
    let configuration = "cluster: { name: test, enabled: false }\nforwarder: { enabled: false }";
    let mut program = Program::serve(configuration, &[]).await?;
    let pod = json!({"metadata": {"name": "cart-1", "namespace": "shop", "uid": "u", "resourceVersion": "5"},
        "spec": {"containers": [{"name": "app"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "ready": false, "restartCount": 7,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}}, "lastState": {"terminated": {"exitCode": 1}}}]}});
    let success = (200, json!({"success": true}));
    assert_eq!(hand(&program, &payload("update", "Pod", &pod, &json!({}))).await?, success);
    assert_eq!(hand(&program, &payload("update", "ConfigMap", &map(8, "50ms"), &map(7, "5s"))).await?, success);
    let held = program.get("/api/signals").await?;
    assert_eq!(held[0]["name"], "PodCrashLooping", "{held:#}");
    let changes = program.get("/api/changes?namespace=shop").await?;
    let fields = &changes["changes"][0]["fields"];
    assert_eq!(fields[0], json!({"path": "data.timeout", "before": "5s", "after": "50ms"}), "{changes:#}");
    let kept = program.get("/api/changes/kept?cluster=test&kind=ConfigMap").await?;
    assert!(!kept.to_string().contains("hunter2"), "{kept:#}");

    let (status, refused) = hand(&program, &payload("patch", "Pod", &pod, &json!({}))).await?;
    assert_eq!((status, &refused["pointer"]), (400, &json!("/data/operation")), "{refused:#}");
    let unknown = client().post(program.url("/api/handle")).basic_auth("any", Some("wrong")).json(&json!({}));
    assert_eq!(unknown.send().await?.status().as_u16(), 401);
    // Another start goes on from what is held.
    program.kill().await?;
    program.start().await?;
    let mut mended = pod.clone();
    mended["status"]["containerStatuses"][0]["state"] = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}});
    assert_eq!(hand(&program, &payload("delete", "Pod", &mended, &json!({}))).await?, success);
    let held = program.get("/api/signals").await?;
    assert_eq!(held, json!([]));
    program.stop().await
}

/// A pod that was made long ago, and whose image can be got or has no name that any could have.
fn pulling(image: bool) -> Value {
    let state = if image {
        json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}})
    } else {
        json!({"waiting": {"reason": "InvalidImageName", "message": "no such image"}})
    };
    json!({"metadata": {"name": "cart-1", "namespace": "shop", "uid": "u", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"containers": [{"name": "app"}]},
        "status": {"phase": "Running", "containerStatuses": [{"name": "app", "state": state}]}})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_condition_that_comes_back_after_a_restart_is_told_no_oftener_than_its_rate_limit_allows() -> Result<()> {
    let configuration = "cluster: { name: test, enabled: false }\nforwarder: { enabled: false }";
    let mut program = Program::serve(configuration, &[]).await?;
    let see = async |program: &Program, image: bool| {
        let answer = hand(program, &payload("update", "Pod", &pulling(image), &json!({}))).await?;
        assert_eq!(answer, (200, json!({"success": true})));
        anyhow::Ok(program.get("/api/signals").await?.as_array().map(Vec::len))
    };
    assert_eq!((see(&program, false).await?, see(&program, true).await?), (Some(1), Some(0)));
    program.kill().await?;
    program.start().await?;
    assert_eq!(see(&program, false).await?, Some(0), "it was told seconds ago");
    // The next of its name is another.
    let answer = hand(&program, &payload("delete", "Pod", &pulling(false), &json!({}))).await?;
    assert_eq!(answer.0, 200);
    assert_eq!(see(&program, false).await?, Some(1));
    program.stop().await
}
