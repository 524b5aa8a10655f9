//! A toolset as people see it.

use serde::Serialize;

/// Whether a toolset can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Its tools are offered.
    On,
    /// They are not.
    Off,
}

/// A toolset as people see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// Its name.
    pub name: String,
    /// What it looks at.
    pub description: String,
    /// Whether its tools are offered.
    pub state: State,
    /// Why it is off, or why its last probe failed although it is still on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Names of the tools that are offered.
    pub tools: Vec<String>,
    /// What is worth knowing besides, as a tool that is left out and why.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
}
