//! The change history as a toolset.

use std::sync::Arc;

use async_trait::async_trait;

use super::{ChangeLog, RecentChanges};
use crate::Tool;
use crate::kubernetes::Cluster;
use crate::toolset::{Off, Offer, Probe, Toolset};

/// The tool that asks what changed, which works once changes are recorded. Whether they are to be here is `wanted`: then it
/// is worth a word where they aren't. Off where there is no store.
pub fn toolset(log: Option<Arc<dyn ChangeLog>>, cluster: Option<Cluster>, wanted: bool) -> Toolset {
    let (name, description) = ("history", "What changed in the cluster, and by whom.");
    match log {
        Some(log) => Toolset::new(name, description, Recorded { log, cluster }).wanted(wanted),
        None => Toolset::unset(name, description, "changes are recorded and told by `marple serve`"),
    }
}

struct Recorded {
    log: Arc<dyn ChangeLog>,
    cluster: Option<Cluster>,
}

#[async_trait]
impl Probe for Recorded {
    async fn probe(&self) -> Result<Offer, Off> {
        match self.log.since().await {
            Ok(Some(_)) => {
                let tool: Arc<dyn Tool> = Arc::new(RecentChanges::new(Arc::clone(&self.log), self.cluster.clone()));
                Ok(vec![tool].into())
            }
            Ok(None) => Err(Off("no changes are recorded yet: a forwarder does it once it has listed the cluster \
                                 (`forwarder.changes`, here or with `marple forward`)"
                .to_owned())),
            Err(error) => Err(Off(error.to_string())),
        }
    }
}
