//! What an object hangs together with, as far as it tells itself: what is known of a cluster once it is put together.

mod selector;

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use selector::{Expression, Operator, Selector};

use crate::{Labels, ObjectRef};

/// The most objects that one needs, and labels, that are kept: a pod of more is none that people wrote.
const MOST: usize = 64;

/// The longest text of a name, label or value in bytes: a prefix of 253, `/` and 63 more
/// (kubernetes.io/docs, Labels and Selectors).
const TEXT: usize = 317;

/// Kinds whose objects are in no namespace though what names them is.
const OF_CLUSTER: [&str; 4] = ["Node", "PersistentVolume", "StorageClass", "PriorityClass"];

/// What an object hangs together with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Links {
    /// Its uid: an object of the same name with another one is another object.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub uid: String,
    /// What controls it, by its ownerReferences.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// The node that it runs on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub node: Option<String>,
    /// What its pods refer to by name, or it itself.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub needs: BTreeSet<Need>,
    /// What it scales.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scales: Option<Need>,
    /// The Helm release that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub release: Option<ObjectRef>,
    /// The labels of its pods, or its own where it is one.
    #[serde(skip_serializing_if = "Labels::is_empty")]
    pub labels: Labels,
    /// Which pods of its namespace it selects.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selector: Option<Selector>,
}

/// What controls an object: in the namespace of the object, or in none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// Its API group and version, as `apps/v1`.
    pub api_version: String,
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

/// An object that is named by another one: in the namespace of that, unless it is of a kind without.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Need {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
}

impl Need {
    /// Of a kind and name.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self { kind: kind.into(), name: name.into() }
    }

    /// The object that something in this namespace means by it.
    pub fn object(&self, namespace: Option<&str>) -> ObjectRef {
        let namespace = namespace.filter(|_| !OF_CLUSTER.contains(&self.kind.as_str())).map(str::to_owned);
        ObjectRef { kind: self.kind.clone(), namespace, name: self.name.clone() }
    }
}

impl fmt::Display for Need {
    /// As `ConfigMap settings`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}", self.kind, self.name)
    }
}

impl Owner {
    /// The owner of an object in this namespace.
    pub fn object(&self, namespace: Option<&str>) -> ObjectRef {
        Need::new(&self.kind, &self.name).object(namespace)
    }
}

impl Links {
    /// Without what is beyond the bounds: texts that Kubernetes would not take, and more than 64 needs or labels. A
    /// selector is kept whole or not at all, for a part of it would select more.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let named = |need: &Need| short(&need.kind) && short(&need.name);
        let owned = |owner: &Owner| short(&owner.api_version) && short(&owner.kind) && short(&owner.name);
        self.uid.truncate(self.uid.floor_char_boundary(TEXT));
        self.owner = self.owner.filter(owned);
        self.node = self.node.filter(|node| short(node));
        self.scales = self.scales.filter(named);
        self.release = self.release.filter(|one| short(&one.name) && one.namespace.as_deref().is_none_or(short));
        self.needs = self.needs.into_iter().filter(named).take(MOST).collect();
        self.labels =
            self.labels.iter().filter(|(name, value)| short(name) && value.len() <= TEXT).take(MOST).collect();
        self.selector = self.selector.filter(Selector::is_bounded);
        self
    }

    /// What the object depends on or belongs to, each with how: of an object in this namespace.
    pub fn all(&self, namespace: Option<&str>) -> Vec<(ObjectRef, Tie)> {
        let owner = self.owner.iter().map(|owner| (owner.object(namespace), Tie::Owned));
        let node = self.node.iter().map(|node| (ObjectRef::cluster("Node", node), Tie::RunsOn));
        let needs = self.needs.iter().map(|need| (need.object(namespace), Tie::Needs));
        let scales = self.scales.iter().map(|target| (target.object(namespace), Tie::Scales));
        let release = self.release.iter().map(|release| (release.clone(), Tie::Delivered));
        owner.chain(node).chain(needs).chain(scales).chain(release).collect()
    }
}

/// How an object hangs on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tie {
    /// That controls it.
    Owned,
    /// It runs on it.
    RunsOn,
    /// It, or its pods, name it.
    Needs,
    /// It scales it.
    Scales,
    /// That release made it.
    Delivered,
}

impl fmt::Display for Tie {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Owned => "is owned by",
            Self::RunsOn => "runs on",
            Self::Needs => "needs",
            Self::Scales => "scales",
            Self::Delivered => "was delivered by",
        })
    }
}

const fn short(text: &str) -> bool {
    !text.is_empty() && text.len() <= TEXT
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_object_hangs_on_is_in_its_namespace_or_in_none() {
        let links = Links {
            owner: Some(Owner { api_version: "apps/v1".into(), kind: "ReplicaSet".into(), name: "cart-1".into() }),
            node: Some("worker".to_owned()),
            needs: [Need::new("ConfigMap", "settings"), Need::new("PersistentVolume", "v1")].into(),
            ..Links::default()
        };
        let told: Vec<String> =
            links.all(Some("shop")).into_iter().map(|(object, tie)| format!("{tie} {object}")).collect();
        assert_eq!(
            told,
            [
                "is owned by ReplicaSet shop/cart-1",
                "runs on Node worker",
                "needs ConfigMap shop/settings",
                "needs PersistentVolume v1"
            ]
        );
    }

    #[test]
    fn what_is_beyond_the_bounds_is_left_out() {
        let long = "x".repeat(TEXT + 1);
        let links = Links {
            uid: "ü".repeat(TEXT),
            node: Some(long.clone()),
            needs: (0..1_000).map(|number| Need::new("Secret", format!("s{number:03}"))).collect(),
            labels: [(long.as_str(), "a"), ("app", "cart"), ("empty", "")].into_iter().collect(),
            selector: Some(Selector { labels: [(long.repeat(20), "a")].into_iter().collect(), ..Selector::default() }),
            ..Links::default()
        };
        let bounded = links.bounded();
        assert_eq!((bounded.uid.len(), bounded.node, bounded.needs.len()), (TEXT - 1, None, MOST));
        let labels = [("app", "cart"), ("empty", "")].into_iter().collect();
        assert_eq!((bounded.labels, bounded.selector), (labels, None));
    }
}
