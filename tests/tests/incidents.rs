//! From a broken workload on a real cluster, through the real Prometheus and Alertmanager, to Slack.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::future::{join_all, try_join_all};
use marple_core::ObjectRef;
use marple_tests::cluster::{Namespace, TestCluster, point_alertmanager, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::model::{KEY, MODEL, ModelDouble, Received, Reply};
use marple_tests::program::{Program, TOKEN, client};
use marple_tests::slack::{SlackDouble, SlackFile, SlackMessage};
use marple_tests::stage::{Fault, Staged};
use marple_tests::webhook::webhook;
use serde_json::{Value, json};

/// Staging, alerting, the group wait and the message.
const TOLD_WITHIN: Duration = Duration::from_mins(2);

/// A fault with the place where it is staged.
struct Broken {
    fault: Fault,
    namespace: Namespace,
    staged: Staged,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn six_faults_reach_slack_with_their_true_cause_by_rules_alone_and_cited_by_a_model() -> Result<()> {
    let cluster = cluster_or_return!();
    let slack = SlackDouble::start().await;
    let mut program = Program::serve(&configuration(&cluster, &slack, ""), &[]).await?;
    let pointed = point_alertmanager(&program.url("/api/alerts"), Some(TOKEN))?;
    let broken = try_join_all(Fault::ALL.map(|fault| stage(&cluster, fault))).await?;

    for result in join_all(broken.iter().map(|broken| told(&program, &slack, broken, "rules"))).await {
        result?;
    }
    slack.assert_clean();
    one_message_an_incident(&slack);
    program.stop().await?;
    drop(pointed);

    let model = ModelDouble::start([investigating(&broken).forever()]).await?;
    let slack = SlackDouble::start().await;
    let settings = format!(
        "forwarder: {{ enabled: false }}\nmodel: {{ url: \"{}\", name: {MODEL}, api_key: \"{KEY}\", context_window: 32000 }}\n",
        model.url
    );
    let mut program = Program::serve(&configuration(&cluster, &slack, &settings), &[]).await?;
    for broken in &broken {
        let alerts = firing(&cluster, broken.namespace.name()).await?;
        ensure!(program.post("/api/alerts", &webhook(&alerts)).await?.is_success(), "the intake refused the alerts");
    }
    for result in join_all(broken.iter().map(|broken| told(&program, &slack, broken, "agent"))).await {
        result.with_context(|| program.log())?;
    }
    model.assert_clean();
    slack.assert_clean();
    one_message_an_incident(&slack);
    drawn(&program, &slack).await?;
    program.stop().await
}

/// What the alerts are about is shown as a graph in the threads, and on the incidents' pages.
async fn drawn(program: &Program, slack: &SlackDouble) -> Result<()> {
    let files = wait_for("a graph", TOLD_WITHIN, || async {
        let files: Vec<SlackFile> = slack.files().into_iter().filter(|file| file.shown.is_some()).collect();
        if files.is_empty() { Err("no file is shown".to_owned()) } else { Ok(files) }
    })
    .await?;
    let threads: BTreeSet<_> = files.iter().map(|file| file.shown.clone()).collect();
    assert_eq!(threads.len(), files.len(), "one graph an incident");
    assert!(files.iter().all(|file| file.content.starts_with(b"\x89PNG")));
    let (_, thread) = files[0].shown.clone().context("it is shown")?;
    let message = slack.messages().into_iter().find(|message| message.ts == thread).context("its message")?;
    let id = message.metadata.context("metadata")?["event_payload"]["incident"].as_str().context("an id")?.to_owned();
    let read = async |path: &str| {
        let answer = client().get(program.url(path)).bearer_auth(TOKEN).send().await?.error_for_status()?;
        anyhow::Ok(answer.text().await?)
    };
    let page = read(&format!("/incidents/{id}")).await?;
    let (_, rest) = page.split_once("<img src=\"").context("the page shows no graph")?;
    let (address, _) = rest.split_once('"').context("an address")?;
    let svg = read(&format!("/incidents/{address}")).await?;
    assert!(svg.starts_with("<svg") && svg.contains("the incident began"), "{svg}");
    Ok(())
}

/// The configuration of a program that looks at the cluster and tells Slack.
fn configuration(cluster: &TestCluster, slack: &SlackDouble, more: &str) -> String {
    format!(
        "cluster: {{ name: test, context: {} }}\nprometheus: {{ url: \"{}\" }}\ninvestigation: {{ group_wait: 5s }}\n\
         receivers: {{ oncall: {{ slack: {{ api_url: \"{}\", token: \"{}\", channel: {}, interval: 10ms }} }} }}\n{more}",
        cluster.context(),
        cluster.prometheus_url(),
        slack.url,
        slack.token,
        slack.channel
    )
}

async fn stage(cluster: &TestCluster, fault: Fault) -> Result<Broken> {
    let namespace = cluster.namespace(&format!("incident-{}", fault.name())).await?;
    let staged = fault.stage(cluster, &namespace).await.with_context(|| fault.name().to_owned())?;
    Ok(Broken { fault, namespace, staged })
}

/// Waits until the fault's incident is concluded by whom it should be, names the true cause, cites it with quotes that
/// were checked, and stands in Slack.
async fn told(program: &Program, slack: &SlackDouble, broken: &Broken, by: &str) -> Result<()> {
    let what = format!("{} told by the {by}", broken.fault.name());
    wait_for(&what, TOLD_WITHIN, || async {
        let incident = incident(program, broken).await.map_err(|error| format!("{error:#}"))?;
        let concluded = &incident["conclusion"];
        let conclusion = &concluded["conclusion"];
        let cause: Option<ObjectRef> = serde_json::from_value(conclusion["cause"]["object"].clone()).ok();
        let same = cause.as_ref() == Some(&broken.staged.cause) && concluded["by"] == by;
        if !same {
            return Err(format!("concluded: {concluded}"));
        }
        let citations = conclusion["cause"]["citations"].as_array().cloned().unwrap_or_default();
        if citations.is_empty() || citations.iter().any(|citation| citation["verified"] != true) {
            return Err(format!("the cause is not proven: {citations:?}"));
        }
        let cause = broken.staged.cause.to_string();
        let shown = |message: &SlackMessage| message.thread_ts.is_none() && message.shown().contains(&cause);
        if !slack.messages().iter().any(shown) {
            return Err(format!("no message in the channel names {cause}"));
        }
        Ok(())
    })
    .await
}

/// The one incident of a fault's namespace.
async fn incident(program: &Program, broken: &Broken) -> Result<Value> {
    let list = program.get("/api/incidents?limit=200").await?;
    let ours: Vec<&Value> = list
        .as_array()
        .context("no list of incidents")?
        .iter()
        .filter(|incident| {
            let objects = incident["objects"].as_array().into_iter().flatten();
            objects.chain([&incident["subject"]]).any(|object| object["namespace"] == broken.namespace.name())
        })
        .collect();
    ensure!(ours.len() == 1, "{} incidents of {}: {ours:?}", ours.len(), broken.namespace.name());
    program.get(&format!("/api/incidents/{}", ours[0]["id"].as_str().context("an id")?)).await
}

/// No incident has two messages in the channel.
fn one_message_an_incident(slack: &SlackDouble) {
    let mut seen = BTreeSet::new();
    for message in slack.messages().iter().filter(|message| message.thread_ts.is_none()) {
        let payload = message.metadata.as_ref().map(|metadata| metadata["event_payload"]["incident"].to_string());
        assert!(seen.insert(payload.clone()), "incident {payload:?} has two messages");
    }
}

/// The alerts of a namespace as Alertmanager holds them, in the form of its webhook.
async fn firing(cluster: &TestCluster, namespace: &str) -> Result<Vec<Value>> {
    let url = format!("{}/api/v2/alerts?filter=namespace%3D%22{namespace}%22", cluster.alertmanager_url());
    let mut alerts: Vec<Value> = reqwest::get(url).await?.error_for_status()?.json().await?;
    ensure!(!alerts.is_empty(), "Alertmanager holds no alert of {namespace}");
    for alert in &mut alerts {
        alert["status"] = json!("firing");
        alert["endsAt"] = json!("0001-01-01T00:00:00Z");
    }
    Ok(alerts)
}

/// A model that looks once at the cause of the incident that it is asked about, and then concludes with a quote of what
/// it was shown.
fn investigating(broken: &[Broken]) -> Reply {
    let causes: Vec<ObjectRef> = broken.iter().map(|broken| broken.staged.cause.clone()).collect();
    Reply::act(move |request: &Received| {
        let asked = |cause: &&ObjectRef| {
            let namespace = cause.namespace.as_deref().unwrap_or_default();
            request.texts().any(|text| text.contains(namespace))
        };
        let Some(cause) = causes.iter().find(asked) else { return Vec::new() };
        let object = json!({ "kind": cause.kind, "namespace": cause.namespace, "name": cause.name });
        if request.answers() == 0 {
            return vec![("kubernetes_describe".to_owned(), object)];
        }
        vec![(
            "conclude".to_owned(),
            json!({
                "verdict": "fault",
                "summary": format!("{cause} is the cause."),
                "cause": {
                    "object": object,
                    "category": "configuration",
                    "statement": format!("{cause} is what must change."),
                    "citations": [request.cite(&cause.name)]
                },
                "chain": [], "impact": "The workload.", "confidence": "high",
                "remedies": [], "ruled_out": [], "unseen": []
            }),
        )]
    })
}
