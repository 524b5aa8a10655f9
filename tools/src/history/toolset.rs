//! The change history as a toolset.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ChangeLog, RecentChanges};
use crate::Tool;
use crate::kubernetes::Cluster;
use crate::toolset::{Off, Offer, Probe, Toolset};
use crate::topology::Topology;

/// The tool that asks what changed, which works once changes are recorded. Whether they are to be here is `wanted`: then it
/// is worth a word where they aren't. Off where there is no store.
pub fn toolset(recorded: Option<Recorded>, wanted: bool) -> Toolset {
    let (name, description) = ("history", "What changed in the cluster, and by whom.");
    match recorded {
        Some(recorded) => Toolset::new(name, description, recorded).wanted(wanted),
        None => Toolset::unset(name, description, "changes are recorded and told by `marple serve`"),
    }
}

/// What was recorded, and what tells how objects hang together.
#[derive(Clone)]
pub struct Recorded {
    /// The changes.
    pub log: Arc<dyn ChangeLog>,
    /// The cluster, where there is one.
    pub cluster: Option<Cluster>,
    /// What hung together, where that is kept.
    pub topology: Option<Arc<dyn Topology>>,
}

#[async_trait]
impl Probe for Recorded {
    async fn probe(&self) -> Result<Offer, Off> {
        match self.log.since().await {
            Ok(Some(_)) => {
                let tool: Arc<dyn Tool> = Arc::new(RecentChanges::new(self.clone()));
                Ok(vec![tool].into())
            }
            Ok(None) => Err(Off("no changes are recorded yet: a forwarder does it once it has listed the cluster \
                                 (`forwarder.changes`, here or with `marple forward`)"
                .to_owned())),
            Err(error) => Err(Off(error.to_string())),
        }
    }
}
