//! Toolsets: tools that work or fail together, and which of them can be used now.

mod config;
mod file;
mod instructions;
mod listing;
mod probe;
mod standing;
#[expect(clippy::module_inception, reason = "the concept and its folder have one name")]
mod toolset;
mod toolsets;

pub use config::ToolsetsConfig;
pub use file::{files_of, from_files};
pub use instructions::Instructions;
pub use listing::{Listing, State};
pub use probe::{Off, Offer, Probe};
pub use toolset::Toolset;
pub use toolsets::{Offered, Toolsets};

#[cfg(test)]
mod tests;
