//! How an MCP server is reached, and what is made of its tools.

use std::collections::BTreeMap;

use marple_core::Secret;
use reqwest::Url;

/// How a server is reached.
#[derive(Clone, Debug)]
pub(crate) enum Reach {
    /// A program, spoken to over its standard input and output.
    Program {
        /// The program.
        command: String,
        /// Its arguments.
        arguments: Vec<String>,
        /// Its whole environment.
        environment: BTreeMap<String, Secret>,
        /// Bytes of data that it may have.
        memory: u64,
    },
    /// A server of streamable HTTP.
    Http(Address),
    /// A server of the older transport, HTTP with server-sent events.
    Events(Address),
}

/// Where a server is, and what it is told with each request.
#[derive(Clone, Debug)]
pub(crate) struct Address {
    pub(crate) url: Url,
    pub(crate) headers: BTreeMap<String, Secret>,
    /// Whether any certificate is believed.
    pub(crate) insecure: bool,
}

/// How a server is reached, and what is made of its tools.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) reach: Reach,
    /// What the model is told of how to use it.
    pub(crate) instructions: Option<String>,
    /// Whether its word on which tools only look is believed.
    pub(crate) trusted: bool,
    /// Patterns of tools for which a person is asked each time.
    pub(crate) asks: Vec<String>,
}
