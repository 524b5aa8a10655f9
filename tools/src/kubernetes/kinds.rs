//! The kinds that a cluster serves.

use crate::near::nearest;

/// One kind, in the version that its group prefers.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Kind {
    /// API group, as `apps`; empty for the core group.
    pub group: String,
    /// Version, as `v1`.
    pub version: String,
    /// Kind, as `Deployment`.
    pub kind: String,
    /// Plural name, as `deployments`: the resource that permissions name.
    pub plural: String,
    /// Singular name, as `deployment`.
    pub singular: String,
    /// Short names, as `deploy`.
    pub short: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Verbs that it serves.
    pub verbs: Vec<String>,
}

impl Kind {
    /// `v1` or `apps/v1`.
    pub fn api_version(&self) -> String {
        if self.group.is_empty() { self.version.clone() } else { format!("{}/{}", self.group, self.version) }
    }

    /// The resource as permissions and `kubectl` name it: `pods`, `deployments.apps`.
    pub fn resource(&self) -> String {
        if self.group.is_empty() { self.plural.clone() } else { format!("{}.{}", self.plural, self.group) }
    }

    /// The path of its collection.
    pub(super) fn path(&self, namespace: Option<&str>) -> String {
        let root = if self.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", self.group) };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/{}/namespaces/{namespace}/{}", self.version, self.plural),
            None => format!("{root}/{}/{}", self.version, self.plural),
        }
    }

    /// Of several kinds of one name the one that people mean: core, then Kubernetes' own groups, then the rest.
    fn rank(&self) -> u8 {
        match self.group.as_str() {
            "" => 0,
            "apps" | "batch" | "autoscaling" | "policy" => 1,
            "events.k8s.io" => 3,
            group if group.ends_with(".k8s.io") => 2,
            _ => 4,
        }
    }

    fn is_named(&self, name: &str) -> bool {
        let same = |other: &str| other.eq_ignore_ascii_case(name);
        same(&self.kind) || same(&self.plural) || same(&self.singular) || self.short.iter().any(|short| same(short))
    }
}

/// The kinds that a cluster serves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kinds(Vec<Kind>);

impl Kinds {
    /// From what discovery told, in any order.
    pub(super) fn new(mut kinds: Vec<Kind>) -> Self {
        kinds.sort_by(|left, right| (left.rank(), left).cmp(&(right.rank(), right)));
        Self(kinds)
    }

    /// All of them, the core group's first.
    pub fn iter(&self) -> impl Iterator<Item = &Kind> {
        self.0.iter()
    }

    /// The kind that `text` names: kind, plural, singular or short name in any case, alone, or with its group as
    /// `apps/Deployment`, `apps/v1/Deployment` or `deployments.apps`.
    pub fn find(&self, text: &str) -> Option<&Kind> {
        let text = text.trim();
        if let Some((group, name)) = text.rsplit_once('/') {
            let (group, version) =
                group.split_once('/').map_or((group, None), |(group, version)| (group, Some(version)));
            // The core group has no name: its api version is the version alone.
            return self
                .0
                .iter()
                .find(|kind| {
                    let core = kind.group.is_empty() && (group == kind.version || group.eq_ignore_ascii_case("core"));
                    let grouped =
                        kind.group.eq_ignore_ascii_case(group) && version.is_none_or(|version| version == kind.version);
                    (core || grouped) && kind.is_named(name)
                })
                .or_else(|| version.and_then(|_| self.find(&format!("{group}/{name}"))));
        }
        self.0.iter().find(|kind| kind.is_named(text)).or_else(|| {
            let (name, group) = text.split_once('.')?;
            self.0.iter().find(|kind| {
                let versioned = group
                    .split_once('.')
                    .is_some_and(|(version, group)| kind.version == version && kind.group == group);
                (kind.group.eq_ignore_ascii_case(group) || versioned) && kind.is_named(name)
            })
        })
    }

    /// Kinds that look like `text`.
    pub(super) fn near(&self, text: &str) -> Vec<String> {
        let name = text.rsplit_once('/').map_or(text, |(_, name)| name);
        let listed = self.0.iter().filter(|kind| kind.verbs.iter().any(|verb| verb == "list"));
        let found = nearest(name, listed.flat_map(|kind| [kind.kind.as_str(), kind.plural.as_str()]), 6);
        let mut near: Vec<String> = Vec::new();
        for kind in found.iter().filter_map(|name| self.find(name)) {
            if !near.contains(&kind.kind) && near.len() < 3 {
                near.push(kind.kind.clone());
            }
        }
        near
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(group: &str, version: &str, kind: &str, plural: &str, short: &[&str]) -> Kind {
        Kind {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: kind.to_owned(),
            plural: plural.to_owned(),
            singular: kind.to_lowercase(),
            short: short.iter().map(|&short| short.to_owned()).collect(),
            namespaced: true,
            verbs: vec!["get".to_owned(), "list".to_owned()],
        }
    }

    fn kinds() -> Kinds {
        Kinds::new(vec![
            kind("serving.knative.dev", "v1", "Service", "services", &["ksvc"]),
            kind("events.k8s.io", "v1", "Event", "events", &["ev"]),
            kind("", "v1", "Service", "services", &["svc"]),
            kind("", "v1", "Event", "events", &["ev"]),
            kind("apps", "v1", "Deployment", "deployments", &["deploy"]),
        ])
    }

    fn found(text: &str) -> Option<String> {
        kinds().find(text).map(|kind| format!("{} {}", kind.api_version(), kind.kind))
    }

    #[test]
    fn a_kind_is_found_by_each_name_that_people_use() {
        for name in [
            "Deployment",
            "deployments",
            "DEPLOY",
            "apps/Deployment",
            "apps/v1/deployment",
            "deployments.apps",
            "deployment.v1.apps",
            " deploy ",
        ] {
            assert_eq!(found(name).as_deref(), Some("apps/v1 Deployment"), "{name}");
        }
        assert_eq!(
            found("apps/v1beta1/Deployment").as_deref(),
            Some("apps/v1 Deployment"),
            "another version of the group"
        );
    }

    #[test]
    fn of_two_kinds_of_one_name_the_core_one_is_meant_unless_the_group_is_said() {
        assert_eq!(found("service").as_deref(), Some("v1 Service"));
        assert_eq!(found("Event").as_deref(), Some("v1 Event"));
        assert_eq!(found("v1/Service").as_deref(), Some("v1 Service"));
        assert_eq!(found("serving.knative.dev/Service").as_deref(), Some("serving.knative.dev/v1 Service"));
        assert_eq!(found("services.serving.knative.dev").as_deref(), Some("serving.knative.dev/v1 Service"));
    }

    #[test]
    fn an_unknown_kind_tells_its_neighbours() {
        assert_eq!(found("Deploymint"), None);
        assert_eq!(kinds().near("Deploymint"), ["Deployment"]);
        assert_eq!(kinds().near("apps/Deploymint"), ["Deployment"]);
    }
}
