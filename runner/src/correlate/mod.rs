//! Folds signals into incidents: a pure core, and what resolves owners for it.
//!
//! [`Book`] holds the incidents that signals may still join and the rules by which they do; it has no clock and no
//! client. [`Correlator`] is the task around it: it reads what intake has committed, asks [`Owners`], folds, and keeps
//! the changes together with the cursor.

mod alive;
mod book;
mod change;
mod cluster_owners;
mod config;
mod correlator;
mod dependency;
mod group;
mod known_owners;
mod related;
mod shared_change;

pub use alive::{Alive, Life};
pub use book::Book;
pub use change::{Batch, Change, Held, HeldMember, Snapshot};
pub use cluster_owners::{ClusterOwners, NoOwners};
pub use config::CorrelateConfig;
pub use correlator::{CorrelateError, Correlator, Ended, Teacher};
pub use dependency::Dependency;
pub use group::group;
pub use known_owners::KnownOwners;
pub use related::{Known, Owners, Related};
pub use shared_change::SharedChange;
