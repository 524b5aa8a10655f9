//! How far a cluster has come.

use std::fmt::Debug;

use kube::Api;
use kube::api::ListParams;
use serde::de::DeserializeOwned;

/// Versions of a cluster are in the order of its writes, as numbers.
pub(crate) fn number(version: &str) -> Option<u64> {
    version.parse().ok()
}

/// The version that the cluster has come to, empty where it tells none: that of a list is that of the whole store, so one
/// object's metadata is enough.
pub(super) async fn now<K: Clone + Debug + DeserializeOwned>(api: &Api<K>) -> kube::Result<String> {
    let list = api.list_metadata(&ListParams::default().limit(1)).await?;
    Ok(list.metadata.resource_version.unwrap_or_default())
}
