//! Changes: each is worked out first, shown as what would differ, and carried out only as it was shown.
//!
//! None is offered unless the configuration names it, and the gate lets none pass without a person.

mod config;
mod cordon;
mod delete_pod;
mod diff;
mod object;
mod patch;
mod restart;
mod scale;
mod silence;
mod silences;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use crate::Tool;
use crate::kubernetes::Cluster;

pub use config::{Act, ActConfig};
pub use silences::AlertmanagerConfig;
use silences::Silences;

/// The tools that propose what is enabled. Those that need a cluster are left out where there is none.
pub fn tools(config: &ActConfig, cluster: Option<&Cluster>) -> Result<Vec<Arc<dyn Tool>>, reqwest::Error> {
    let alertmanager = config.alertmanager.as_ref().map(Silences::new).transpose()?;
    let tool = |act: &Act| -> Option<Arc<dyn Tool>> {
        if *act == Act::Silence {
            return Some(Arc::new(silence::Silence::new(alertmanager.clone()?)));
        }
        let cluster = cluster?.clone();
        Some(match act {
            Act::DeletePod => Arc::new(delete_pod::DeletePod::new(cluster)),
            Act::Restart => Arc::new(restart::Restart::new(cluster)),
            Act::Scale => Arc::new(scale::Scale::new(cluster)),
            Act::Cordon => Arc::new(cordon::Cordon::new(cluster, true)),
            Act::Uncordon => Arc::new(cordon::Cordon::new(cluster, false)),
            Act::Patch => Arc::new(patch::Patch::new(cluster)),
            Act::Silence => return None,
        })
    };
    Ok(config.enabled.iter().filter_map(tool).collect())
}

/// What a tool says that was called without a plan: the toolbox never does.
fn only_planned(name: &str) -> crate::ToolError {
    crate::ToolError::Arguments(format!("{name} is only carried out after it was shown and approved"))
}
