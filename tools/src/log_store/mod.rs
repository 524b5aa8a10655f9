//! Log stores: Loki, `VictoriaLogs`, Elasticsearch and `OpenSearch`, asked alike.
//!
//! A [`Search`] says what is looked for, each store writes it in its own language. They have the logs of pods that are
//! gone, and know when something began.

mod around;
mod config;
mod elastic;
mod error;
mod found;
mod loki;
mod pods;
mod quote;
mod report;
mod search;
mod step;
mod store;
mod tool;
mod toolset;
mod victoria;

pub use around::{Stored, around};
pub use config::{FieldNames, LogStoreConfig, StoreKind};
pub use error::LogStoreError;
pub use found::{Counts, Entry, Found};
pub use pods::Pods;
pub(crate) use quote::quoted;
#[cfg(test)]
pub(crate) use quote::tests::go_unquoted;
pub use search::{Level, Search, Selection, Text, Wanted};
pub use store::LogStore;
pub use tool::tools;
pub use toolset::toolset;

#[cfg(test)]
mod double;
