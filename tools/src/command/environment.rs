//! The environment that commands are given a part of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::gate::glob;

/// Variables that most programs need, and that hold no secret as a rule.
const USUAL: [&str; 16] = [
    "PATH",
    "HOME",
    "USER",
    "TZ",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_SERVICE_PORT",
    "KUBERNETES_SERVICE_PORT_HTTPS",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
];

/// The variables of marple's environment. Cheap to clone; its values never print.
#[derive(Clone, Default)]
pub struct Environment(Arc<BTreeMap<String, String>>);

impl std::fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

impl FromIterator<(String, String)> for Environment {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(variables: T) -> Self {
        Self(Arc::new(variables.into_iter().collect()))
    }
}

impl Environment {
    /// A variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What a command is given: what is usual, what its author named, and what the configuration allows by patterns.
    pub(crate) fn part(&self, named: &BTreeSet<String>, allowed: &[String]) -> BTreeMap<String, String> {
        let given = |name: &String| {
            USUAL.contains(&name.as_str())
                || named.contains(name)
                || allowed.iter().any(|pattern| glob::fits(pattern, name))
        };
        let part = self.0.iter().filter(|(name, _)| given(name));
        part.map(|(name, value)| (name.clone(), value.clone())).collect()
    }
}
