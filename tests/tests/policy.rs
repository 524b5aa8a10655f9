//! When the model is asked about an incident: what it may cost, who stops it, and what is known already.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::model::{KEY, MODEL, ModelDouble, Received, Reply};
use marple_tests::program::{Program, TOKEN, binary, client};
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_mins(1);

/// A pod that no node may have, for its claim is missing.
const OBJECTS: &str = r#"
apiVersion: v1
kind: Pod
metadata: { name: cart }
spec:
  volumes: [{ name: data, persistentVolumeClaim: { claimName: data } }]
  containers: [{ name: app, image: "none.invalid/none:1" }]
"#;

fn settings(cluster: &TestCluster, model: &ModelDouble, more: &str) -> String {
    format!(
        "cluster: {{ context: {} }}\nforwarder: {{ enabled: false }}\n\
         model: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\" }}\n{more}\n",
        cluster.context(),
        model.url
    )
}

/// Alertmanager's post about the pod.
fn alert(namespace: &str, status: &str, starts_at: &str) -> Value {
    let labels = json!({"alertname": "KubePodNotReady", "severity": "critical", "namespace": namespace, "pod": "cart"});
    let ends_at =
        if status == "resolved" { starts_at.replace("00:00Z", "05:00Z") } else { "0001-01-01T00:00:00Z".to_owned() };
    json!({
        "version": "4", "groupKey": "{}", "status": status, "receiver": "marple", "groupLabels": {}, "commonLabels": {},
        "commonAnnotations": {}, "externalURL": "http://localhost", "truncatedAlerts": 0,
        "alerts": [{"status": status, "labels": labels, "annotations": {}, "startsAt": starts_at, "endsAt": ends_at,
            "generatorURL": "", "fingerprint": "00ab12cd34ef5678"}],
    })
}

/// Concludes that the claim is missing, by what was captured.
fn concluding(namespace: &str) -> Reply {
    let namespace = namespace.to_owned();
    Reply::conclude(move |request: &Received| {
        let cause = json!({"kind": "PersistentVolumeClaim", "namespace": namespace, "name": "data"});
        json!({"verdict": "fault", "summary": "The claim data is missing.", "confidence": "high", "cause": {"object": cause,
            "category": "configuration", "statement": "It is missing.", "citations": [request.cite("\"data\" not found")]}})
    })
}

async fn incidents(program: &Program) -> Result<Vec<Value>> {
    let list = program.get("/api/incidents?status=open,acknowledged,resolved").await?;
    let mut all = Vec::new();
    for incident in list.as_array().context("a list")? {
        all.push(program.get(&format!("/api/incidents/{}", incident["id"].as_str().context("an id")?)).await?);
    }
    Ok(all)
}

/// Waits for the latest incident's conclusion by this.
async fn concluded(program: &Program, count: usize, by: &str) -> Result<Value> {
    wait_for(&format!("a conclusion of incident {count} by the {by}"), WITHIN, || async {
        let all = incidents(program).await.map_err(|error| format!("{error:#}"))?;
        let latest = all.first().filter(|latest| all.len() == count && latest["conclusion"]["by"] == by);
        latest.cloned().ok_or_else(|| format!("{} incidents: {all:#?}", all.len()))
    })
    .await
    .with_context(|| program.log())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_explained_by_the_first_and_what_people_said_is_told_to_the_model() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("policy-repeat").await?;
    namespace.apply(OBJECTS).await?;
    let name = namespace.name();
    let model = ModelDouble::start([concluding(name), Reply::all_is_well().forever()]).await?;
    let more = "investigation: { group_wait: 1s }\nincidents: { reopen: 0s }";
    let mut program = Program::serve(&settings(&cluster, &model, more), &[]).await?;
    ensure!(program.post("/api/alerts", &alert(name, "firing", "2026-01-01T00:00:00Z")).await?.is_success());
    let first = concluded(&program, 1, "agent").await?;
    ensure!(program.post("/api/alerts", &alert(name, "resolved", "2026-01-01T00:00:00Z")).await?.is_success());

    ensure!(program.post("/api/alerts", &alert(name, "firing", "2026-01-01T01:00:00Z")).await?.is_success());
    let second = concluded(&program, 2, "agent").await?;
    let conclusion = &second["conclusion"]["conclusion"];
    assert_eq!(conclusion["cause"]["object"], first["conclusion"]["conclusion"]["cause"]["object"]);
    assert_eq!(model.requests().len(), 1, "the model was not asked again");
    let said = conclusion["unseen"][0]["why"].as_str().context("whence it comes")?;
    assert!(said.contains("this repeats incident"), "{said}");
    ensure!(program.post("/api/alerts", &alert(name, "resolved", "2026-01-01T01:00:00Z")).await?.is_success());

    // A person doubts it: the third is investigated, and told of that.
    let id = second["incident"]["id"].as_str().context("an id")?;
    let wrong = json!({"verdict": "wrong", "was": "the image", "by": "ann"});
    ensure!(program.post(&format!("/api/incidents/{id}/feedback"), &wrong).await?.is_success());
    ensure!(program.post("/api/alerts", &alert(name, "firing", "2026-01-01T02:00:00Z")).await?.is_success());
    wait_for("the model is asked", WITHIN, || async {
        if model.requests().len() >= 2 { Ok(()) } else { Err("not yet".to_owned()) }
    })
    .await
    .with_context(|| program.log())?;
    let case = model.requests()[1]["messages"][1]["content"].as_str().context("the case")?.to_owned();
    assert!(case.contains("said afterwards by ann: wrong, it was the image"), "{case}");
    model.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_policy_says_on_demand_the_model_is_asked_when_a_person_wants_it() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("policy-demand").await?;
    namespace.apply(OBJECTS).await?;
    let model = ModelDouble::start([Reply::all_is_well().forever()]).await?;
    let more =
        "investigation: { group_wait: 1s, policy: [{ matchers: ['alertname=\"KubePodNotReady\"'], ask: on_demand }] }";
    let mut program = Program::serve(&settings(&cluster, &model, more), &[]).await?;
    let firing = alert(namespace.name(), "firing", "2026-01-01T00:00:00Z");
    ensure!(program.post("/api/alerts", &firing).await?.is_success());
    let ruled = concluded(&program, 1, "rules").await?;
    let id = ruled["incident"]["id"].as_str().context("an id")?;
    assert_eq!(model.requests().len(), 0);
    let path = format!("/api/incidents/{id}/investigate");
    assert_eq!(program.post(&path, &json!({})).await?.as_u16(), 202);
    wait_for("the model is asked", WITHIN, || async {
        if model.requests().is_empty() { Err("not yet".to_owned()) } else { Ok(()) }
    })
    .await?;
    model.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_s_budget_and_a_person_stop_the_model_and_the_rules_answer_and_say_why() -> Result<()> {
    let model = ModelDouble::start([Reply::text("Well."), Reply::Hang]).await?;
    let settings = |tokens: u32| {
        format!(
            "cluster: {{ enabled: false }}\nspending: {{ day: {{ prompt_tokens: {tokens} }} }}\n\
             model: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\" }}\n",
            model.url
        )
    };
    let mut program = Program::serve(&settings(1_000_000), &[]).await?;
    let ask = async |program: &Program| {
        let body = json!({"ask": "Is all well?"});
        let request = client().post(program.url("/api/chat")).timeout(Duration::from_secs(40)).bearer_auth(TOKEN);
        anyhow::Ok(request.json(&body).send().await?.json::<Value>().await?)
    };
    assert_eq!(ask(&program).await?["analysis"], "Well.");
    let used = program.get("/api/spending").await?;
    assert!(used["prompt_tokens"].as_u64().is_some_and(|tokens| tokens > 0) && used["stopped"].is_null(), "{used}");

    let url = program.url("");
    let command = async |arguments: &[&str]| {
        let mut command = tokio::process::Command::new(binary()?);
        let output = command.args(arguments).args(["--url", &url]).env("MARPLE_TOKEN", TOKEN).output().await?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        anyhow::Ok(String::from_utf8(output.stdout)?)
    };
    let (asked, stopped) = tokio::join!(ask(&program), async {
        wait_for("the second request", WITHIN, || async {
            if model.requests().len() == 2 { Ok(()) } else { Err("not yet".to_owned()) }
        })
        .await?;
        command(&["spending", "stop", "--why", "it runs wild", "--by", "ann"]).await
    });
    assert!(stopped?.contains("Stopped by ann at "));
    let ending = asked?["metadata"]["ending"].clone();
    assert!(
        ending.as_str().is_some_and(|why| why.contains("ann stopped it") && why.contains("it runs wild")),
        "{ending}"
    );
    program.kill().await?;
    program.start().await?;
    assert!(ask(&program).await?["metadata"]["ending"].as_str().is_some_and(|why| why.contains("ann stopped it")));
    assert!(command(&["spending", "resume", "--by", "bob"]).await?.contains("may be asked"));

    program.configure(&settings(10))?;
    program.hang_up().await?;
    wait_for("the new budget", WITHIN, || async {
        let standing = program.get("/api/spending").await.map_err(|error| error.to_string())?;
        if standing["budget"]["prompt_tokens"] == 10 { Ok(()) } else { Err(standing.to_string()) }
    })
    .await?;
    let ending = ask(&program).await?["metadata"]["ending"].clone();
    assert!(ending.as_str().is_some_and(|why| why.contains("the budget of the day is spent")), "{ending}");
    assert_eq!(model.requests().len(), 2, "no request was made");
    program.stop().await
}
