//! What is told of changes.

use std::collections::BTreeSet;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ChangedResource;
use crate::change::{Family, KNOWN};

/// What is told of changes in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChangesConfig {
    /// Whether changes are told. Default: `true`.
    pub enabled: bool,
    /// How the values of a ConfigMap are shown: `clear`, secrets taken out, or `hashed`. Those of Secrets are never read.
    /// Default: `clear`.
    pub config_maps: Values,
    /// Kinds that are left alone, as `[Secret, Node]`. Default: none.
    pub except: BTreeSet<String>,
    /// Custom resources whose changes are told too, as `[{group: kafka.strimzi.io, kind: Kafka}]`. Argo CD's, Flux's,
    /// cert-manager's, KEDA's, Istio's and the Gateway API's usual kinds are, where they are installed. Default: none.
    pub custom: Vec<ChangedResource>,
}

/// How values are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Values {
    /// As they are, secrets taken out.
    #[default]
    Clear,
    /// By size and digest.
    Hashed,
}

impl Default for ChangesConfig {
    fn default() -> Self {
        Self { enabled: true, config_maps: Values::default(), except: BTreeSet::new(), custom: Vec::new() }
    }
}

impl ChangesConfig {
    /// The kinds whose changes are told.
    pub(crate) fn families(&self) -> Vec<Arc<Family>> {
        Family::all(&self.custom, |name| !self.except.contains(name))
    }

    /// The setting that can't be used, and why.
    pub fn fault(&self) -> Option<(String, String)> {
        if let Some((setting, why)) = ChangedResource::fault(&self.custom) {
            return Some((format!("custom{setting}"), why));
        }
        let unknown = self.except.iter().find(|kind| !KNOWN.iter().any(|known| known.kind == **kind))?;
        let why = if self.custom.iter().any(|resource| resource.kind == *unknown) {
            format!("{unknown:?} is listed under custom; take it out there")
        } else {
            let known = KNOWN.iter().map(|known| known.kind).collect::<Vec<_>>().join(", ");
            format!("{unknown:?} is no kind whose changes are told; these are: {known}")
        };
        Some(("except".to_owned(), why))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(text: &str) -> ChangesConfig {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_kind_that_is_left_alone_is_none_of_the_kinds_and_an_unknown_one_is_a_fault() {
        let without = read(r#"{"except": ["Secret"]}"#);
        assert_eq!(without.families().len(), KNOWN.len() - 1);
        assert!(without.families().iter().all(|family| family.name != "Secret"));
        assert_eq!(without.fault(), None);
        let (setting, why) = read(r#"{"except": ["Secrets"]}"#).fault().unwrap();
        assert!(setting == "except" && why.starts_with("\"Secrets\" is no kind"), "{why}");
    }

    #[test]
    fn custom_kinds_come_to_the_known_ones_each_under_a_name_of_its_own() {
        let with = read(
            r#"{"custom": [{"group": "kafka.strimzi.io", "kind": "Kafka"}, {"group": "cert-manager.io", "kind": "Certificate"},
                {"group": "networking.istio.io", "kind": "Gateway"}, {"group": "serving.knative.dev", "kind": "Service"},
                {"group": "a.example.com", "kind": "Widget"}, {"group": "b.example.com", "kind": "Widget"}]}"#,
        );
        assert_eq!(with.fault(), None);
        let names: Vec<String> = with.families().iter().skip(KNOWN.len() - 1).map(|it| it.name.to_string()).collect();
        assert_eq!(
            names,
            [
                "Kafka",
                "Certificate",
                "Gateway.networking.istio.io",
                "Service.serving.knative.dev",
                "Widget",
                "Widget.b.example.com"
            ]
        );
        let missed: Vec<bool> =
            with.families().iter().filter(|it| it.name == "Certificate").map(|it| !it.optional).collect();
        assert_eq!(missed, [true], "there is one of it, which is missed where it isn't installed");
    }

    #[test]
    fn a_custom_kind_that_can_not_be_used_is_told_by_its_place() {
        for (text, setting) in [
            (r#"{"custom": [{"group": "apps", "kind": "Deployment"}]}"#, "custom[0].group"),
            (r#"{"custom": [{"group": "x.io", "kind": "kafkas"}]}"#, "custom[0].kind"),
            (r#"{"custom": [{"group": "x.io", "kind": "A"}, {"group": "x.io", "kind": "A"}]}"#, "custom[1].kind"),
            (r#"{"custom": [{"group": "x.io", "kind": "A", "ignore": [""]}]}"#, "custom[0].ignore"),
            (r#"{"custom": [{"group": "x.io", "kind": "A"}], "except": ["A"]}"#, "except"),
        ] {
            assert_eq!(read(text).fault().map(|(setting, _)| setting).as_deref(), Some(setting), "{text}");
        }
    }
}
