//! What whoever recorded might do.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, ensure};
use marple_tests::cluster_or_return;
use marple_tests::kubeconfig::Kubeconfig;
use marple_tests::stage::Fault;

use crate::kubectl::{Kubectl, differing, words};
use crate::replaying::{Replaying, record, record_with};

/// How answers begin.
const YES: &str = "exit status: 0yes";
const NO: &str = "exit status: 1no";

const ROLLED_OUT_WITHIN: Duration = Duration::from_secs(90);

/// What the account of [`Kubeconfig::restricted`] may do beside reading workloads, and a binding to a role that is gone.
const MORE: &str = "
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: some}
rules:
- {apiGroups: [''], resources: [configmaps], resourceNames: [settings], verbs: [get]}
- {apiGroups: ['*'], resources: ['*/scale'], verbs: [patch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: some}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: some}
subjects: [{kind: ServiceAccount, name: narrow}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: dangles}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gone}
subjects: [{kind: ServiceAccount, name: narrow}]
";

fn questions(namespace: &str) -> Vec<Vec<String>> {
    let lines = [
        "auth can-i get pods -n NS",
        "auth can-i delete pods",
        "auth can-i delete pods -n NS",
        "auth can-i create deployments.apps -n NS",
        "auth can-i get secrets -n kube-system",
        "auth can-i get pods -n kube-system",
        "auth can-i get pods --all-namespaces",
        "auth can-i get nodes",
        "auth can-i * *",
        "auth can-i * * -n NS",
        "auth can-i get configmaps -n NS",
        "auth can-i get configmaps/settings -n NS",
        "auth can-i get configmaps/others -n NS",
        "auth can-i patch deployments.apps --subresource=scale -n NS",
        "auth can-i patch pods --subresource=exec -n NS",
        "auth can-i approve certificatesigningrequests",
        "auth can-i impersonate users",
        "auth can-i get /healthz",
        "auth can-i get /metrics",
        "auth can-i post /api/v1",
        "auth can-i --list",
        "auth can-i --list -n NS",
        "auth can-i --list -n kube-system",
    ];
    lines.into_iter().map(|line| words(line, namespace)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kubectl_auth_can_i_is_answered_as_whoever_recorded_was() -> Result<()> {
    let cluster = cluster_or_return!();
    let namespace = cluster.namespace("evals-access").await?;
    namespace.apply(Fault::MissingConfiguration.healthy()).await?;
    cluster.rolled_out(namespace.name(), ROLLED_OUT_WITHIN).await?;
    let viewer = Kubeconfig::restricted(&cluster, &namespace).await?;
    namespace.apply(MORE).await?;
    let viewer = PathBuf::from(viewer.path());
    let folder = tempfile::tempdir()?;
    let questions = questions(namespace.name());
    let of_nothing = ["auth can-i get pods -n nothing-there", "auth can-i --list -n nothing-there"];
    let of_nothing = of_nothing.map(|line| words(line, namespace.name()));

    let file = folder.path().join("admin.bundle");
    record(&cluster, namespace.name(), &file).await?;
    let by_admin =
        compare(&[&questions[..], &of_nothing].concat(), &Kubectl::live(&cluster), &file, folder.path()).await?;
    ensure!(!by_admin.iter().any(|answer| answer.starts_with(NO)), "{by_admin:#?}");

    let file = folder.path().join("viewer.bundle");
    record_with(&viewer, namespace.name(), &file).await?;
    let by_viewer = compare(&questions, &Kubectl::with(&viewer), &file, folder.path()).await?;
    ensure!(by_viewer.iter().filter(|answer| answer.starts_with(YES)).count() >= 4, "{by_viewer:#?}");
    ensure!(by_viewer.iter().filter(|answer| answer.starts_with(NO)).count() >= 12, "{by_viewer:#?}");
    // Who may not list namespaces can't tell one that isn't there from one that wasn't asked of.
    let replay = Replaying::start(&file, folder.path()).await?;
    let answers = Kubectl::with(&replay.kubeconfig).all(&of_nothing, &folder.path().join("cache")).await?;
    ensure!(answers.iter().all(|answer| answer.contains("the recording doesn't tell")), "{answers:#?}");
    Ok(())
}

/// What the cluster answers, after it was compared with what the replay does.
async fn compare(questions: &[Vec<String>], live: &Kubectl, file: &Path, folder: &Path) -> Result<Vec<String>> {
    let cache = tempfile::tempdir_in(folder)?;
    let answers = live.all(questions, &cache.path().join("live")).await?;
    let replay = Replaying::start(file, cache.path()).await?;
    let replayed = Kubectl::with(&replay.kubeconfig).all(questions, &cache.path().join("replay")).await?;
    let differing = differing(questions, &answers, &replayed);
    ensure!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
    Ok(answers)
}
