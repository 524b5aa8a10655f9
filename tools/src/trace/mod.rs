//! Trace stores: Tempo and Jaeger, asked alike.

mod config;
mod error;
mod found;
mod jaeger;
mod report;
mod store;
mod tempo;
mod time;
mod tool;
mod toolset;
mod tree;

pub use config::{TraceStoreConfig, TraceStoreKind};
pub use error::TraceStoreError;
pub use found::{Hit, Search, Span, Trace};
pub use store::TraceStore;
pub use tool::tools;
pub use toolset::toolset;

#[cfg(test)]
mod tests;
