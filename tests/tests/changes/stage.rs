//! A namespace with objects, and a program that tells what changes in it.

use std::time::Duration;

use anyhow::Result;
use kube::api::{Patch, PatchParams};
use kube::core::NamespaceResourceScope;
use kube::{Api, Resource};
use marple_core::Change;
use marple_tests::cluster::{Namespace, TestCluster, wait_for};
use marple_tests::program::Program;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// The longest that a change may take to be told.
pub(crate) const TOLD_WITHIN: Duration = Duration::from_secs(30);

/// Under this name the tests write.
pub(crate) const WRITER: &str = "kubectl-edit";

pub(crate) const OBJECTS: &str = r#"
apiVersion: apps/v1
kind: Deployment
metadata: { name: cart, annotations: { meta.helm.sh/release-name: cart, meta.helm.sh/release-namespace: shop } }
spec:
  replicas: 1
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec: { terminationGracePeriodSeconds: 0, containers: [{ name: app, image: "localhost/pause:1", envFrom: [{ configMapRef: { name: settings } }] }] }
---
apiVersion: v1
kind: ConfigMap
metadata: { name: settings }
data: { timeout: 5s, app.yaml: "pool: 8\nretries: 3\n", db_password: first-value-of-a-secret }
---
apiVersion: v1
kind: Secret
metadata: { name: credentials }
stringData: { password: correct-horse-battery-staple }
---
apiVersion: v1
kind: Service
metadata: { name: cart }
spec: { selector: { app: cart }, ports: [{ port: 80 }] }
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: { name: reader }
rules: [{ apiGroups: [""], resources: [pods], verbs: [get, list] }]
---
apiVersion: v1
kind: ResourceQuota
metadata: { name: team }
spec: { hard: { pods: "10" } }
"#;

/// A namespace with objects, and a program that knows them.
pub(crate) struct Stage {
    pub(crate) cluster: TestCluster,
    pub(crate) namespace: Namespace,
    pub(crate) program: Program,
}

impl Stage {
    pub(crate) async fn open(cluster: TestCluster, name: &str, more: &str) -> Result<Self> {
        let namespace = cluster.namespace(name).await?;
        namespace.apply(OBJECTS).await?;
        let configuration = format!("cluster: {{ name: test, {}, discover: false }}\n{more}", cluster.settings());
        let program = Program::serve(&configuration, &[]).await?;
        let stage = Self { cluster, namespace, program };
        stage.listed().await?;
        Ok(stage)
    }

    /// Waits until the kinds of the objects were listed, from which on what differs is a change.
    async fn listed(&self) -> Result<()> {
        for kind in ["Deployment", "ConfigMap", "Secret", "Service", "Role", "ResourceQuota"] {
            self.knows(kind).await?;
        }
        Ok(())
    }

    /// Waits until the objects of a kind in the namespace are known.
    pub(crate) async fn knows(&self, kind: &str) -> Result<()> {
        wait_for(&format!("the list of {kind}s"), TOLD_WITHIN, || async {
            let path = format!("/api/changes/kept?cluster=test&kind={kind}");
            let kept = self.program.get(&path).await.map_err(|error| error.to_string())?;
            let states = kept["states"].as_array().into_iter().flatten();
            let mut here = states.filter(|state| state["object"]["namespace"] == self.namespace.name());
            (kept["listed_at"].is_string() && here.next().is_some()).then_some(()).ok_or(format!("{kept}"))
        })
        .await
    }

    pub(crate) fn api<K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>>(&self) -> Api<K> {
        Api::namespaced(self.cluster.client(), self.namespace.name())
    }

    /// Alters an object as a person with an editor does.
    pub(crate) async fn alter<K>(&self, name: &str, patch: Value) -> Result<()>
    where
        K: Resource<Scope = NamespaceResourceScope, DynamicType = ()>
            + Clone
            + DeserializeOwned
            + Serialize
            + std::fmt::Debug,
    {
        let parameters = PatchParams { field_manager: Some(WRITER.to_owned()), ..PatchParams::default() };
        self.api::<K>().patch(name, &parameters, &Patch::Strategic(patch)).await?;
        Ok(())
    }

    /// The changes of the namespace, latest first.
    pub(crate) async fn changes(&self) -> Result<Vec<Change>> {
        let page = self.program.get(&format!("/api/changes?namespace={}&limit=500", self.namespace.name())).await?;
        let changes: Vec<Change> = serde_json::from_value(page["changes"].clone())?;
        Ok(changes
            .into_iter()
            .filter(|change| change.object.namespace.as_deref() == Some(self.namespace.name()))
            .collect())
    }

    /// Waits for a change of this object which tells this field so.
    pub(crate) async fn told(&self, kind: &str, name: &str, field: &str) -> Result<Change> {
        wait_for(&format!("{kind} {name}: {field}"), TOLD_WITHIN, || async {
            let changes = self.changes().await.map_err(|error| error.to_string())?;
            let fits = |change: &&Change| {
                change.object.kind == kind
                    && change.object.name == name
                    && change.fields.iter().any(|one| one.to_string() == field)
            };
            changes.iter().find(fits).cloned().ok_or_else(|| format!("these are told: {changes:#?}"))
        })
        .await
    }
}
