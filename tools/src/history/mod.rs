//! What changed in the cluster, as it was recorded: `recent_changes`.

mod again;
mod log;
mod near;
mod report;
#[cfg(test)]
mod tests;
mod tool;
mod toolset;

pub(crate) use again::made_again;
pub use log::{ChangeLog, ChangeLogError, Found, Window};
pub use tool::RecentChanges;
pub use toolset::{Recorded, toolset};
