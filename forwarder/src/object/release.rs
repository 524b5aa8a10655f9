//! Releases of Helm, which keeps each revision in a Secret
//! (<https://helm.sh/docs/topics/advanced/#storage-backends>). Their metadata alone is asked for: the rest never leaves
//! the API server.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::core::v1;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::ObjectMeta;
use serde::{Deserialize, Deserializer};

use super::lenient::field;
use super::resource::resource;
use super::view::view;

/// The Secret of a revision, without what is in it.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct RevisionSecret {
    /// What names it, and Helm's labels.
    #[serde(deserialize_with = "labelled")]
    pub metadata: ObjectMeta,
}

resource!(RevisionSecret, v1::Secret, metadata);

view! {
    struct Labelled {
        name: Option<String>,
        namespace: Option<String>,
        uid: Option<String>,
        resource_version: Option<String>,
        creation_timestamp: Option<Timestamp>,
        labels: Labels,
    }

    struct Labels {
        status: Option<String>,
        #[serde(rename = "modifiedAt")]
        modified_at: Option<String>,
        #[serde(rename = "createdAt")]
        created_at: Option<String>,
    }
}

/// Decodes metadata and keeps Helm's labels of it.
fn labelled<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectMeta, D::Error> {
    let read: Labelled = field(deserializer)?;
    let labels = [(STATUS, read.labels.status), (CHANGED, read.labels.modified_at.or(read.labels.created_at))];
    let labels: BTreeMap<String, String> =
        labels.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    Ok(ObjectMeta {
        name: read.name,
        namespace: read.namespace,
        uid: read.uid,
        resource_version: read.resource_version,
        creation_timestamp: read.creation_timestamp.map(Time),
        labels: Some(labels),
        ..ObjectMeta::default()
    })
}

const STATUS: &str = "status";
const CHANGED: &str = "modifiedAt";

/// A revision of a release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// As `deployed`, `superseded`, `failed`, `pending-upgrade`.
    pub status: Box<str>,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl RevisionSecret {
    /// What it tells of its revision.
    pub fn revision(&self) -> Revision {
        let label = |name: &str| self.metadata.labels.as_ref().and_then(|labels| labels.get(name)).map(String::as_str);
        let changed = label(CHANGED).and_then(|seconds| Timestamp::from_second(seconds.parse().ok()?).ok());
        Revision {
            status: label(STATUS).unwrap_or("unknown").into(),
            since: changed.or_else(|| super::created(&self.metadata)),
        }
    }
}

/// The release and the number of the revision that a Secret of this name holds, as `sh.helm.release.v1.cart.v3`.
pub(crate) fn revision_of(secret: &str) -> Option<(&str, u32)> {
    let (release, number) = secret.strip_prefix("sh.helm.release.v1.")?.rsplit_once(".v")?;
    Some((release, number.parse().ok()?))
}

/// A release: its newest revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Release {
    /// What names it.
    pub metadata: ObjectMeta,
    /// The revision's number.
    pub number: u32,
    /// How the revision is.
    pub revision: Revision,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secrets_name_tells_release_and_revision() {
        assert_eq!(revision_of("sh.helm.release.v1.cart.v2.v12"), Some(("cart.v2", 12)));
        assert_eq!(revision_of("sh.helm.release.v1.cart"), None);
        assert_eq!(revision_of("cart-token"), None);
    }
}
