//! Another configuration while the program runs: what can change does, what is wrong is told, and nothing is lost.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Result, ensure};
use marple_tests::cluster::wait_for;
use marple_tests::program::{Program, TOKEN, client};
use marple_tests::webhook::{firing, webhook};
use serde_json::Value;

/// How long a change may take to be found and to show.
const WITHIN: Duration = Duration::from_mins(1);

fn to_file(path: &Path) -> String {
    format!(
        "cluster: {{ enabled: false }}\ninvestigation: {{ group_wait: 100ms }}\n\
         receivers: {{ archive: {{ file: {{ path: {} }} }} }}\n",
        path.display()
    )
}

/// Titles of the incidents that a file holds, with how often each was told.
fn told(path: &Path) -> BTreeMap<String, u32> {
    let mut told = BTreeMap::new();
    for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
        let payload: Value = serde_json::from_str(line).unwrap();
        *told.entry(payload["incident"]["title"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    told
}

async fn alert(program: &Program, workload: &str) -> Result<()> {
    let status = program.post("/api/alerts", &webhook(&[firing("X", "shop", workload)])).await?;
    ensure!(status.is_success(), "the intake answered {status}");
    Ok(())
}

/// Waits until a file tells of this workload.
async fn reaches(path: &Path, workload: &str) -> Result<()> {
    let title = format!("Deployment shop/{workload}: X");
    wait_for(&format!("{title} in {}", path.display()), WITHIN, || async {
        let told = told(path);
        if told.contains_key(&title) { Ok(()) } else { Err(format!("it has {told:?}")) }
    })
    .await
}

/// Waits until what the API tells of the configuration fits.
async fn standing(program: &Program, what: &str, fits: impl Fn(&Value) -> bool) -> Result<Value> {
    wait_for(what, WITHIN, || async {
        let standing = program.get("/api/configuration").await.map_err(|error| error.to_string())?;
        if fits(&standing) { Ok(standing) } else { Err(standing.to_string()) }
    })
    .await
}

async fn metric(program: &Program, line: &str) -> Result<bool> {
    Ok(client().get(program.url("/metrics")).send().await?.text().await?.lines().any(|one| one == line))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_receiver_is_used_without_a_restart_and_a_wrong_configuration_leaves_the_one_before() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (first, second) = (folder.path().join("first.jsonl"), folder.path().join("second.jsonl"));
    let mut program = Program::serve(&to_file(&first), &[]).await?;
    let pid = program.pid();
    alert(&program, "one").await?;
    reaches(&first, "one").await?;

    let before = program.get("/api/configuration").await?;
    program.configure(&to_file(&second))?;
    standing(&program, "the second configuration", |now| now["loaded_at"] != before["loaded_at"]).await?;
    alert(&program, "two").await?;
    reaches(&second, "two").await?;
    assert_eq!(told(&first).len(), 1);

    program.configure("receivers: { archive: { fil: { path: /tmp/x } } }\n")?;
    let refused = standing(&program, "the refusal", |now| !now["refused"].is_null()).await?;
    let why = refused["refused"]["why"].as_str().unwrap();
    assert!(why.contains("marple.yaml: receivers.archive: unknown variant `fil`"), "{why}");
    let ready = client().get(program.url("/readyz")).send().await?;
    assert_eq!(
        (ready.status().as_u16(), ready.json::<Value>().await?["configuration"].clone()),
        (200, "refused".into())
    );
    assert!(metric(&program, "marple_config_reloads_total{outcome=\"refused\"} 1").await?);
    assert!(metric(&program, "marple_config_reloads_total{outcome=\"applied\"} 1").await?);
    assert!(metric(&program, "marple_config_last_reload_successful 0").await?);
    alert(&program, "three").await?;
    reaches(&second, "three").await?;

    program.configure(&to_file(&second))?;
    standing(&program, "the way back", |now| now["refused"].is_null()).await?;
    assert_eq!(program.pid(), pid);
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_secret_in_a_file_is_read_again_and_what_needs_a_restart_is_named() -> Result<()> {
    let mut program = Program::serve("cluster: { enabled: false }\n", &[]).await?;
    let secret = program.folder().join("token");
    let rest = format!("store: {{ path: {} }}\ncluster: {{ enabled: false }}\n", program.store().display());
    let server = |listen: &str| format!("server: {{ listen: \"{listen}\", token: \"file:{}\" }}\n", secret.display());
    let here = program.url("").replace("http://", "");
    std::fs::write(&secret, TOKEN)?;
    program.write(&format!("{}{rest}", server(&here)))?;
    standing(&program, "a token in a file", |now| now["needs_restart"] == Value::Array(vec![])).await?;

    std::fs::write(&secret, "another-token\n")?;
    let with = async |token: &str| {
        let asked = client().get(program.url("/api/configuration")).bearer_auth(token).send().await;
        asked.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string())
    };
    wait_for("the new token", WITHIN, || async {
        match with("another-token").await? {
            200 => Ok(()),
            status => Err(status.to_string()),
        }
    })
    .await?;
    assert_eq!(with(TOKEN).await, Ok(401));

    std::fs::write(&secret, TOKEN)?;
    program.write(&format!("{}{rest}", server("127.0.0.1:1")))?;
    let now = wait_for("what needs a restart", WITHIN, || async {
        let now = program.get("/api/configuration").await.map_err(|error| error.to_string())?;
        if now["needs_restart"] == Value::Array(vec![]) { Err(now.to_string()) } else { Ok(now) }
    })
    .await?;
    let told = format!("server.listen: 127.0.0.1:1 takes effect at the next start; until then it is {here}");
    assert_eq!(now["needs_restart"], Value::Array(vec![told.into()]));
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_it_changes_under_load_every_post_is_answered_and_every_alert_is_told() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("archive.jsonl");
    let settings = |round: u32| format!("{}budget: {{ turns: {} }}\n", to_file(&path), round + 1);
    let mut program = Program::serve(&settings(0), &[]).await?;
    let mut sent = Vec::new();
    for round in 1..=5 {
        let before = program.get("/api/configuration").await?;
        program.configure(&settings(round))?;
        program.hang_up().await?;
        loop {
            let workload = format!("workload-{}", sent.len());
            alert(&program, &workload).await?;
            sent.push(workload);
            if program.get("/api/configuration").await?["loaded_at"] != before["loaded_at"] {
                break;
            }
        }
    }
    for workload in &sent {
        reaches(&path, workload).await?;
    }
    assert_eq!(told(&path).len(), sent.len());
    assert!(metric(&program, "marple_config_reloads_total{outcome=\"applied\"} 5").await?);
    program.stop().await
}
