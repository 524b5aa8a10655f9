//! Checks of the network: names, ports and certificates, within what the configuration allows.

pub(crate) mod address;
mod allow;
mod certificate;
mod config;
pub(crate) mod dns;
#[expect(clippy::module_inception, reason = "it holds the type of this name")]
mod network;
mod reach;
mod servers;
mod tools;
mod toolset;

pub use allow::{Destination, DestinationError};
pub use config::NetworkConfig;
pub use network::{Network, NetworkError};
pub use tools::tools;
pub use toolset::toolset;
