//! Which namespaces count.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Glob;

/// Which namespaces count. Objects without a namespace, as nodes, always do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Namespaces {
    /// Patterns (`*`, `?`) of which one must match. Where all are plain names, only those namespaces are watched, for
    /// which a Role in each is permission enough. Default: `["*"]`.
    pub include: Vec<Glob>,
    /// Patterns of which none may match. Default: none.
    pub exclude: Vec<Glob>,
}

/// What one watch covers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// The whole cluster.
    Cluster,
    /// One namespace.
    Namespace(String),
}

impl Scope {
    /// Of a watch of this namespace, or of the whole cluster where it is empty.
    pub(crate) fn of(namespace: &str) -> Self {
        if namespace.is_empty() { Self::Cluster } else { Self::Namespace(namespace.to_owned()) }
    }

    /// The namespace; empty for the whole cluster.
    pub(crate) fn namespace(&self) -> &str {
        match self {
            Self::Cluster => "",
            Self::Namespace(name) => name,
        }
    }

    /// Whether objects of this namespace are in it.
    pub fn covers(&self, namespace: &str) -> bool {
        match self {
            Self::Cluster => true,
            Self::Namespace(own) => own == namespace,
        }
    }
}

impl fmt::Display for Scope {
    /// As `in the whole cluster`, or `in namespace shop`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => formatter.write_str("in the whole cluster"),
            Self::Namespace(name) => write!(formatter, "in namespace {name}"),
        }
    }
}

/// More watches than these cost more than the one watch of the whole cluster.
const NAMESPACED_WATCHES: usize = 16;

impl Default for Namespaces {
    fn default() -> Self {
        Self { include: vec![Glob::any()], exclude: Vec::new() }
    }
}

impl Namespaces {
    /// Whether objects in this namespace count.
    pub fn count(&self, namespace: &str) -> bool {
        self.include.iter().any(|glob| glob.matches(namespace))
            && !self.exclude.iter().any(|glob| glob.matches(namespace))
    }

    /// The watches that see all that counts.
    pub fn scopes(&self) -> Vec<Scope> {
        let names: Option<Vec<&str>> = self.include.iter().map(Glob::literal).collect();
        match names {
            Some(mut names) if names.len() <= NAMESPACED_WATCHES => {
                names.sort_unstable();
                names.dedup();
                names.retain(|name| self.count(name));
                names.into_iter().map(|name| Scope::Namespace(name.to_owned())).collect()
            }
            _ => vec![Scope::Cluster],
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn namespaces(json: &str) -> Namespaces {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn what_is_excluded_goes_before_what_is_included() {
        let namespaces = namespaces(r#"{"include":["shop-*"],"exclude":["*-test"]}"#);
        assert!(namespaces.count("shop-a"));
        assert!(!namespaces.count("shop-test"));
        assert!(!namespaces.count("kube-system"));
        assert_eq!(namespaces.scopes(), [Scope::Cluster]);
    }

    #[test]
    fn plain_names_are_watched_one_by_one() {
        let namespaces = namespaces(r#"{"include":["shop","cart","shop","test"],"exclude":["t*"]}"#);
        assert_eq!(namespaces.scopes(), [Scope::Namespace("cart".to_owned()), Scope::Namespace("shop".to_owned())]);
    }
}
