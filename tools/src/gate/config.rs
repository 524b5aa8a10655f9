//! The gate's configuration.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Effect;

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
    /// Which objects of the cluster are looked at at all, by the model's tools and by captures: the first that fits
    /// decides. What none fits is looked at.
    pub objects: Vec<ObjectRule>,
    /// Calls that only look, where no rule fits.
    pub read: Decision,
    /// Calls that run a program or a costly query without changing the cluster, where no rule fits.
    pub exec: Decision,
    /// Calls that change the cluster, where no rule fits; `allow` means `ask` here.
    pub write: Decision,
}

impl Default for GateConfig {
    fn default() -> Self {
        Self {
            rules: Vec::new(),
            objects: Vec::new(),
            read: Decision::Allow,
            exec: Decision::Ask,
            write: Decision::Refuse,
        }
    }
}

impl GateConfig {
    /// The first setting that can't be meant, and what is wrong with it.
    pub fn fault(&self) -> Option<(String, String)> {
        self.objects.iter().enumerate().find_map(|(index, rule)| {
            let kind = rule.kind.as_deref().filter(|kind| kind.contains(['/', '.']))?;
            let what = format!("{kind:?} has a group: write the kind alone, as `Secret`; it fits that of every group");
            Some((format!("objects.[{index}].kind"), what))
        })
    }
}

/// Who has tools called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Caller {
    /// An investigation of an incident, by itself.
    Investigation,
    /// A person at a terminal, by `ask` or `investigate`.
    #[default]
    CommandLine,
    /// A person in a conversation over HTTP.
    Chat,
}

/// What a change would change, as patterns like that of `tool`. All that are given must fit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangedObject {
    /// The kind, as `Deployment`.
    pub kind: Option<String>,
    /// The namespace; what is in none does not fit.
    pub namespace: Option<String>,
    /// The name.
    pub name: Option<String>,
}

/// What is done with the calls that it fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GateRule {
    /// Name of the tools, where `*` stands for any letters and `?` for one, as `kubernetes_*`. Absent: any.
    #[serde(default = "any")]
    pub tool: String,
    /// Only calls with this effect.
    #[serde(default)]
    pub effect: Option<Effect>,
    /// Only calls of this caller.
    #[serde(default)]
    pub caller: Option<Caller>,
    /// Only changes of such an object, as the server names it, whatever the arguments. Calls that look never fit:
    /// `objects` is for them.
    #[serde(default)]
    pub object: Option<ChangedObject>,
    /// Conditions on arguments, each a name and a pattern like that of `tool`, as `namespace: prod-*`; all must hold.
    /// Case doesn't count. An argument that is left out means the whole cluster to many tools: a rule that asks or
    /// refuses fits then too, one that allows doesn't.
    #[serde(default)]
    pub arguments: BTreeMap<String, String>,
    /// What is done.
    pub decision: Decision,
}

/// Whether an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// It is.
    Allow,
    /// It is not: neither it, nor its log, nor its events.
    Refuse,
}

/// Whether the objects that it fits are looked at. In patterns `*` stands for any letters and `?` for one; case doesn't
/// count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ObjectRule {
    /// The kind or its plural without a group, as `Secret`. Absent: any.
    #[serde(default)]
    pub kind: Option<String>,
    /// The namespace; it fits the Namespace of that name too, and nothing else that is in no namespace. Absent: any.
    #[serde(default)]
    pub namespace: Option<String>,
    /// The name. Absent: any.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether they are looked at.
    pub decision: Sight,
}

fn any() -> String {
    "*".to_owned()
}

impl Default for GateRule {
    fn default() -> Self {
        Self {
            tool: any(),
            effect: None,
            caller: None,
            object: None,
            arguments: BTreeMap::new(),
            decision: Decision::Refuse,
        }
    }
}
