//! Where logs are kept, and under which names.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::endpoint::EndpointConfig;

/// A store of logs: it still has those of pods that are gone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogStoreConfig {
    /// What it is.
    pub store: StoreKind,
    /// Where it is, and how it is spoken to.
    pub endpoint: EndpointConfig,
    /// Elasticsearch's and `OpenSearch`'s indices, as `logs-*`; all that the login may read by default.
    #[serde(default)]
    pub index: Option<String>,
    /// Under which names lines carry what is asked for, where they aren't those of the usual shippers.
    #[serde(default)]
    pub fields: FieldNames,
}

/// What keeps logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum StoreKind {
    /// Grafana Loki.
    Loki,
    /// `VictoriaLogs`.
    VictoriaLogs,
    /// Elasticsearch.
    Elasticsearch,
    /// `OpenSearch`.
    #[serde(rename = "opensearch")]
    OpenSearch,
}

/// Names of fields or labels; several where shippers differ. Those that are left out are the usual ones.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct FieldNames {
    /// The pod's namespace.
    pub namespace: Vec<String>,
    /// The pod.
    pub pod: Vec<String>,
    /// The container.
    pub container: Vec<String>,
    /// The level of a line. Not used with Loki, where the line itself is looked at.
    pub level: Vec<String>,
    /// The line. Not used with Loki.
    pub message: Vec<String>,
    /// The time of a line, in Elasticsearch and `OpenSearch`.
    pub time: Option<String>,
}

impl FieldNames {
    /// The names that are set, and for the rest these.
    pub(super) fn or(self, usual: &Usual) -> Self {
        let or = |set: Vec<String>, usual: &[&str]| {
            if set.is_empty() { usual.iter().map(|name| (*name).to_owned()).collect() } else { set }
        };
        Self {
            namespace: or(self.namespace, usual.namespace),
            pod: or(self.pod, usual.pod),
            container: or(self.container, usual.container),
            level: or(self.level, usual.level),
            message: or(self.message, usual.message),
            time: self.time.or_else(|| Some("@timestamp".to_owned())),
        }
    }
}

/// The names that the usual shippers to one store give.
pub(super) struct Usual {
    pub(super) namespace: &'static [&'static str],
    pub(super) pod: &'static [&'static str],
    pub(super) container: &'static [&'static str],
    pub(super) level: &'static [&'static str],
    pub(super) message: &'static [&'static str],
}
