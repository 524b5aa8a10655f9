//! Tools of MCP servers: programs of this machine (stdio), and servers that are reached over HTTP.

mod connection;
mod content;
mod schema;
mod server;
mod settings;
mod sse;
mod stdio;
mod tool;

use crate::toolset::Toolset;
pub(crate) use settings::{Address, Reach, Settings};

/// The toolset of an MCP server, which works while the server tells its tools.
pub(crate) fn toolset(name: &str, description: &str, settings: Settings) -> Toolset {
    Toolset::new(name, description, server::Server::new(name, settings))
}

#[cfg(test)]
mod tests;
