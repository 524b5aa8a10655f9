//! Which toolsets there are besides the built-in ones.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::command::CommandConfig;

/// Toolsets of your own, and what they may do.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ToolsetsConfig {
    /// Files with `toolsets` and `mcp_servers` in HolmesGPT's format; of a folder, all its files that end in `.yaml` or
    /// `.yml`.
    pub files: Vec<PathBuf>,
    /// Folders with skills: `SKILL.md` in them and two levels deep, or a `catalog.json`.
    pub skills: Vec<PathBuf>,
    /// Names of toolsets and MCP servers that only look, where `*` stands for any letters: their tools pass the gate as other looks do;
    /// of an MCP server those that it says only look. For the others the gate asks.
    pub trusted: Vec<String>,
    /// What one of their commands may take.
    pub command: CommandConfig,
}
