//! The gate's configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done with a call. A later one is stricter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// It is made.
    Allow,
    /// A person is asked before it is made.
    Ask,
    /// It is not made.
    Refuse,
}

/// Which calls of tools are made, asked for or refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GateConfig {
    /// Rules in the order of their weight: the first that fits a call decides.
    pub rules: Vec<GateRule>,
    /// Calls that only look, where no rule fits.
    pub read: Decision,
    /// Calls that run a program or a costly query without changing the cluster, where no rule fits.
    pub exec: Decision,
    /// Calls that change the cluster, where no rule fits; `allow` means `ask` here.
    pub write: Decision,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self { rules: Vec::new(), read: Decision::Allow, exec: Decision::Ask, write: Decision::Refuse }
    }
}

/// What is done with the calls that it fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// Name of the tools, where `*` stands for any letters and `?` for one, as `kubernetes_*`.
    pub tool: String,
    /// Conditions on arguments, each a name and a pattern like that of `tool`, as `namespace: prod-*`; all must hold.
    /// Case doesn't count. An argument that is left out means the whole cluster to many tools: a rule that asks or
    /// refuses fits then too, one that allows doesn't.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// What is done.
    pub decision: Decision,
}
