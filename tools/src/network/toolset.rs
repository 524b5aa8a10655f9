//! The checks of the network as a toolset.

use super::{NetworkConfig, tools};
use crate::toolset::Toolset;

/// The check of names and ports. Off where nothing may be reached.
pub fn toolset(config: &NetworkConfig) -> Toolset {
    let (name, description) = ("network", "Names, ports and certificates that are listed.");
    let tools = tools(config);
    if tools.is_empty() {
        Toolset::unset(name, description, "nothing may be reached (`network.allow`)")
    } else {
        Toolset::of(name, description, tools)
    }
}
