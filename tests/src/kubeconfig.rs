//! Kubeconfigs that tests give the program.

use anyhow::{Context as _, Result};
use k8s_openapi::api::authentication::v1::TokenRequest;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use crate::cluster::{Namespace, TestCluster};
use crate::proxy::Proxy;

/// A kubeconfig in a folder of its own.
pub struct Kubeconfig(tempfile::TempDir);

impl Kubeconfig {
    /// Its file.
    pub fn path(&self) -> String {
        self.0.path().join("kubeconfig").display().to_string()
    }

    fn write(server: &str, user: &Value) -> Result<Self> {
        let folder = tempfile::TempDir::with_prefix("marple-kubeconfig-")?;
        let config = json!({
            "apiVersion": "v1", "kind": "Config", "current-context": "test",
            "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
            "clusters": [{ "name": "test", "cluster": { "server": server, "insecure-skip-tls-verify": true } }],
            "users": [{ "name": "test", "user": user }]
        });
        std::fs::write(folder.path().join("kubeconfig"), config.to_string())?;
        Ok(Self(folder))
    }

    /// The tests' own rights, through a proxy.
    pub fn through(cluster: &TestCluster, proxy: &Proxy) -> Result<Self> {
        let kubeconfig = match cluster.kubeconfig() {
            Some(file) => kube::config::Kubeconfig::read_from(file)?,
            None => kube::config::Kubeconfig::read()?,
        };
        let context =
            kubeconfig.contexts.iter().find(|context| context.name == cluster.context()).context("context")?;
        let name = context.context.as_ref().and_then(|context| context.user.clone()).context("user")?;
        let user = kubeconfig.auth_infos.iter().find(|user| user.name == name).context("user")?;
        let mut user = serde_json::to_value(&user.auth_info)?;
        if let Some(auth) =
            kubeconfig.auth_infos.iter().find(|user| user.name == name).and_then(|user| user.auth_info.as_ref())
            && let Some(token) = &auth.token
        {
            user = json!({ "token": secrecy::ExposeSecret::expose_secret(token) });
        }
        Self::write(&format!("https://{}", proxy.address()), &user)
    }

    /// An account that may read Deployments, ReplicaSets and Pods of one namespace, and nothing else.
    pub async fn restricted(cluster: &TestCluster, namespace: &Namespace) -> Result<Self> {
        namespace
            .apply(
                "apiVersion: v1\nkind: ServiceAccount\nmetadata: { name: narrow }\n---\n\
                 apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: { name: narrow }\n\
                 rules: [{ apiGroups: [\"\", apps], resources: [pods, deployments, replicasets], verbs: [get, list] }]\n---\n\
                 apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: { name: narrow }\n\
                 roleRef: { apiGroup: rbac.authorization.k8s.io, kind: Role, name: narrow }\n\
                 subjects: [{ kind: ServiceAccount, name: narrow }]\n",
            )
            .await?;
        let accounts: Api<ServiceAccount> = namespace.api();
        let request: TokenRequest =
            serde_json::from_value(json!({ "spec": { "audiences": [], "expirationSeconds": 3600 } }))?;
        let token = accounts.create_token_request("narrow", &PostParams::default(), &request).await?;
        let token = token.status.context("a token")?.token;
        Self::write(&cluster.config().cluster_url.to_string(), &json!({ "token": token }))
    }
}
