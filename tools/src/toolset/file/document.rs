//! The format: what a file may hold.

use std::collections::BTreeMap;

use marple_core::Secret;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::near::nearest;

/// A file, its entries still to be read.
#[derive(Debug)]
pub(super) struct Document {
    /// Toolsets by their names.
    pub(super) toolsets: Map<String, Value>,
    /// MCP servers by their names.
    pub(super) servers: Map<String, Value>,
}

/// An MCP server.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerEntry {
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(rename = "description")]
    _description: Option<String>,
    #[serde(rename = "docs_url")]
    _docs_url: Option<IgnoredAny>,
    #[serde(rename = "icon_url")]
    _icon_url: Option<IgnoredAny>,
    #[serde(rename = "tags", default)]
    _tags: Vec<Tag>,
    pub(super) llm_instructions: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) approval_required_tools: Vec<String>,
    pub(super) config: ReachEntry,
}

/// How an MCP server is reached.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReachEntry {
    pub(super) mode: Option<ReachMode>,
    pub(super) url: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) headers: BTreeMap<String, Secret>,
    #[serde(default = "yes")]
    pub(super) verify_ssl: bool,
    pub(super) command: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) args: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) env: BTreeMap<String, Secret>,
    #[serde(rename = "icon_url")]
    _icon_url: Option<IgnoredAny>,
}

/// The transport to an MCP server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ReachMode {
    Sse,
    StreamableHttp,
    Stdio,
}

/// A toolset.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolsetEntry {
    #[serde(default = "yes")]
    pub(super) enabled: bool,
    #[serde(rename = "type")]
    _type: Option<IgnoredAny>,
    pub(super) description: Option<String>,
    pub(super) docs_url: Option<String>,
    #[serde(rename = "icon_url")]
    _icon_url: Option<IgnoredAny>,
    pub(super) installation_instructions: Option<String>,
    #[serde(rename = "tags", default)]
    _tags: Vec<Tag>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) prerequisites: Vec<PrerequisiteEntry>,
    #[serde(default)]
    pub(super) config: Value,
    pub(super) llm_instructions: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) transformers: Vec<Transformer>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) approval_required_tools: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) tools: Vec<ToolEntry>,
}

/// Where HolmesGPT uses a toolset: in its server, on a laptop, or in both. marple uses each in both.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Tag {
    Core,
    Cluster,
    Cli,
}

/// What must hold for a toolset to work: one of a command, variables, and a plain yes or no.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PrerequisiteEntry {
    pub(super) command: Option<String>,
    pub(super) expected_output: Option<String>,
    pub(super) env: Option<Vec<String>>,
    pub(super) enabled: Option<bool>,
    pub(super) disabled_reason: Option<String>,
}

/// Something done to outputs. There is one kind.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Transformer {
    #[serde(rename = "name")]
    _name: TransformerName,
    #[serde(rename = "config", default)]
    _config: Option<Summary>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TransformerName {
    LlmSummarize,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Summary {
    #[serde(rename = "input_threshold")]
    _input_threshold: Option<u64>,
    #[serde(rename = "prompt")]
    _prompt: Option<String>,
    #[serde(rename = "fast_model")]
    _fast_model: Option<String>,
}

/// The configuration of a toolset that gets pages.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct PagesEntry {
    pub(super) endpoints: Vec<SiteEntry>,
    pub(super) timeout_seconds: Option<u64>,
    #[serde(default)]
    pub(super) block_internal_ips: bool,
}

/// Hosts that may be asked alike.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SiteEntry {
    pub(super) hosts: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) paths: Vec<String>,
    #[serde(default = "get", deserialize_with = "or_default")]
    pub(super) methods: Vec<String>,
    pub(super) auth: Option<LoginEntry>,
    pub(super) health_check_url: Option<String>,
}

/// How to log in there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct LoginEntry {
    #[serde(rename = "type")]
    pub(super) kind: LoginKind,
    pub(super) username: Option<String>,
    pub(super) password: Option<Secret>,
    pub(super) token: Option<Secret>,
    pub(super) name: Option<String>,
    pub(super) value: Option<Secret>,
}

/// By what it is logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum LoginKind {
    None,
    Basic,
    Bearer,
    Header,
    Digest,
}

fn get() -> Vec<String> {
    vec!["GET".to_owned()]
}

/// A tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ToolEntry {
    pub(super) name: String,
    pub(super) description: String,
    pub(super) command: Option<String>,
    pub(super) script: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) parameters: Map<String, Value>,
    pub(super) user_description: Option<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub(super) transformers: Vec<Transformer>,
}

/// A parameter of a tool.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ParameterEntry {
    #[serde(rename = "type", default)]
    pub(super) kind: Kind,
    pub(super) description: Option<String>,
    #[serde(default = "yes")]
    pub(super) required: bool,
    #[serde(rename = "enum")]
    pub(super) choices: Option<Vec<Value>>,
    pub(super) items: Option<Value>,
    pub(super) properties: Option<Map<String, Value>>,
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    #[default]
    String,
    Integer,
    Number,
    Boolean,
    Array,
    Object,
}

impl Default for ParameterEntry {
    fn default() -> Self {
        Self { kind: Kind::String, description: None, required: true, choices: None, items: None, properties: None }
    }
}

const fn yes() -> bool {
    true
}

/// A key without a value means the same as none.
fn or_default<'de, T: Default + Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Reads an entry; an error names its path, which begins with `path`, and what may have been meant.
pub(super) fn entry<T: serde::de::DeserializeOwned>(path: &str, value: Value) -> Result<T, String> {
    serde_path_to_error::deserialize(value).map_err(|error| {
        let inner = error.path().to_string();
        let place = if inner == "." { path.to_owned() } else { format!("{path}.{inner}") };
        format!("{place}: {}", with_near_name(&error.into_inner().to_string()))
    })
}

/// Adds to serde's message on an unknown field or variant the known one that is most like it.
fn with_near_name(message: &str) -> String {
    let mut quoted = message.split('`').skip(1).step_by(2);
    let Some(wrong) = quoted.next().filter(|_| message.starts_with("unknown ")) else { return message.to_owned() };
    match nearest(wrong, quoted, 1).first() {
        Some(near) => format!("{message}; did you mean `{near}`?"),
        None => message.to_owned(),
    }
}
