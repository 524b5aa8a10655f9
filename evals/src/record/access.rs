//! Asks what whoever records may do.

use std::collections::BTreeSet;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use http::header::CONTENT_TYPE;
use marple_tools::kubernetes::Deed;
use serde_json::{Value, json};

use super::{RecordError, Recorder};
use crate::bundle::{AccessDecision, KubernetesState, RecordedAccess};
use crate::json::{items, text};

/// A review of rules is of a namespace. This is the name of none: what is allowed there is what is allowed cluster-wide.
const NOWHERE: &str = "-";

/// The namespaces that every cluster begins with, for whoever may not list them.
const FIRST: [&str; 4] = ["default", "kube-node-lease", "kube-public", "kube-system"];

/// The most namespaces that aren't recorded whose rules are asked for.
const NAMESPACES: usize = 500;

/// The most single reviews. A namespace takes some 500.
const DECISIONS: usize = 5_000;

/// Reviews under way at once: few enough for the API server's share of one client.
const AT_ONCE: usize = 8;

/// Everything, as the API writes it.
const ALL: &str = "*";

/// One thing that discovery says can be done.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Possible {
    group: String,
    /// With its part, as `pods/log`.
    resource: String,
    verb: String,
    namespaced: bool,
}

impl Recorder<'_> {
    /// Asks for the rules cluster-wide, of the recorded namespaces and of others; where they are incomplete, for what can be
    /// done cluster-wide and in the recorded namespaces one by one. An API server that refuses is recorded without.
    pub(super) async fn access(&mut self, state: &KubernetesState) -> Result<Vec<RecordedAccess>, RecordError> {
        self.progress("what the recorder may do");
        match self.reviewed(state).await {
            Err(RecordError::Kubernetes { source: kube::Error::Api(status), .. }) => {
                self.omit("what the recorder might do".to_owned(), status.message.clone());
                Ok(Vec::new())
            }
            reviewed => reviewed,
        }
    }

    async fn reviewed(&mut self, state: &KubernetesState) -> Result<Vec<RecordedAccess>, RecordError> {
        let mut all: Vec<RecordedAccess> =
            stream::iter(self.scopes(state)).map(|scope| self.rules(scope)).buffered(AT_ONCE).try_collect().await?;
        let mut left = DECISIONS;
        for access in &mut all {
            if !access.is_incomplete() {
                self.superuser(access).await?;
            } else if access.cluster_wide || !access.namespaces.is_disjoint(&self.options.namespaces) {
                self.decide(access, state, &mut left).await?;
            }
        }
        for access in &mut all {
            self.redaction.document(&mut access.rules);
            access.decisions.iter_mut().for_each(|decision| self.redaction.document(&mut decision.status));
        }
        Ok(merged(all))
    }

    /// Cluster-wide, then the namespaces.
    fn scopes(&mut self, state: &KubernetesState) -> Vec<Option<String>> {
        let namespaces = state.resources.iter().find(|one| one.group_version == "v1" && one.resource == "namespaces");
        let listed = namespaces.map_or(&[][..], |one| &one.objects).iter().map(|object| object.name().to_owned());
        let others: BTreeSet<String> = FIRST.map(str::to_owned).into_iter().chain(listed).collect();
        let others: Vec<String> = others.difference(&self.options.namespaces).cloned().collect();
        if let Some(more) = others.len().checked_sub(NAMESPACES).filter(|more| *more > 0) {
            self.omit(
                format!("what the recorder might do in {more} namespaces"),
                format!("{NAMESPACES} namespaces beside the recorded ones are asked of"),
            );
        }
        let recorded = self.options.namespaces.iter().cloned();
        [None].into_iter().chain(recorded.chain(others.into_iter().take(NAMESPACES)).map(Some)).collect()
    }

    async fn rules(&self, namespace: Option<String>) -> Result<RecordedAccess, RecordError> {
        let of = namespace.as_deref().unwrap_or(NOWHERE);
        let rules = self.asked("SelfSubjectRulesReview", json!({ "namespace": of })).await?;
        Ok(RecordedAccess {
            cluster_wide: namespace.is_none(),
            namespaces: namespace.into_iter().collect(),
            rules,
            decisions: Vec::new(),
        })
    }

    /// Asks for everything where the rules don't allow it: the group `system:masters` may do that by no rule, and the review
    /// says that its rules are complete.
    async fn superuser(&self, access: &mut RecordedAccess) -> Result<(), RecordError> {
        let everything = Possible::all(ALL);
        if access.cluster_wide && !access.allows(&everything.deed(None)) {
            let decision = self.decision(everything, None).await?;
            access.decisions.extend(Some(decision).filter(AccessDecision::is_allowed));
        }
        Ok(())
    }

    /// Asks for everything at once, and where that is not allowed for each thing that the rules don't allow.
    async fn decide(
        &mut self,
        access: &mut RecordedAccess,
        state: &KubernetesState,
        left: &mut usize,
    ) -> Result<(), RecordError> {
        let namespace = access.namespaces.first().cloned();
        let everything = self.decision(Possible::all(ALL), namespace.as_deref()).await?;
        if everything.is_allowed() {
            access.decisions.push(everything);
            return Ok(());
        }
        let possible = possible(state).into_iter().filter(|one| one.namespaced || access.cluster_wide);
        // `kubectl auth can-i '*' '*'` means the core group.
        let wanted = [Possible::all("")].into_iter().chain(possible);
        let mut wanted: Vec<Possible> = wanted.filter(|one| !access.allows(&one.deed(namespace.clone()))).collect();
        if wanted.len() > *left {
            let place = namespace.as_ref().map_or("cluster-wide".to_owned(), |name| format!("in namespace {name}"));
            self.omit(
                format!("{} of the things that the recorder might do {place}", wanted.len() - *left),
                format!("{DECISIONS} are asked for one by one"),
            );
            wanted.truncate(*left);
        }
        *left -= wanted.len();
        access.decisions = stream::iter(wanted)
            .map(|one| self.decision(one, namespace.as_deref()))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(())
    }

    async fn decision(&self, one: Possible, namespace: Option<&str>) -> Result<AccessDecision, RecordError> {
        let deed = one.deed(namespace.map(str::to_owned));
        let attributes = json!({
            "namespace": namespace, "verb": deed.verb, "group": deed.group, "resource": deed.resource,
            "subresource": deed.subresource,
        });
        let status = self.asked("SelfSubjectAccessReview", json!({ "resourceAttributes": attributes })).await?;
        let Possible { group, resource, verb, .. } = one;
        Ok(AccessDecision { verb, group, resource, status })
    }

    /// The status of a review.
    async fn asked(&self, kind: &str, spec: Value) -> Result<Value, RecordError> {
        let path = format!("/apis/authorization.k8s.io/v1/{}s", kind.to_lowercase());
        let failed = |source| RecordError::Kubernetes { what: path.clone(), source };
        let review = json!({ "apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec });
        let request = http::Request::post(&path)
            .header(CONTENT_TYPE, "application/json")
            .body(review.to_string().into_bytes())
            .map_err(|error| failed(kube::Error::HttpError(error)))?;
        let mut answer: Value = self.within(&path, self.options.client.request(request)).await?.map_err(failed)?;
        Ok(answer.get_mut("status").map(Value::take).unwrap_or_default())
    }
}

impl Possible {
    /// Everything in a group.
    fn all(group: &str) -> Self {
        Self { group: group.to_owned(), resource: ALL.to_owned(), verb: ALL.to_owned(), namespaced: true }
    }

    fn deed(&self, namespace: Option<String>) -> Deed {
        let (resource, part) = match self.resource.split_once('/') {
            Some((resource, part)) => (resource, Some(part.to_owned())),
            None => (self.resource.as_str(), None),
        };
        Deed {
            verb: self.verb.clone(),
            group: self.group.clone(),
            resource: resource.to_owned(),
            subresource: part,
            namespace,
            name: None,
        }
    }
}

/// All that discovery says can be done, once for all versions.
fn possible(state: &KubernetesState) -> BTreeSet<Possible> {
    let mut found = BTreeSet::new();
    for group in [&state.core, &state.groups].into_iter().flat_map(|document| items(document, "items")) {
        for resource in items(group, "versions").iter().flat_map(|version| items(version, "resources")) {
            let name = text(resource, "/resource");
            let parts = items(resource, "subresources").iter();
            let parts = parts.map(|part| (format!("{name}/{}", text(part, "/subresource")), part));
            for (name, one) in [(name.to_owned(), resource)].into_iter().chain(parts) {
                found.extend(items(one, "verbs").iter().filter_map(Value::as_str).map(|verb| Possible {
                    group: text(group, "/metadata/name").to_owned(),
                    resource: name.clone(),
                    verb: verb.to_owned(),
                    namespaced: text(resource, "/scope") == "Namespaced",
                }));
            }
        }
    }
    found
}

/// What was told alike, once.
fn merged(all: Vec<RecordedAccess>) -> Vec<RecordedAccess> {
    // RBAC reads its bindings from a cache that has no order.
    let sorted = |rules: &Value| -> Vec<String> {
        let mut told: Vec<String> = rules
            .as_object()
            .into_iter()
            .flatten()
            .flat_map(|(field, value)| match value {
                Value::Array(rules) => rules.iter().map(|rule| format!("{field} {rule}")).collect(),
                other => vec![format!("{field} {other}")],
            })
            .collect();
        told.sort_unstable();
        told
    };
    let mut merged: Vec<(Vec<String>, RecordedAccess)> = Vec::new();
    for access in all {
        let told = sorted(&access.rules);
        match merged.iter_mut().find(|(other, of)| *other == told && of.decisions == access.decisions) {
            Some((_, of)) => {
                of.cluster_wide |= access.cluster_wide;
                of.namespaces.extend(access.namespaces);
            }
            None => merged.push((told, access)),
        }
    }
    merged.into_iter().map(|(_, access)| access).collect()
}

#[cfg(test)]
mod tests {
    use marple_tools::redact::{RedactConfig, Redactor};
    use tokio_util::sync::CancellationToken;

    use super::super::tests::recorder;
    use super::*;

    fn state() -> KubernetesState {
        let resource = |name: &str, scope: &str, verbs: &[&str]| {
            json!({"resource": name, "scope": scope, "verbs": verbs,
            "subresources": if name == "pods" { json!([{"subresource": "log", "verbs": ["get"]}]) } else { json!([]) }})
        };
        let core = json!({"items": [{"versions": [{"version": "v1", "resources": [
            resource("pods", "Namespaced", &["get"]), resource("nodes", "Cluster", &["list"])]}]}]});
        let versions = ["v1", "v1beta1"].map(
            |version| json!({"version": version, "resources": [resource("deployments", "Namespaced", &["delete"])]}),
        );
        let groups = json!({"items": [{"metadata": {"name": "apps"}, "versions": versions}]});
        KubernetesState { core, groups, ..KubernetesState::default() }
    }

    /// An API server that lists a rule of pods, and allows what `allowed` says.
    fn server(incomplete: bool, allowed: fn(&Value) -> bool) -> kube::Client {
        let service = tower::service_fn(move |request: http::Request<kube::client::Body>| async move {
            let body = request.into_body().collect_bytes().await.unwrap();
            let review: Value = serde_json::from_slice(&body).unwrap();
            let status = if review["kind"] == "SelfSubjectRulesReview" {
                json!({"incomplete": incomplete, "nonResourceRules": [], "resourceRules": [{"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}]})
            } else {
                json!({"allowed": allowed(&review["spec"]["resourceAttributes"])})
            };
            let answer = json!({ "status": status }).to_string().into_bytes();
            Ok::<_, std::io::Error>(http::Response::new(kube::client::Body::from(answer)))
        });
        kube::Client::new(service, "default")
    }

    async fn recorded(incomplete: bool, allowed: fn(&Value) -> bool) -> Vec<RecordedAccess> {
        rustls::crypto::ring::default_provider().install_default().ok();
        let redact = Redactor::new(&RedactConfig::default()).unwrap();
        let cancel = CancellationToken::new();
        recorder(server(incomplete, allowed), &redact, &cancel).access(&state()).await.unwrap()
    }

    fn told(access: &RecordedAccess) -> Vec<String> {
        let told = access.decisions.iter();
        told.map(|one| format!("{} {}.{} {}", one.verb, one.resource, one.group, one.is_allowed())).collect()
    }

    #[tokio::test]
    async fn where_rules_are_incomplete_what_they_do_not_allow_is_asked_one_by_one() {
        let all = recorded(true, |wanted| wanted["resource"] == "deployments" && wanted["namespace"] == "shop").await;
        assert_eq!(all.len(), 3);
        assert!(all[0].cluster_wide && all[0].namespaces.is_empty());
        assert_eq!(
            told(&all[0]),
            ["* *. false", "list nodes. false", "get pods/log. false", "delete deployments.apps false"]
        );
        assert_eq!(all[1].namespaces, ["shop".to_owned()].into());
        assert_eq!(told(&all[1]), ["* *. false", "get pods/log. false", "delete deployments.apps true"]);
        assert_eq!(all[2].namespaces, FIRST.map(str::to_owned).into());
        assert_eq!(told(&all[2]), Vec::<String>::new(), "of what isn't recorded, rules are enough");
    }

    #[tokio::test]
    async fn where_everything_is_allowed_nothing_else_is_asked() {
        let all = recorded(true, |_| true).await;
        assert_eq!(told(&all[0]), ["* *.* true"]);
        assert!(all[0].cluster_wide && all[0].namespaces == ["shop".to_owned()].into());
    }

    #[tokio::test]
    async fn who_may_do_everything_by_no_rule_is_known_for_it() {
        let all = recorded(false, |_| true).await;
        let everything: Vec<(bool, Vec<String>)> = all.iter().map(|one| (one.cluster_wide, told(one))).collect();
        assert_eq!(everything, [(true, vec!["* *.* true".to_owned()]), (false, Vec::new())]);
        let all = recorded(false, |_| false).await;
        assert_eq!(
            all.iter().map(told).collect::<Vec<_>>(),
            [Vec::<String>::new()],
            "all namespaces are as cluster-wide"
        );
    }

    #[test]
    fn rules_that_are_told_in_another_order_are_the_same() {
        let access = |namespace: &str, verbs: [&str; 2]| RecordedAccess {
            namespaces: [namespace.to_owned()].into(),
            rules: json!({"incomplete": false, "resourceRules": verbs.map(|verb| json!({"verbs": [verb]}))}),
            ..RecordedAccess::default()
        };
        let all = merged(vec![access("b", ["get", "list"]), access("a", ["list", "get"]), access("c", ["get", "get"])]);
        let namespaces: Vec<Vec<&str>> =
            all.iter().map(|one| one.namespaces.iter().map(String::as_str).collect()).collect();
        assert_eq!(namespaces, [vec!["a", "b"], vec!["c"]]);
        assert_eq!(all[0].rules, access("b", ["get", "list"]).rules);
    }
}
