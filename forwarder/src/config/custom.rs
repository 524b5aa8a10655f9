//! Custom resources whose conditions are told.

use std::collections::HashSet;

use marple_core::{Period, Severity};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::object::{Kind, Status};

/// A kind of custom resource whose `status.conditions` are told, as cert-manager's Certificates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomResource {
    /// Its API group, as `cert-manager.io`.
    pub group: String,
    /// Its version, as `v1`. Default: the one that the API server prefers.
    #[serde(default)]
    pub version: Option<String>,
    /// Its kind, as `Certificate`.
    pub kind: String,
    /// Whether its objects are in namespaces. Default: true.
    #[serde(default = "yes")]
    pub namespaced: bool,
    /// The conditions that tell of a fault; of several that do, the first is told. Default: `[Ready, Available, Healthy,
    /// Synced]`.
    #[serde(default = "usual")]
    pub conditions: Vec<String>,
    /// What such a condition says of a fault: `"True"`, `"False"` or `"Unknown"`. Default: `"False"`.
    #[serde(default)]
    pub when: When,
    /// How long it must last, as `5m`. Default: `conditions.custom_failing.hold`.
    #[serde(default)]
    pub hold: Option<Period>,
    /// How bad it is. Default: `warning`.
    #[serde(default = "warning")]
    pub severity: Severity,
}

/// The status of a condition that tells of a fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum When {
    /// `True`.
    True,
    /// `False`.
    #[default]
    False,
    /// `Unknown`.
    Unknown,
}

impl When {
    /// The status of a condition.
    pub(crate) const fn status(self) -> Status {
        match self {
            Self::True => Status::True,
            Self::False => Status::False,
            Self::Unknown => Status::Unknown,
        }
    }
}

pub(super) const fn yes() -> bool {
    true
}

const fn warning() -> Severity {
    Severity::Warning
}

fn usual() -> Vec<String> {
    ["Ready", "Available", "Healthy", "Synced"].map(str::to_owned).into()
}

impl CustomResource {
    /// The kind as watches and signals name it.
    pub fn kind(&self) -> Kind {
        Kind::custom(&self.group, &self.kind)
    }

    /// The first of these that can't be used: the setting under `custom`, and why.
    pub fn fault(resources: &[Self]) -> Option<(String, String)> {
        first_fault(resources, |resource| (&resource.group, &resource.kind), Self::own_fault)
    }

    fn own_fault(&self) -> Option<(&'static str, String)> {
        let none = || ("conditions", "names no condition: nothing would be told".to_owned());
        kind_fault(&self.group, &self.kind).or_else(|| self.conditions.is_empty().then(none))
    }
}

/// The first of a list of kinds that can't be used, or is there twice.
pub(super) fn first_fault<R>(
    resources: &[R],
    named: impl Fn(&R) -> (&str, &str),
    own: impl Fn(&R) -> Option<(&'static str, String)>,
) -> Option<(String, String)> {
    let mut seen = HashSet::new();
    resources.iter().enumerate().find_map(|(at, resource)| {
        let (setting, why) = own(resource).or_else(|| {
            let (group, kind) = named(resource);
            let again = !seen.insert((group.to_owned(), kind.to_owned()));
            again.then(|| ("kind", format!("{kind} of {group} is listed twice")))
        })?;
        Some((format!("[{at}].{setting}"), why))
    })
}

/// Why this is no kind of custom resource.
pub(super) fn kind_fault(group: &str, kind: &str) -> Option<(&'static str, String)> {
    if Kind::of(group, kind).group().is_empty() || Kind::of(group, kind) != Kind::custom(group, kind) {
        return Some(("group", format!("{group:?} is no group of custom resources, as cert-manager.io is")));
    }
    let capital = kind.starts_with(|first: char| first.is_ascii_uppercase());
    (!capital).then(|| ("kind", format!("{kind:?} is no kind: it is the singular form in capitals, as Certificate")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<CustomResource> {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_group_and_a_kind_are_enough() {
        let resources = read(r#"[{"group": "cert-manager.io", "kind": "Certificate"}]"#);
        assert_eq!(CustomResource::fault(&resources), None);
        assert_eq!(resources[0].conditions, ["Ready", "Available", "Healthy", "Synced"]);
        assert_eq!((resources[0].when, resources[0].namespaced), (When::False, true));
    }

    #[test]
    fn what_names_no_custom_resource_is_a_fault_with_its_place() {
        let fault = |text: &str| CustomResource::fault(&read(text)).map(|(setting, _)| setting);
        assert_eq!(fault(r#"[{"group": "", "kind": "Pod"}]"#).as_deref(), Some("[0].group"));
        assert_eq!(fault(r#"[{"group": "apps", "kind": "Deployment"}]"#).as_deref(), Some("[0].group"));
        assert_eq!(fault(r#"[{"group": "x.io", "kind": "certificates"}]"#).as_deref(), Some("[0].kind"));
        assert_eq!(fault(r#"[{"group": "x.io", "kind": "A", "conditions": []}]"#).as_deref(), Some("[0].conditions"));
        let twice = r#"[{"group": "x.io", "kind": "A"}, {"group": "x.io", "kind": "A", "version": "v2"}]"#;
        assert_eq!(fault(twice).as_deref(), Some("[1].kind"));
    }
}
