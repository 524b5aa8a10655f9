//! Calls that need a person's word, over HolmesGPT's wire.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use axum::routing::get;
use axum::{Json, Router};
use k8s_openapi::api::apps::v1::Deployment;
use marple_tests::cluster::{Namespace, TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::model::{KEY, MODEL, ModelDouble, Reply};
use marple_tests::program::{APPROVER, Program, TOKEN, client};
use serde_json::{Value, json};

/// Nothing of it ever runs.
const OBJECTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart }
spec:
  replicas: 0
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec:
      nodeSelector: { nowhere: "true" }
      containers: [{ name: app, image: "none.invalid/none:1" }]
"#;

async fn ask(program: &Program, token: &str, body: &Value) -> Result<(u16, Value)> {
    let request = client().post(program.url("/api/chat")).timeout(Duration::from_secs(40)).header("x-api-key", token);
    let answer = request.json(body).send().await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

async fn program(cluster: &TestCluster, model: &ModelDouble) -> Result<Program> {
    acting(cluster, model, "{ enabled: [scale, restart] }").await
}

async fn acting(cluster: &TestCluster, model: &ModelDouble, act: &str) -> Result<Program> {
    Program::serve_approving(&format!(
        "cluster: {{ context: {} }}\nforwarder: {{ enabled: false }}\nact: {act}\n\
         model: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\" }}\n",
        cluster.context(),
        model.url
    ))
    .await
}

/// An Alertmanager with one alert; keeps what silences are set.
async fn alertmanager() -> Result<(String, Arc<Mutex<Vec<Value>>>)> {
    let set: Arc<Mutex<Vec<Value>>> = Arc::default();
    let kept = Arc::clone(&set);
    let silence = move |Json(silence): Json<Value>| async move {
        kept.lock().unwrap().push(silence);
        Json(json!({"silenceID": "s1"}))
    };
    let alerts = json!([{"labels": {"alertname": "Down", "pod": "cart-1"}}]);
    let app = Router::new()
        .route("/api/v2/silences", get(async || Json(json!([]))).post(silence))
        .route("/api/v2/alerts", get(async move || Json(alerts)));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let url = format!("http://{}", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, app).await });
    Ok((url, set))
}

async fn replicas(namespace: &Namespace) -> Result<Option<i32>> {
    Ok(namespace.api::<Deployment>().get("cart").await?.spec.context("a spec")?.replicas)
}

fn scaling(namespace: &Namespace, to: u32) -> Reply {
    let arguments = json!({"kind": "Deployment", "namespace": namespace.name(), "name": "cart", "replicas": to});
    Reply::call("kubernetes_scale", arguments)
}

/// What the client sends to go on, with this word on the call that waits.
fn decided(waits: &Value, approved: bool) -> Value {
    let ticket = &waits["pending_approvals"][0]["tool_call_id"];
    json!({
        "ask": "", "conversation_history": waits["conversation_history"], "enable_tool_approval": true,
        "tool_decisions": [{"tool_call_id": ticket, "approved": approved, "feedback": "as you say"}],
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_waits_for_the_word_of_who_may_give_it_and_is_made_once() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("chat-approval").await?;
    namespace.apply(OBJECTS).await?;
    let script =
        [scaling(&namespace, 1), Reply::text("It is scaled."), scaling(&namespace, 2), Reply::text("It is not.")];
    let model = ModelDouble::start(script).await?;
    let mut program = program(&cluster, &model).await?;
    let question = json!({"ask": "Scale cart up.", "enable_tool_approval": true});

    let (status, waits) = ask(&program, TOKEN, &question).await?;
    assert_eq!((status, &waits["requires_approval"], &waits["analysis"]), (200, &true.into(), &Value::Null), "{waits}");
    let pending = &waits["pending_approvals"][0];
    assert_eq!((&pending["tool_name"], &pending["params"]["replicas"]), (&"kubernetes_scale".into(), &1.into()));
    assert!(pending["description"].as_str().is_some_and(|shown| shown.contains("+  replicas: 1")), "{pending}");
    assert_eq!(replicas(&namespace).await?, Some(0), "nothing is done before it is approved");

    let (status, refused) = ask(&program, TOKEN, &decided(&waits, true)).await?;
    assert!(status == 403 && refused["error"].as_str().is_some_and(|why| why.contains("approver_token")), "{refused}");
    let mut forged = decided(&waits, true);
    let ticket = pending["tool_call_id"].as_str().context("a ticket")?;
    forged["tool_decisions"][0]["tool_call_id"] = json!(format!("{}0", &ticket[..ticket.len() - 1]));
    let (status, refused) = ask(&program, APPROVER, &forged).await?;
    assert!(status == 403 || ticket.ends_with('0'), "{refused}");

    let (status, done) = ask(&program, APPROVER, &decided(&waits, true)).await?;
    assert_eq!((status, &done["analysis"]), (200, &"It is scaled.".into()), "{done}");
    assert_eq!(replicas(&namespace).await?, Some(1));
    let roles: Vec<&str> =
        done["conversation_history"].as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant"], "{done:#}");
    let (status, again) = ask(&program, APPROVER, &decided(&waits, true)).await?;
    assert_eq!(status, 409, "an answer counts once: {again}");

    let (_, waits) = ask(&program, TOKEN, &question).await?;
    let (status, denied) = ask(&program, APPROVER, &decided(&waits, false)).await?;
    assert_eq!((status, &denied["analysis"]), (200, &"It is not.".into()), "{denied}");
    assert_eq!(replicas(&namespace).await?, Some(1), "a no is a no");
    let told = model.requests().last().context("a request")?.to_string();
    assert!(told.contains("was denied by chat: as you say"), "the model is told why: {told}");
    model.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waited_over_a_restart_is_decided_after_it() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("chat-approval-restart").await?;
    namespace.apply(OBJECTS).await?;
    let script = [scaling(&namespace, 1), scaling(&namespace, 1), Reply::text("It is scaled.")];
    let model = ModelDouble::start(script).await?;
    let mut program = program(&cluster, &model).await?;
    let (_, waits) = ask(&program, TOKEN, &json!({"ask": "Scale cart up.", "enable_tool_approval": true})).await?;
    program.kill().await?;
    program.start().await?;
    assert_eq!(replicas(&namespace).await?, Some(0));
    let (status, done) = ask(&program, APPROVER, &decided(&waits, true)).await?;
    assert_eq!((status, &done["analysis"]), (200, &"It is scaled.".into()), "{done}");
    assert_eq!(replicas(&namespace).await?, Some(1));
    model.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_that_was_approved_over_a_restart_of_marple_is_made() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("chat-approval-rollout").await?;
    namespace.apply(OBJECTS).await?;
    let settled = || async {
        let cart = namespace.api::<Deployment>().get("cart").await.map_err(|error| error.to_string())?;
        let seen = cart.status.and_then(|status| status.observed_generation);
        if seen == cart.metadata.generation { Ok(()) } else { Err("not yet".to_owned()) }
    };
    wait_for("the controller", Duration::from_secs(30), settled).await?;
    let restarting = || {
        let arguments = json!({"kind": "Deployment", "namespace": namespace.name(), "name": "cart"});
        Reply::call("kubernetes_restart", arguments)
    };
    let model = ModelDouble::start([restarting(), restarting(), Reply::text("It is restarted.")]).await?;
    let mut program = program(&cluster, &model).await?;
    let (_, waits) = ask(&program, TOKEN, &json!({"ask": "Restart cart.", "enable_tool_approval": true})).await?;
    program.kill().await?;
    program.start().await?;
    let (status, done) = ask(&program, APPROVER, &decided(&waits, true)).await?;
    assert_eq!((status, &done["analysis"]), (200, &"It is restarted.".into()), "{done:#}");
    let spec = namespace.api::<Deployment>().get("cart").await?.spec.context("a spec")?;
    let marks = spec.template.metadata.and_then(|metadata| metadata.annotations).unwrap_or_default();
    assert!(marks.contains_key("kubectl.kubernetes.io/restartedAt"), "{marks:?}");
    model.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silence_that_was_approved_over_a_restart_is_set() -> Result<()> {
    let cluster = cluster_or_return!();
    let (url, set) = alertmanager().await?;
    let silencing = || {
        let arguments = json!({"matchers": ["alertname=Down"], "duration": "2h", "comment": "known"});
        Reply::call("alertmanager_silence", arguments)
    };
    let model = ModelDouble::start([silencing(), silencing(), Reply::text("It is quiet.")]).await?;
    let act = format!("{{ enabled: [silence], alertmanager: {{ url: \"{url}\" }} }}");
    let mut program = acting(&cluster, &model, &act).await?;
    let (_, waits) = ask(&program, TOKEN, &json!({"ask": "Silence it.", "enable_tool_approval": true})).await?;
    program.kill().await?;
    program.start().await?;
    let (status, done) = ask(&program, APPROVER, &decided(&waits, true)).await?;
    assert_eq!((status, &done["analysis"]), (200, &"It is quiet.".into()), "{done:#}");
    let comments: Vec<Value> = set.lock().unwrap().iter().map(|silence| silence["comment"].clone()).collect();
    assert_eq!(comments, ["known"]);
    model.assert_clean();
    program.stop().await
}
