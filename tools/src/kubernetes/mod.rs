//! Looks at Kubernetes, in process: the cluster as its API server shows it, and the tools over it.

mod clock;
mod cluster;
mod describe;
mod discovery;
#[cfg(test)]
pub(crate) mod double;
mod elsewhere;
mod error;
pub mod events;
mod family;
mod field;
mod kinds;
mod logs;
mod owners;
mod placement;
mod pods;
pub(crate) mod quantity;
mod references;
mod related;
mod request;
mod revisions;
mod selector;
mod table;
mod tools;

pub(crate) use clock::Clock;
pub use cluster::Cluster;
pub use error::LookError;
pub use kinds::{Kind, Kinds};
pub use logs::LogRequest;
pub use owners::{controller, reference};
pub use placement::{Controller, Placement};
pub use revisions::{Change, Revision, changes};
pub use tools::tools;

#[cfg(test)]
mod tests;
