//! `marple record`: by an account that may not read everything, of an incident, and by a marple that serves itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::process::Stdio;
use std::time::Duration;

use anyhow::Result;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams};
use marple_core::{Change, ChangeKind, SignalSource};
use marple_evals::Bundle;
use marple_evals::bundle::{Past, RecordedObject};
use marple_tests::cluster::wait_for;
use marple_tests::cluster_or_return;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::program::{Program, TOKEN, binary};
use marple_tests::stage::Fault;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

/// The most that recording two small namespaces may take.
const RECORDED_WITHIN: Duration = Duration::from_secs(90);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_may_be_read_is_recorded_and_what_may_not_is_recorded_as_refused_and_named() -> Result<()> {
    let cluster = cluster_or_return!();
    let (open, closed) = (cluster.namespace("runner-open").await?, cluster.namespace("runner-closed").await?);
    open.apply(Fault::MissingConfiguration.healthy()).await?;
    cluster.rolled_out(open.name(), RECORDED_WITHIN).await?;
    let kubeconfig = Kubeconfig::restricted(&cluster, &open).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("outage.bundle");
    let record = Command::new(binary()?)
        .args(["record", "--out"])
        .arg(&file)
        .args(["--namespace", &format!("{},{}", open.name(), closed.name())])
        .env("KUBECONFIG", kubeconfig.path())
        .output();
    let ended = tokio::time::timeout(RECORDED_WITHIN, record).await??;
    let said = String::from_utf8(ended.stdout)?;
    assert!(ended.status.success(), "{said}\n{}", String::from_utf8_lossy(&ended.stderr));
    assert!(said.contains("Not recorded, for the API server refuses it: "), "{said}");
    assert!(said.contains(&format!("of namespace {}", closed.name())) && said.contains("nodes"), "{said}");

    let bundle = Bundle::read(&file)?;
    let resource = |name: &str| bundle.kubernetes.resources.iter().find(|one| one.resource == name).unwrap();
    let pods = resource("pods");
    assert!(!pods.objects.is_empty() && pods.objects.iter().all(|pod| pod.namespace() == open.name()));
    assert!(pods.refusal(Some(open.name())).is_none());
    assert_eq!(pods.refusal(Some(closed.name())).unwrap()["reason"], "Forbidden");
    assert_eq!(pods.refusal(None).unwrap()["reason"], "Forbidden", "a list over all namespaces would be a false one");
    assert_eq!(resource("nodes").refusal(None).unwrap()["code"], 403);
    assert!(resource("configmaps").refusal(Some(open.name())).is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_while_it_is_recorded_is_known_step_by_step() -> Result<()> {
    const SETTINGS: &str = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: NAME}\ndata: {limit: '1'}\n";
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("evals-watched").await?;
    let settings: Api<ConfigMap> = namespace.api();
    namespace.apply(&SETTINGS.replace("NAME", "gone")).await?;
    namespace.apply(&SETTINGS.replace("NAME", "altered")).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("watched.bundle");
    let mut record = Command::new(binary()?)
        .args(["record", "--namespace", namespace.name(), "--context", cluster.context(), "--watch", "5s", "--out"])
        .arg(&file)
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()?;
    let mut told = BufReader::new(record.stderr.take().unwrap()).lines();
    let happened = async {
        while let Some(line) = told.next_line().await? {
            if line.contains("what happens in 5 s") {
                namespace.apply(&SETTINGS.replace("NAME", "new")).await?;
                let patch = Patch::Merge(json!({"data": {"limit": "2"}}));
                settings.patch("altered", &PatchParams::default(), &patch).await?;
                settings.delete("gone", &DeleteParams::default()).await?;
            }
        }
        anyhow::Ok(record.wait().await?)
    };
    assert!(tokio::time::timeout(RECORDED_WITHIN, happened).await??.success());

    let bundle = Bundle::read(&file)?;
    let known = |at: Timestamp| -> Result<Vec<(String, Option<String>)>> {
        let Past { bundle, unknown } = bundle.clone().as_of(at)?;
        assert_eq!(unknown, Vec::<String>::new());
        let maps = bundle.kubernetes.resources.iter().find(|one| one.resource == "configmaps").unwrap();
        let own = maps.objects.iter().filter(|map| map.name() != "kube-root-ca.crt");
        let limit = |map: &RecordedObject| map.object["data"]["limit"].as_str().map(str::to_owned);
        Ok(own.map(|map| (map.name().to_owned(), limit(map))).collect())
    };
    let with = |all: &[(&str, &str)]| -> Vec<(String, Option<String>)> {
        all.iter().map(|(name, limit)| ((*name).to_owned(), Some((*limit).to_owned()))).collect()
    };
    let listed = bundle.manifest.listed_at.unwrap();
    assert_eq!(known(listed)?, with(&[("altered", "1"), ("gone", "1")]));
    assert_eq!(known(bundle.now())?, with(&[("altered", "2"), ("new", "1")]));
    assert!(bundle.now().duration_since(listed).as_secs() >= 5);
    assert!(bundle.kubernetes.open_api.iter().any(|document| document.path == "api/v1"));
    Ok(())
}

/// The incident opens, is explained, and is looked for every 15 s.
const RECORDED_BY_ITSELF_WITHIN: Duration = Duration::from_mins(3);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_incident_is_recorded_by_policy_and_by_its_name_with_its_signals_and_what_changed() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("evals-recorded").await?;
    let folder = tempfile::tempdir()?;
    let kept = folder.path().join("recordings");
    let configuration = format!(
        "cluster: {{ context: {} }}\nforwarder: {{ namespaces: {{ include: [{}] }} }}\n\
         recordings: {{ folder: {}, severity: info, after: 1s }}\n",
        cluster.context(),
        namespace.name(),
        kept.display()
    );
    let program = Program::serve(&configuration, &[]).await?;
    Fault::MissingConfiguration.break_after_rollout(&cluster, &namespace).await?;

    let file = wait_for("a recording", RECORDED_BY_ITSELF_WITHIN, || async {
        let files = std::fs::read_dir(&kept).map_err(|error| error.to_string())?;
        let mut files = files.filter_map(|entry| Some(entry.ok()?.path()));
        files.find(|path| path.extension().is_some_and(|end| end == "bundle")).ok_or_else(|| "none".to_owned())
    })
    .await?;
    let incident = file.file_stem().unwrap().to_str().unwrap().to_owned();
    holds(&Bundle::read(&file)?, namespace.name());

    let named = folder.path().join("named.bundle");
    let record = Command::new(binary()?)
        .args(["record", "--incident", &incident, "--url", &program.url(""), "--context", cluster.context()])
        .arg("--out")
        .arg(&named)
        .env("MARPLE_TOKEN", TOKEN)
        .output();
    let ended = tokio::time::timeout(RECORDED_WITHIN, record).await??;
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    holds(&Bundle::read(&named)?, namespace.name());
    Ok(())
}

/// The recording has the namespace, what the forwarder told of it and what was changed there.
fn holds(bundle: &Bundle, namespace: &str) {
    assert_eq!(bundle.manifest.namespaces, [namespace.to_owned()].into());
    assert!(!bundle.signals.is_empty(), "{:?}", bundle.manifest);
    assert!(bundle.signals.iter().all(|signal| signal.source == SignalSource::Forwarder));
    let altered = |change: &Change| {
        change.object.namespace.as_deref() == Some(namespace)
            && change.object.is("Deployment")
            && change.kind == ChangeKind::Altered
    };
    assert!(bundle.changes.iter().any(altered), "{:#?}", bundle.changes);
    let times: Vec<_> = bundle.changes.iter().map(|change| change.at).collect();
    assert!(times.is_sorted(), "{times:?}");
}
