//! The tools over a cluster. Each is one file here and one line in the registry.

mod access;
mod describe;
mod events;
mod get;
mod logs;
mod related;
mod releases;
mod rollout_history;
mod since;
mod top;

use std::sync::Arc;

use marple_core::ObjectRef;

use super::Cluster;
use crate::view::{self, Limits};
use crate::{Output, Tool};

pub(crate) use releases::ReleasesTool;
pub(crate) use top::Top;

/// The tools that every cluster can be looked at with.
pub fn tools(cluster: Cluster) -> Vec<Arc<dyn Tool>> {
    vec![
        Arc::new(get::Get::new(cluster.clone())),
        Arc::new(describe::Describe::new(cluster.clone())),
        Arc::new(events::Events::new(cluster.clone())),
        Arc::new(logs::Logs::new(cluster.clone())),
        Arc::new(rollout_history::RolloutHistory::new(cluster.clone())),
        Arc::new(related::Related::new(cluster.clone())),
        Arc::new(access::Access::new(cluster)),
    ]
}

/// What a look gave, with a view of it where it is beyond the limits.
fn output(title: String, object: Option<ObjectRef>, content: String, limits: Limits) -> Output {
    let view = view::bounded(&content, limits);
    Output { title, object, view: (view != content).then_some(view), content, ..Output::default() }
}

/// The object that arguments name. A name may carry its kind or namespace, as `pod/cart-1` and `shop/cart-1`.
pub(crate) fn target(kind: &str, name: &str, namespace: Option<&str>) -> ObjectRef {
    let (before, name) = name.split_once('/').map_or((None, name), |(before, name)| (Some(before), name));
    let namespace =
        namespace.or_else(|| before.filter(|before| !kind.to_lowercase().starts_with(&before.to_lowercase())));
    ObjectRef { kind: kind.to_owned(), namespace: namespace.map(str::to_owned), name: name.to_owned() }
}

#[cfg(test)]
mod tests;
