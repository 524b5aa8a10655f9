//! Looks at Kubernetes, in process: the cluster as its API server shows it, and the tools over it.

mod access;
mod cel;
mod change;
pub(crate) mod clock;
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
mod items;
mod kinds;
mod logs;
mod named;
mod owners;
mod permit;
mod placement;
mod pods;
pub(crate) mod quantity;
mod references;
mod related;
mod release;
mod remembered;
mod request;
mod revisions;
mod selector;
mod surroundings;
mod table;
mod tools;
mod toolset;
mod usage;
mod visit;

pub use access::{Deed, Subject, granting, rule_allows};
pub(crate) use change::{ChangeError, Edit};
pub(crate) use clock::Clock;
pub use cluster::Cluster;
pub use error::LookError;
pub use kinds::{Kind, Kinds};
pub use logs::LogRequest;
pub use owners::{controller, reference};
pub use placement::{Controller, Placement};
pub use release::helm_revision;
pub use revisions::{Change, Revision, changes};
pub(crate) use tools::target;
pub use tools::tools;
pub use toolset::{offer, toolset};

#[cfg(test)]
mod tests;
