//! A suite of small recordings, and the program over it.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, Result};
use marple_evals::bundle::{Bundle, RecordedObject};
use marple_evals::demo_bundle;
use marple_evals::report::{Measured, Results};
use marple_tests::program::binary;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::Command;

/// The most that a run over a few small recordings may take on a busy machine.
const RUNS_WITHIN: Duration = Duration::from_mins(3);

/// Two namespaces, thirteen alerts, one cause.
pub(crate) const STORM: &str = r#"
title: the ledger's memory limit was cut
ask: {incident: true}
verdict: fault
causes: [{object: {kind: Deployment, namespace: payments, name: ledger}, categories: [resources]}]
must: [{means: "that its memory ran out", any: ["OOMKilled", "out of memory", "memory limit"]}]
must_not: [{means: "blames what was shipped a minute before", any: ["recommendations"]}]
remedy: {means: "give it back its memory", any: ["192Mi"]}
difficulty: medium
hops: 3
tags: [storm, red_herring, multi_namespace, change_caused]
"#;

/// A pod that names a `ConfigMap` which isn't there.
pub(crate) const MISSING: &str = r#"
title: a ConfigMap is missing
ask: {alert: {alertname: KubePodNotReady, namespace: shop}}
verdict: fault
causes: [{object: {kind: ConfigMap, namespace: shop, name: settings}, categories: [configuration]}]
must: [{means: "that it is not there", any: ["not found", "missing", "does(n't| not) exist"]}]
difficulty: easy
hops: 1
"#;

/// The same recording, asked in words.
pub(crate) const ASKED: &str = r#"
title: a ConfigMap is missing, asked in words
ask: {question: "web in namespace shop does not start. Why?"}
verdict: fault
causes: [{object: {kind: ConfigMap, namespace: shop, name: settings}, categories: [configuration]}]
difficulty: easy
hops: 1
"#;

/// A suite in a folder of its own.
pub(crate) struct Ground {
    folder: TempDir,
}

impl Ground {
    /// Nothing yet.
    pub(crate) fn new() -> Result<Self> {
        Ok(Self { folder: TempDir::with_prefix("marple-eval-test-")? })
    }

    /// Adds a case with its recording.
    pub(crate) fn case(&self, id: &str, case: &str, bundle: &Bundle) -> Result<()> {
        let folder = self.suite().join(id);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("case.yaml"), case)?;
        bundle.write(&folder.join("incident.bundle")).context("write the recording")
    }

    pub(crate) fn suite(&self) -> PathBuf {
        self.path("suite")
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs `marple eval` over the suite, with nothing of this machine's environment but its paths and what is given.
    pub(crate) async fn eval(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Output> {
        let suite = self.suite().display().to_string();
        self.marple(
            &[&["eval", &suite, "--out", &self.path("out").display().to_string()], arguments].concat(),
            environment,
        )
        .await
    }

    pub(crate) async fn marple(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Output> {
        let mut command = Command::new(binary()?);
        command.args(arguments).env_clear().env("HOME", self.folder.path()).kill_on_drop(true);
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(environment.iter().copied()).current_dir(self.folder.path());
        Ok(tokio::time::timeout(RUNS_WITHIN, command.output()).await.context("marple eval takes too long")??)
    }

    /// The results that were written.
    pub(crate) fn results(&self) -> Result<Results> {
        Ok(Results::read(&self.path("out"))?)
    }

    /// A report that was written.
    pub(crate) fn report(&self, name: &str) -> Result<String> {
        Ok(std::fs::read_to_string(self.path("out").join(name))?)
    }
}

/// What became of each case's first trial.
pub(crate) fn classes(measured: &Measured) -> Vec<(&str, &'static str, String)> {
    let first = |case: &marple_evals::report::CaseResult| (case.trials[0].class.as_str(), case.trials[0].why());
    measured.cases.iter().map(|case| (case.id.as_str(), first(case).0, first(case).1)).collect()
}

/// What a process said on both of its outputs.
pub(crate) fn said(output: &Output) -> String {
    format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

/// The exit code of a process.
pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

/// The storm of the demo.
pub(crate) fn storm() -> Bundle {
    demo_bundle().unwrap()
}

/// A Deployment whose pod waits for a `ConfigMap` that isn't there, without metrics and logs.
pub(crate) fn missing_config_map() -> Bundle {
    let waiting =
        json!({"waiting": {"reason": "CreateContainerConfigError", "message": "configmap \"settings\" not found"}});
    let status = json!({
        "phase": "Pending",
        "conditions": [{"type": "Ready", "status": "False", "reason": "ContainersNotReady", "lastTransitionTime": at(-600)}],
        "containerStatuses": [{"name": "app", "ready": false, "started": false, "restartCount": 0, "image": "web:1",
            "imageID": "", "state": waiting}],
    });
    small(&status, &json!({"observedGeneration": 1, "replicas": 1, "unavailableReplicas": 1}))
}

/// The same with its pod ready for long.
pub(crate) fn healthy() -> Bundle {
    let status = json!({
        "phase": "Running",
        "startTime": at(-86_400),
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at(-86_000)}],
        "containerStatuses": [{"name": "app", "ready": true, "started": true, "restartCount": 0, "image": "web:1",
            "imageID": "web@sha256:1", "state": {"running": {"startedAt": at(-86_000)}}}],
    });
    let replicas = json!({"observedGeneration": 1, "replicas": 1, "readyReplicas": 1, "availableReplicas": 1, "updatedReplicas": 1});
    let mut bundle = small(&status, &replicas);
    // Whoever can't see the metrics can't say that all is well.
    bundle.prometheus = storm().prometheus;
    bundle.prometheus.as_mut().unwrap().series.clear();
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"mode": "fast"},
        "metadata": {"name": "settings", "namespace": "shop", "uid": "u-4", "creationTimestamp": at(-90_000)},
    });
    put(&mut bundle, settings);
    bundle
}

/// A Deployment with one pod in the demo's cluster, of which nothing else is left, and an alert about the pod.
fn small(pod_status: &Value, deployment_status: &Value) -> Bundle {
    let mut bundle = storm();
    bundle.prometheus = None;
    bundle.changes.clear();
    bundle.signals.clear();
    bundle.kubernetes.logs.clear();
    bundle.manifest.namespaces = ["shop".to_owned()].into();
    for resource in &mut bundle.kubernetes.resources {
        resource.objects.retain(|object| resource.kind == "Namespace" && object.name() == "shop");
    }
    let metadata = |name: &str, uid: &str, owner: Option<(&str, &str, &str)>| {
        let mut metadata = json!({"name": name, "namespace": "shop", "uid": uid, "generation": 1,
            "creationTimestamp": at(-86_400), "labels": {"app": "web", "pod-template-hash": "1"}});
        if let Some((kind, name, uid)) = owner {
            metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid,
                "controller": true}]);
        }
        metadata
    };
    let pod =
        json!({"containers": [{"name": "app", "image": "web:1", "envFrom": [{"configMapRef": {"name": "settings"}}]}]});
    let selector = json!({"matchLabels": {"app": "web"}});
    let template = json!({"metadata": {"labels": {"app": "web"}}, "spec": pod});
    put(
        &mut bundle,
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata("web", "u-1", None),
        "spec": {"replicas": 1, "selector": selector, "template": template}, "status": deployment_status}),
    );
    put(
        &mut bundle,
        json!({"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": metadata("web-1", "u-2", Some(("Deployment", "web", "u-1"))),
        "spec": {"replicas": 1, "selector": selector, "template": template}, "status": {"replicas": 1}}),
    );
    put(
        &mut bundle,
        json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": metadata("web-1-a", "u-3", Some(("ReplicaSet", "web-1", "u-2"))), "spec": pod, "status": pod_status}),
    );
    let alert = json!({"labels": {"alertname": "KubePodNotReady", "namespace": "shop", "pod": "web-1-a", "severity": "warning"},
        "annotations": {}, "startsAt": at(-300), "endsAt": at(300), "status": {"state": "active"}, "fingerprint": "0000000000000001"});
    bundle.alertmanager.payloads.clear();
    bundle.alertmanager.alerts = vec![alert];
    bundle
}

/// Puts an object where its kind is recorded.
fn put(bundle: &mut Bundle, object: Value) {
    let kind = object["kind"].as_str().unwrap();
    let resources = &mut bundle.kubernetes.resources;
    let resource = resources
        .iter_mut()
        .find(|resource| resource.kind == kind && resource.group_version == object["apiVersion"].as_str().unwrap());
    let resource = resource.unwrap_or_else(|| panic!("the demo's cluster has no {kind}"));
    let cells = vec![Value::Null; resource.columns.len()];
    resource.objects.push(RecordedObject { object, cells });
}

/// So many seconds after the demo's present.
fn at(seconds: i64) -> String {
    let now = storm_now();
    now.checked_add(jiff::SignedDuration::from_secs(seconds)).unwrap().to_string()
}

fn storm_now() -> jiff::Timestamp {
    static NOW: std::sync::OnceLock<jiff::Timestamp> = std::sync::OnceLock::new();
    *NOW.get_or_init(|| storm().now())
}

/// Writes a program.
pub(crate) fn script(path: &Path, text: &str) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::write(path, text)?;
    Ok(std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?)
}
