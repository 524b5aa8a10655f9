//! Finds the receivers of an incident.

use std::collections::BTreeSet;

use marple_core::{Incident, Member};

use super::{RouteConfig, RouteRule, meets};

/// A route can't be used. The text names the place and the fix.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// It names a receiver that isn't there.
    #[error("{path}: there is no receiver {name:?}; {known}")]
    UnknownReceiver {
        /// Where, as `route.routes[2].receivers[0]`.
        path: String,
        /// The name.
        name: String,
        /// Which there are, in words.
        known: String,
    },
    /// Nobody would hear of an incident that takes no route.
    #[error("route.default: name at least one receiver, so that no incident goes unheard")]
    NoDefault,
    /// It is never tried.
    #[error(
        "route.routes[{index}]: it is never tried, for route.routes[{before}] takes everything; move that one to the end or \
         give it `continue: true`"
    )]
    Unreachable {
        /// Which route.
        index: usize,
        /// The one before it that takes all.
        before: usize,
    },
}

/// Finds the receivers of an incident.
#[derive(Clone, Debug)]
pub struct Routes {
    cluster: String,
    default: Vec<String>,
    rules: Vec<RouteRule>,
}

impl Routes {
    /// Routes among these receivers, for a cluster of this name. Gives every fault, not the first alone.
    pub fn new<'a>(
        config: &RouteConfig,
        receivers: impl IntoIterator<Item = &'a str>,
        cluster: &str,
    ) -> Result<Self, Vec<RouteError>> {
        let receivers: BTreeSet<&str> = receivers.into_iter().collect();
        let mut faults = Vec::new();
        if config.default.is_empty() {
            faults.push(RouteError::NoDefault);
        }
        let mut check = |path: &str, names: &[String]| {
            for (index, name) in names.iter().enumerate().filter(|(_, name)| !receivers.contains(name.as_str())) {
                let known = match receivers.iter().copied().collect::<Vec<_>>().join(", ") {
                    known if known.is_empty() => "none is configured under `receivers`".to_owned(),
                    known => format!("the receivers are {known}"),
                };
                faults.push(RouteError::UnknownReceiver {
                    path: format!("{path}[{index}]"),
                    name: name.clone(),
                    known,
                });
            }
        };
        check("route.default", &config.default);
        for (index, rule) in config.routes.iter().enumerate() {
            check(&format!("route.routes[{index}].receivers"), &rule.receivers);
        }
        let takes_all = config.routes.iter().position(|rule| rule.matchers.is_empty() && !rule.goes_on);
        if let Some(before) = takes_all.filter(|before| before + 1 < config.routes.len()) {
            faults.push(RouteError::Unreachable { index: before + 1, before });
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        Ok(Self { cluster: cluster.to_owned(), default: config.default.clone(), rules: config.routes.clone() })
    }

    /// Routes to nobody: incidents are only kept.
    pub fn nobody() -> Self {
        Self { cluster: String::new(), default: Vec::new(), rules: Vec::new() }
    }

    /// The receivers of an incident with these members, each once, in the order of the routes.
    pub fn receivers(&self, incident: &Incident, members: &[Member]) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut taken = false;
        for rule in &self.rules {
            if !meets(&rule.matchers, &self.cluster, incident, members) {
                continue;
            }
            taken = true;
            add(&mut found, &rule.receivers);
            if !rule.goes_on {
                break;
            }
        }
        if !taken {
            add(&mut found, &self.default);
        }
        found
    }
}

fn add(found: &mut Vec<String>, receivers: &[String]) {
    for receiver in receivers {
        if !found.contains(receiver) {
            found.push(receiver.clone());
        }
    }
}
