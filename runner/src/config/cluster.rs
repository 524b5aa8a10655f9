//! Which cluster is looked at.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

/// The cluster that marple explains.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ClusterConfig {
    /// Its name in messages.
    pub name: String,
    /// Context of the kubeconfig. Absent: the current context, else inside a cluster the service account.
    pub context: Option<String>,
    /// The kubeconfig. Absent: `KUBECONFIG`, else `~/.kube/config`.
    pub kubeconfig: Option<PathBuf>,
    /// Whether there is a cluster to look at. Without one, incidents are told by what their alerts say.
    pub enabled: bool,
    /// Whether a Prometheus, or what speaks its API, is looked for in the cluster where `prometheus` names none.
    pub discover: bool,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self { name: "kubernetes".to_owned(), context: None, kubeconfig: None, enabled: true, discover: true }
    }
}
