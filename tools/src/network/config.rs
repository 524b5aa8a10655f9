//! Which checks of the network are offered.

use schemars::JsonSchema;
use serde::Deserialize;

use super::Destination;

/// Checks of names, ports and certificates. Without a destination that is allowed they are not offered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkConfig {
    /// What may be looked up and connected to. A name leads to addresses of the Internet and private ones, to loopback
    /// and link-local ones only where a network lists them, and to a cloud's metadata service never.
    pub allow: Vec<Destination>,
}
