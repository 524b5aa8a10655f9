//! What the caller itself may do: what whoever recorded might. Where that wasn't recorded, it may read all.

use marple_tools::kubernetes::Deed;
use serde_json::{Value, json};

use super::review::deed;
use super::status::Refusal;
use crate::bundle::{KubernetesState, RecordedAccess};
use crate::json::text;

const READ: [&str; 3] = ["get", "list", "watch"];

/// The status of a `SelfSubjectAccessReview`.
pub(super) fn access(state: &KubernetesState, review: &Value) -> Result<Value, Refusal> {
    let attributes = |field: &str| review.get("spec").and_then(|spec| spec.get(field));
    let verb = ["resourceAttributes", "nonResourceAttributes"]
        .into_iter()
        .find_map(|field| attributes(field)?.get("verb")?.as_str())
        .ok_or_else(|| Refusal::bad_request("spec names no verb"))?;
    let Some(everywhere) = cluster_wide(state) else { return Ok(reader(verb)) };
    if let Some(wanted) = attributes("resourceAttributes") {
        return Ok(decided(state, everywhere, &deed(wanted)));
    }
    let path = attributes("nonResourceAttributes").map_or("", |wanted| text(wanted, "/path"));
    Ok(match everywhere.allows_path(verb, path) {
        true => json!({ "allowed": true }),
        // Who may do everything with resources, by no rule, may or may not ask for the path.
        false if everywhere.is_incomplete() || !everywhere.decisions.is_empty() => untold(INCOMPLETE),
        false => refused(everywhere),
    })
}

/// The status of a `SelfSubjectRulesReview`.
pub(super) fn rules(state: &KubernetesState, review: &Value) -> Result<Value, Refusal> {
    let namespace = text(review, "/spec/namespace");
    if namespace.is_empty() {
        return Err(Refusal::bad_request("no namespace on request"));
    }
    let Some(everywhere) = cluster_wide(state) else {
        return Ok(json!({
            "resourceRules": [{ "verbs": READ, "apiGroups": ["*"], "resources": ["*"] }],
            "nonResourceRules": [{ "verbs": ["get"], "nonResourceURLs": ["*"] }],
            "incomplete": false,
        }));
    };
    if let Some(here) = whole(state, everywhere, Some(namespace)) {
        return Ok(here.rules.clone());
    }
    let mut rules = everywhere.rules.clone();
    if let Some(fields) = rules.as_object_mut() {
        fields.insert("incomplete".to_owned(), true.into());
        fields.insert("evaluationError".to_owned(), elsewhere(namespace).into());
    }
    Ok(rules)
}

/// What may be done over a recording that doesn't tell what whoever recorded might.
fn reader(verb: &str) -> Value {
    if READ.contains(&verb) {
        json!({ "allowed": true })
    } else {
        json!({ "allowed": false, "reason": "a recorded incident can't be changed" })
    }
}

fn cluster_wide(state: &KubernetesState) -> Option<&RecordedAccess> {
    state.access.iter().find(|access| access.cluster_wide)
}

/// What was told of a namespace, or cluster-wide. That holds also in a namespace that isn't there: nothing can allow more in it.
fn whole<'a>(
    state: &'a KubernetesState,
    everywhere: &'a RecordedAccess,
    namespace: Option<&str>,
) -> Option<&'a RecordedAccess> {
    let Some(namespace) = namespace else { return Some(everywhere) };
    state.access.iter().find(|access| access.namespaces.contains(namespace)).or_else(|| {
        let all = state.resources.iter().find(|one| one.group_version == "v1" && one.resource == "namespaces")?;
        let is_absent = all.refused.is_none() && !all.objects.iter().any(|object| object.name() == namespace);
        is_absent.then_some(everywhere)
    })
}

fn decided(state: &KubernetesState, everywhere: &RecordedAccess, deed: &Deed) -> Value {
    let here = whole(state, everywhere, deed.namespace.as_deref());
    if here.unwrap_or(everywhere).allows(deed) {
        return json!({ "allowed": true });
    }
    // What is in no namespace is asked for with one all the same.
    let is_nowhere = || {
        let mut resources = state.resources.iter();
        resources.any(|one| !one.namespaced && one.resource == deed.resource && one.group() == deed.group)
    };
    let single = here
        .and_then(|here| here.decision(deed))
        .or_else(|| everywhere.decision(deed).filter(|decision| decision.is_allowed() || is_nowhere()));
    match (single, here, &deed.namespace) {
        (Some(decision), ..) => decision.status.clone(),
        (None, Some(here), _) if here.is_incomplete() => untold(INCOMPLETE),
        (None, Some(here), _) => refused(here),
        (None, None, namespace) => untold(&elsewhere(namespace.as_deref().unwrap_or_default())),
    }
}

/// A refusal by rules that are known whole, as RBAC words it.
fn refused(access: &RecordedAccess) -> Value {
    match access.fault() {
        "" => json!({ "allowed": false }),
        fault => json!({ "allowed": false, "reason": format!("RBAC: {fault}") }),
    }
}

const INCOMPLETE: &str = "the recording doesn't tell: the cluster could not list all that it allows, and this was not asked for when it was recorded";

fn elsewhere(namespace: &str) -> String {
    format!("the recording doesn't tell what is allowed in namespace {namespace} beside what is everywhere")
}

/// An answer that isn't known, which a review tells as an error.
fn untold(why: &str) -> Value {
    json!({ "allowed": false, "evaluationError": why })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bundle::{AccessDecision, RecordedObject, RecordedResource};

    fn resource(group_version: &str, name: &str, namespaced: bool, objects: &[&str]) -> RecordedResource {
        let object = |name: &&str| RecordedObject { object: json!({"metadata": {"name": name}}), cells: Vec::new() };
        RecordedResource {
            group_version: group_version.to_owned(),
            resource: name.to_owned(),
            namespaced,
            objects: objects.iter().map(object).collect(),
            ..RecordedResource::default()
        }
    }

    fn state(access: Vec<RecordedAccess>) -> KubernetesState {
        let resources =
            vec![resource("v1", "namespaces", false, &["shop", "till"]), resource("v1", "nodes", false, &[])];
        KubernetesState { resources, access, ..KubernetesState::default() }
    }

    fn rule(verbs: &[&str], resource: &str) -> Value {
        json!({"verbs": verbs, "apiGroups": [""], "resources": [resource]})
    }

    fn told(namespaces: &[&str], incomplete: bool, rules: &[Value]) -> RecordedAccess {
        RecordedAccess {
            cluster_wide: namespaces.is_empty(),
            namespaces: namespaces.iter().map(|name| (*name).to_owned()).collect(),
            rules: json!({"resourceRules": rules, "nonResourceRules": [{"verbs": ["get"], "nonResourceURLs": ["/healthz"]}],
                "incomplete": incomplete}),
            decisions: Vec::new(),
        }
    }

    fn asked(state: &KubernetesState, verb: &str, resource: &str, namespace: &str) -> Value {
        let wanted = json!({"verb": verb, "group": "", "resource": resource, "namespace": namespace});
        access(state, &json!({"spec": {"resourceAttributes": wanted}})).unwrap()
    }

    fn path(state: &KubernetesState, verb: &str, path: &str) -> Value {
        access(state, &json!({"spec": {"nonResourceAttributes": {"verb": verb, "path": path}}})).unwrap()
    }

    #[test]
    fn a_recording_that_does_not_tell_may_be_read() {
        let state = state(Vec::new());
        assert_eq!(asked(&state, "list", "pods", "shop"), json!({"allowed": true}));
        assert_eq!(
            asked(&state, "delete", "pods", "shop"),
            json!({"allowed": false, "reason": "a recorded incident can't be changed"})
        );
        assert_eq!(path(&state, "get", "/metrics"), json!({"allowed": true}));
        let rules = rules(&state, &json!({"spec": {"namespace": "shop"}})).unwrap();
        assert_eq!(rules["resourceRules"][0]["verbs"], json!(READ));
    }

    #[test]
    fn rules_hold_where_they_were_told_and_cluster_wide_ones_everywhere() {
        let everywhere = [rule(&["get"], "nodes")];
        let here = [everywhere[0].clone(), rule(&["get", "delete"], "pods")];
        let state = state(vec![told(&[], false, &everywhere), told(&["shop"], false, &here)]);
        let (yes, no) = (json!({"allowed": true}), json!({"allowed": false}));
        assert_eq!(asked(&state, "delete", "pods", "shop"), yes);
        assert_eq!(asked(&state, "create", "pods", "shop"), no);
        assert_eq!(asked(&state, "get", "pods", ""), no);
        assert_eq!(asked(&state, "get", "nodes", "till"), yes);
        assert_eq!(asked(&state, "get", "pods", "nothing-there"), no, "nothing can allow it there");
        let unknown = asked(&state, "get", "pods", "till");
        assert_eq!(unknown["allowed"], false);
        assert!(unknown["evaluationError"].as_str().unwrap().contains("in namespace till"), "{unknown}");
        assert_eq!(path(&state, "get", "/healthz"), yes);
        assert_eq!(path(&state, "get", "/metrics"), no);

        let listed = |namespace: &str| rules(&state, &json!({"spec": {"namespace": namespace}})).unwrap();
        assert_eq!(listed("shop")["resourceRules"], json!(here));
        assert_eq!(listed("nothing-there")["incomplete"], false);
        assert_eq!(
            (&listed("till")["resourceRules"], &listed("till")["incomplete"]),
            (&json!(everywhere), &json!(true))
        );
        assert!(rules(&state, &json!({"spec": {}})).is_err());
    }

    #[test]
    fn of_incomplete_rules_single_answers_are_given_and_the_rest_is_not_known() {
        let decision = |resource: &str, status: Value| AccessDecision {
            verb: "get".to_owned(),
            group: String::new(),
            resource: resource.to_owned(),
            status,
        };
        let mut everywhere = told(&[], true, &[]);
        everywhere.decisions =
            vec![decision("nodes", json!({"allowed": false, "reason": "needs container.nodes.get"}))];
        let mut here = told(&["shop"], true, &[]);
        here.decisions = vec![decision("pods", json!({"allowed": true}))];
        let state = state(vec![everywhere, here]);
        assert_eq!(asked(&state, "get", "pods", "shop"), json!({"allowed": true}));
        assert_eq!(asked(&state, "get", "nodes", "shop")["reason"], "needs container.nodes.get");
        assert_eq!(asked(&state, "get", "secrets", "shop"), untold(INCOMPLETE));
        assert_eq!(path(&state, "get", "/metrics"), untold(INCOMPLETE));
        assert_eq!(path(&state, "get", "/healthz"), json!({"allowed": true}));
    }

    #[test]
    fn who_may_do_everything_by_no_rule_may_do_it_everywhere() {
        let all = || "*".to_owned();
        let decision = AccessDecision { verb: all(), group: all(), resource: all(), status: json!({"allowed": true}) };
        let everywhere = RecordedAccess { decisions: vec![decision], ..told(&[], false, &[]) };
        let state = state(vec![everywhere, told(&["shop"], false, &[])]);
        for namespace in ["", "shop", "till"] {
            assert_eq!(asked(&state, "delete", "pods", namespace), json!({"allowed": true}), "{namespace}");
        }
        assert_eq!(path(&state, "get", "/metrics"), untold(INCOMPLETE));
    }

    #[test]
    fn a_role_that_is_gone_is_told_with_each_refusal_as_rbac_does() {
        let mut everywhere = told(&[], false, &[]);
        everywhere.rules["evaluationError"] = "clusterroles \"gone\" not found".into();
        assert_eq!(
            asked(&state(vec![everywhere]), "get", "pods", ""),
            json!({"allowed": false, "reason": "RBAC: clusterroles \"gone\" not found"})
        );
    }
}
