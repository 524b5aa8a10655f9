//! The Prometheus tools, and what is caught when an incident opens, against the test cluster's own Prometheus.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::time::Duration;

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use marple_core::{Fingerprint, Labels, ObjectRef, Severity, Signal, SignalSource, SignalStatus};
use marple_tests::cluster::{TestCluster, wait_for};
use marple_tests::cluster_or_return;
use marple_tests::stage::Fault;
use marple_tools::endpoint::EndpointConfig;
use marple_tools::prometheus::{Graph, Prometheus, around, tools};
use marple_tools::redact::Redactor;
use marple_tools::{Look, Output, ToolError};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

fn prometheus(cluster: &TestCluster) -> Result<Prometheus> {
    Ok(Prometheus::new(&EndpointConfig::at(cluster.prometheus_url().parse()?))?)
}

async fn call(cluster: &TestCluster, name: &str, arguments: Value) -> Result<Result<Output, ToolError>> {
    let tools = tools(prometheus(cluster)?);
    let tool = tools.iter().find(|tool| tool.spec().name == name).context("a tool of that name")?;
    let look = Look { incident_start: None, now: Timestamp::now(), cancel: CancellationToken::new() };
    Ok(tool.call(arguments, &look).await)
}

#[tokio::test]
async fn what_is_up_is_told_for_each_target() -> Result<()> {
    let cluster = cluster_or_return!();
    let output = call(&cluster, "prometheus_query", json!({"query": "up"})).await??;
    for job in ["kube-state-metrics", "node-exporter", "kubelet"] {
        assert!(output.content.contains(&format!("job={job:?}")), "{}", output.content);
    }
    let missing =
        call(&cluster, "prometheus_query", json!({"query": "kube_pod_container_restarts_total > 3"})).await??;
    assert!(missing.content.contains("kube_pod_container_status_restarts_total"), "{}", missing.content);
    let label = call(&cluster, "prometheus_query", json!({"query": "up{job=\"kube-state-metric\"}"})).await??;
    assert!(label.content.contains("similar values: \"kube-state-metrics\""), "{}", label.content);
    let wrong = call(&cluster, "prometheus_query", json!({"query": "rate(up)"})).await?;
    assert!(
        matches!(&wrong, Err(ToolError::Arguments(text)) if text.contains("expected type range vector")),
        "{wrong:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_range_tells_how_the_nodes_memory_went() -> Result<()> {
    let cluster = cluster_or_return!();
    let arguments = json!({"query": "node_memory_MemAvailable_bytes", "start": "-10m"});
    let output = call(&cluster, "prometheus_range", arguments).await??;
    let view = output.view.as_deref().unwrap_or(&output.content);
    assert!(view.starts_with("1 series from ") && view.contains("iB"), "{view}");
    let unknown: Vec<&str> = view.lines().filter(|line| !output.content.contains(line)).collect();
    assert_eq!(unknown, Vec::<&str>::new(), "what is quoted of the view is looked up in the whole");
    Ok(())
}

#[tokio::test]
async fn a_rule_is_found_by_its_name_and_a_similar_one() -> Result<()> {
    let cluster = cluster_or_return!();
    let output = call(&cluster, "prometheus_rule", json!({"name": "KubePodCrashLooping"})).await??;
    let expression =
        "expr: max_over_time(kube_pod_container_status_waiting_reason{reason=\"CrashLoopBackOff\"}[1m]) >= 1";
    for words in ["alert KubePodCrashLooping: ", expression, "for: 10s", "summary: ", "`max_over_time("] {
        assert!(output.content.contains(words), "{words:?} is not in\n{}", output.content);
    }
    let near = call(&cluster, "prometheus_rule", json!({"name": "PodCrashLooping"})).await?;
    assert!(matches!(&near, Err(ToolError::NotFound(text)) if text.contains("KubePodCrashLooping")), "{near:?}");
    Ok(())
}

#[tokio::test]
async fn metrics_are_found_with_their_labels() -> Result<()> {
    let cluster = cluster_or_return!();
    let output = call(&cluster, "prometheus_find", json!({"words": "memory available node"})).await??;
    let line =
        output.content.lines().find(|line| line.starts_with("node_memory_MemAvailable_bytes")).unwrap_or_default();
    assert!(line.contains("(gauge)") && line.contains("labels instance, job, node"), "{}", output.content);
    let by_label =
        call(&cluster, "prometheus_find", json!({"matchers": "job=\"node-exporter\"", "words": "load1"})).await??;
    assert!(by_label.content.lines().any(|line| line.starts_with("node_load1 ")), "{}", by_label.content);
    Ok(())
}

#[tokio::test]
async fn targets_alerts_and_values_are_told() -> Result<()> {
    let cluster = cluster_or_return!();
    let targets = call(&cluster, "prometheus_status", json!({"of": "targets"})).await??;
    for job in ["kube-state-metrics 1 of 1", "node-exporter 1 of 1", "kubelet "] {
        assert!(targets.content.contains(job), "{}", targets.content);
    }
    let alerts = call(&cluster, "prometheus_status", json!({"of": "alerts"})).await??;
    assert!(alerts.content.contains("active alert"), "{}", alerts.content);
    let values = call(&cluster, "prometheus_find", json!({"values_of": "job", "words": "kube"})).await??;
    assert!(values.content.contains("\nkubelet\n"), "{}", values.content);
    Ok(())
}

#[tokio::test]
async fn a_query_is_drawn_with_its_threshold() -> Result<()> {
    let cluster = cluster_or_return!();
    let query = "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.1";
    let length = Duration::from_mins(10);
    let graph = Graph::ask(&prometheus(&cluster)?, query, length, Timestamp::now(), None).await?;
    let svg = graph.svg();
    assert!(!graph.is_empty() && svg.contains(">threshold 0.1<") && svg.contains("class=\"line\""), "{svg}");
    Ok(())
}

/// The alert as Alertmanager would send it.
fn signal(labels: &Labels, starts_at: Timestamp) -> Signal {
    let name = labels.get("alertname").unwrap_or_default().to_owned();
    Signal {
        source: SignalSource::Alertmanager,
        fingerprint: Fingerprint::of(labels),
        status: SignalStatus::Firing,
        subject: marple_core::subject::subject(&name, labels),
        name,
        severity: Severity::Warning,
        labels: labels.clone(),
        annotations: Labels::new(),
        starts_at,
        ends_at: None,
        generator_url: None,
    }
}

/// Lives long enough to be measured, which a container that is killed at once does not.
const STEADY: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: {name: steady}
spec:
  selector: {matchLabels: {app: steady}}
  template:
    metadata: {labels: {app: steady}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - {name: app, image: "localhost/workload:1", resources: {limits: {memory: 64Mi}}}
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_memory_limit_that_is_too_small_shows_in_what_is_caught() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("prometheus-memory").await?;
    let began = Timestamp::now();
    namespace.apply(STEADY).await?;
    let staged = Fault::MemoryLimit.stage(&cluster, &namespace).await?;
    let prometheus = prometheus(&cluster)?;
    let redact = Redactor::new(&marple_tools::redact::RedactConfig::default())?;
    let subjects = [
        ObjectRef::namespaced("Deployment", namespace.name(), "cart"),
        ObjectRef::namespaced("Deployment", namespace.name(), "steady"),
        ObjectRef::cluster("Node", "node-1"),
    ];
    let signals = [signal(&staged.alert, began)];
    // Scrapes are five seconds apart: what is caught first may lack the newest values.
    let found =
        wait_for("both limits and why the containers ended among the metrics", Duration::from_mins(1), || async {
            let asked = std::time::Instant::now();
            let found = around(&prometheus, &subjects, &signals, began, Timestamp::now(), &redact).await;
            let took = asked.elapsed();
            let all = found.measured.iter().map(|one| one.draft.content.as_str()).collect::<Vec<_>>().join("\n");
            let there = ["48 MiB", "256 MiB", "OOMKilled", "working set (`"].iter().all(|words| all.contains(words));
            if there && took < Duration::from_secs(5) { Ok(found) } else { Err(format!("after {took:?}: {all}")) }
        })
        .await?;
    assert_eq!(found.unseen, []);
    let draft = |words: &str| {
        let draft = found.measured.iter().map(|one| &one.draft).find(|draft| draft.title.contains(words));
        draft.with_context(|| format!("{words} is in none of {:?}", found.measured.iter().map(|one| &one.draft.title)))
    };
    let memory = draft("memory of containers")?;
    assert!(memory.title.contains(&format!("Deployment {}/cart", namespace.name())), "{}", memory.title);
    // The limit before the change, and the one after it.
    assert!(memory.content.contains("256 MiB") && memory.content.contains("48 MiB"), "{}", memory.content);
    let states = draft("restarts and states")?;
    assert!(states.content.contains("restarts (`") && states.content.contains("OOMKilled"), "{}", states.content);
    let rule = draft(&format!("rule of the alert {}", signals[0].name))?;
    assert!(rule.content.contains("expr: ") && rule.content.contains("conditions are about"), "{}", rule.content);
    assert!(draft("replicas of Deployment")?.content.contains("kube_deployment_status_replicas_available"));
    assert!(draft("of Node node-1")?.content.contains("condition=\"Ready\""));
    for draft in found.measured.iter().map(|one| &one.draft) {
        let shown = draft.view.as_deref().unwrap_or(&draft.content);
        assert!(shown.len() <= 9_000, "{} shows {} bytes", draft.title, shown.len());
        println!("== {}\n{shown}", draft.title);
    }
    Ok(())
}

#[tokio::test]
async fn a_prometheus_that_is_away_costs_no_time() -> Result<()> {
    let cluster = cluster_or_return!();
    drop(cluster);
    let away = Prometheus::new(&EndpointConfig::at("http://127.0.0.1:9".parse()?))?;
    let redact = Redactor::new(&marple_tools::redact::RedactConfig::default())?;
    let asked = std::time::Instant::now();
    let subjects = [ObjectRef::namespaced("Deployment", "shop", "cart")];
    let found = around(&away, &subjects, &[], Timestamp::now(), Timestamp::now(), &redact).await;
    assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    assert_eq!((found.measured.len(), found.unseen.len()), (0, 1));
    assert!(found.unseen[0].why.contains("http://127.0.0.1:9"), "{:?}", found.unseen);
    Ok(())
}
