//! An incident that is investigated when all that it was about is gone: what was caught has to do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::{Context, Result};
use k8s_openapi::api::core::v1::Event;
use kube::api::{Api, DeleteParams};
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::model::{KEY, MODEL, ModelDouble, Received, Reply};
use marple_tests::program::Program;
use marple_tests::stage::Fault;
use marple_tests::webhook::{firing, webhook};
use serde_json::{Value, json};

/// From the change to a conclusion.
const CONCLUDED_WITHIN: Duration = Duration::from_mins(2);

/// A namespace ends when its pods have.
const GONE_WITHIN: Duration = Duration::from_mins(1);

/// The only line that the killed container wrote.
const LAST_WORDS: &str = "loading the catalogue into memory";

/// Three kinds of what won't last: a log, an event, the object as it was.
const CAUGHT: [&str; 3] = [LAST_WORDS, "Back-off restarting failed container", "memory: 48Mi"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_pods_logs_and_events_gone_an_incident_is_investigated_from_what_was_caught() -> Result<()> {
    let cluster = cluster_or_return!();
    let model = ModelDouble::start([Reply::Hang, reading().forever()]).await?;
    let settings = format!(
        "cluster: {{ context: {} }}\nforwarder: {{ enabled: false }}\ninvestigation: {{ group_wait: 1s }}\n\
         model: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\" }}\n",
        cluster.context(),
        model.url
    );
    let mut program = Program::serve(&settings, &[]).await?;
    let namespace = cluster.namespace("afterwards").await?;
    Fault::MemoryLimit.break_after_rollout(&cluster, &namespace).await?;
    wait_for("an event that tells of the restarts", CONCLUDED_WITHIN, || async {
        let events = namespace.api::<Event>().list(&kube::api::ListParams::default()).await?;
        let told =
            events.items.iter().any(|event| event.message.as_deref().is_some_and(|text| text.contains(CAUGHT[1])));
        told.then_some(()).context("no pod backs off yet")
    })
    .await?;
    let alert = firing("KubePodCrashLooping", namespace.name(), "cart");
    assert!(program.post("/api/alerts", &webhook(&[alert])).await?.is_success());
    concluded(&program, "rules").await?;
    wait_for("the model is asked", CONCLUDED_WITHIN, || async {
        (!model.requests().is_empty()).then_some(()).context("it has not been asked yet")
    })
    .await?;
    // The model has not answered by the time that all is gone.
    program.kill().await?;

    let namespaces: Api<k8s_openapi::api::core::v1::Namespace> = Api::all(cluster.client());
    namespaces.delete(namespace.name(), &DeleteParams::default()).await?;
    wait_for("the namespace's end", GONE_WITHIN, || async {
        match namespaces.get_opt(namespace.name()).await? {
            None => Ok(()),
            Some(_) => Err(anyhow::anyhow!("it is there still")),
        }
    })
    .await?;

    program.start().await?;
    let concluded = concluded(&program, "agent").await.with_context(|| program.log())?;
    model.assert_clean();
    let citations = concluded["cause"]["citations"].as_array().context("citations")?;
    for caught in CAUGHT {
        let proven = |citation: &&Value| citation["quote"].as_str().is_some_and(|quote| quote.contains(caught));
        let citation =
            citations.iter().find(proven).with_context(|| format!("{caught:?} is in none of {citations:?}"))?;
        assert_eq!(citation["verified"], true, "{citation}");
    }
    assert_eq!(concluded["confidence"], "high", "{concluded}");
    program.stop().await
}

/// The conclusion of the only incident, when this one has concluded it.
async fn concluded(program: &Program, by: &str) -> Result<Value> {
    wait_for(&format!("a conclusion by {by}"), CONCLUDED_WITHIN, || async {
        let incidents = program.get("/api/incidents").await?;
        let id = incidents[0]["id"].as_str().context("no incident yet")?;
        let incident = program.get(&format!("/api/incidents/{id}")).await?;
        let concluded = &incident["conclusion"];
        (concluded["by"] == by).then(|| concluded["conclusion"].clone()).with_context(|| concluded.to_string())
    })
    .await
}

/// A model that reads everything that was kept, and concludes with a quote of each kind.
fn reading() -> Reply {
    Reply::act(|request: &Received| {
        if request.answers() == 0 {
            return kept(request).into_iter().map(|id| ("evidence_read".to_owned(), json!({ "id": id }))).collect();
        }
        let citations = CAUGHT.map(|words| request.cite(words));
        vec![(
            "conclude".to_owned(),
            json!({
                "verdict": "fault",
                "summary": "cart is killed for its memory.",
                "cause": {
                    "object": { "kind": "Deployment", "name": "cart" },
                    "category": "resources",
                    "statement": "The limit is below what it loads.",
                    "citations": citations
                },
                "confidence": "high"
            }),
        )]
    })
}

/// The ids under `Evidence kept`.
fn kept(request: &Received) -> Vec<String> {
    let lines = request.texts().flat_map(str::lines).skip_while(|line| *line != "Evidence kept:").skip(1);
    let ids = lines.map_while(|line| line.strip_prefix("- e")?.split_once(' ').map(|(digits, _)| format!("e{digits}")));
    ids.collect()
}
