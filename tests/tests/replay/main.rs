//! A replay answers as the cluster and its monitoring did.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod access;
mod ages;
mod kubectl;
mod prometheus;
mod replaying;
mod usage;

use anyhow::{Result, ensure};
use marple_tests::cluster_or_return;
use marple_tests::stage::Fault;

use kubectl::{Kubectl, differing, words};
use replaying::{Replaying, record};

/// What people ask first, and programs through `kubectl`.
fn questions(namespace: &str) -> Vec<Vec<String>> {
    let account = format!("--as=system:serviceaccount:{namespace}:watcher");
    let lines = [
        "get pods -n NS",
        "get pods -n NS -o wide --show-labels",
        "get pods -n NS -o yaml",
        "get pods -n NS -o json --field-selector=status.phase=Running",
        "get pods -n NS -l app=cart -o name",
        "get pods -n NS -l app!=cart -o name",
        "get pods -n NS -l app=cart --limit=1 -o name",
        "get pods -n NS --sort-by=.metadata.name",
        "get pods,rs,deploy,cm -n NS -o name",
        "get deploy cart -n NS -o jsonpath={.spec.template.spec.containers[*].image}",
        "get deploy cart -n NS -o yaml --show-managed-fields",
        "get deploy nothing -n NS",
        "get all -n NS -o name",
        "get rs -n NS -o wide",
        "get cm,sa,role,rolebinding -n NS",
        "get nodes -o name",
        "get nodes",
        "get ns NS -o yaml",
        "get sc,pv,priorityclass",
        "get events -n NS -o custom-columns=R:.reason,O:.involvedObject.name,M:.message",
        "events -n NS --types=Normal",
        "describe pods -n NS",
        "describe deploy cart -n NS",
        "describe rs -n NS",
        "describe cm -n NS",
        "describe role,rolebinding -n NS",
        "rollout history deploy/cart -n NS",
        "rollout status deploy/cart -n NS --watch=false",
        "logs -n NS deploy/cart --tail=20 --timestamps",
        "logs -n NS deploy/cart --all-containers --limit-bytes=200",
        "logs -n NS deploy/cart --previous",
        "logs -n NS deploy/cart -c nothing",
        "api-resources --sort-by=name",
        "api-resources --namespaced=false --verbs=list -o name",
        "api-versions",
        "version -o yaml",
        "explain pods",
        "explain deployment.spec.strategy",
        "explain configmap --recursive",
        "auth can-i get pods -n NS",
        "auth can-i list deployments.apps",
        "auth can-i get pods -n NS ACCOUNT",
        "auth can-i delete pods -n NS ACCOUNT",
        "auth can-i get pods -n kube-system ACCOUNT",
    ];
    lines.into_iter().map(|line| words(&line.replace("ACCOUNT", &account), namespace)).collect()
}

const ACCOUNT: &str = "
apiVersion: v1
kind: ServiceAccount
metadata: {name: watcher}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: watch-pods}
rules: [{apiGroups: [''], resources: [pods], verbs: [get, list]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: watch-pods}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: watch-pods}
subjects: [{kind: ServiceAccount, name: watcher}]
";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_answers_kubectl_and_prometheus_as_they_were_answered_when_it_was_recorded() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("evals-replay").await?;
    namespace.apply(ACCOUNT).await?;
    Fault::MissingConfiguration.stage(&cluster, &namespace).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("incident.bundle");
    let live = Kubectl::live(&cluster);
    let questions = questions(namespace.name());
    let cache = folder.path().join("cache");

    let before = live.all(&questions, &cache).await?;
    record(&cluster, namespace.name(), &file).await?;
    let after = live.all(&questions, &cache).await?;

    let replay = Replaying::start(&file, folder.path()).await?;
    let kubectl = Kubectl::with(&replay.kubeconfig);
    let replayed = kubectl.all(&questions, &folder.path().join("other-cache")).await?;
    // What changed while it was recorded can't be compared.
    let still = |number: &usize| before[*number] == after[*number];
    let compared: Vec<usize> = (0..questions.len()).filter(still).collect();
    let of = |answers: &[String]| -> Vec<String> { compared.iter().map(|number| answers[*number].clone()).collect() };
    let asked: Vec<Vec<String>> = compared.iter().map(|number| questions[*number].clone()).collect();
    let differing = differing(&asked, &of(&after), &of(&replayed));
    ensure!(differing.is_empty(), "{} of {} differ:\n{}", differing.len(), compared.len(), differing.join("\n"));
    ensure!(compared.len() * 5 >= questions.len() * 4, "only {} of {} held still", compared.len(), questions.len());

    let refused = kubectl
        .ask(&["delete".into(), "pods".into(), "--all".into(), "-n".into(), namespace.name().into()], &cache)
        .await?;
    ensure!(refused.contains("a recorded incident can't be changed"), "{refused}");
    prometheus::compare_queries(&cluster, namespace.name(), &replay).await
}
