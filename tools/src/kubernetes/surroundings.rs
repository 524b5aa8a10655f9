//! What surrounds an object without being named by it: the ways that lead to its pods, the quotas of its namespace,
//! what its account may do, and what stands on a node or a volume.

use serde_json::Value;

use super::access::Subject;
use super::describe::{quota, rule, subject};
use super::family::is_workload;
use super::field::{entries, items, name, namespace, text};
use super::references::pod_spec;
use super::related::{Heading, backends};
use super::{Cluster, LookError, pods, selector};

/// The most objects of a kind that are read.
const READ: usize = 1_000;

/// What surrounds the object, heading by heading.
pub(super) async fn surroundings(cluster: &Cluster, object: &Value) -> Vec<Heading> {
    let kind = text(object, "/kind").unwrap_or_default();
    let space = namespace(object);
    match (kind, space) {
        ("Node", _) => {
            let on = format!("spec.nodeName={}", name(object));
            vec![("pods on it".to_owned(), listed(cluster, None, None, Some(&on)).await)]
        }
        ("PersistentVolume", _) => vec![("used by".to_owned(), claim_of(cluster, object).await)],
        ("PodDisruptionBudget" | "NetworkPolicy", Some(space)) => {
            let pointer = if kind == "NetworkPolicy" { "/spec/podSelector" } else { "/spec/selector" };
            let labels = object.pointer(pointer).and_then(selector::query);
            vec![("selects pods".to_owned(), listed(cluster, Some(space), labels.as_deref(), None).await)]
        }
        ("ServiceAccount", Some(space)) => vec![rights(cluster, space, name(object)).await],
        ("Role" | "ClusterRole", _) => vec![("given to".to_owned(), holders(cluster, object).await)],
        (kind, Some(space)) if kind == "Pod" || is_workload(kind) => {
            let account = pod_spec(object).and_then(|spec| text(spec, "/serviceAccountName")).unwrap_or("default");
            let (ingresses, quotas, rights) = tokio::join!(
                ingresses(cluster, object, space),
                quotas(cluster, space),
                rights(cluster, space, account)
            );
            let told = |heading: &str, found: Result<Vec<String>, LookError>| (heading.to_owned(), found);
            vec![
                told("Ingresses that lead to its Services", ingresses),
                told("quotas of its namespace", quotas),
                rights,
            ]
            .into_iter()
            // These are told only where there are any, or where they can't be seen.
            .filter(|(_, found)| !matches!(found, Ok(lines) if lines.is_empty()))
            .collect()
        }
        _ => vec![],
    }
}

async fn listed(
    cluster: &Cluster,
    space: Option<&str>,
    labels: Option<&str>,
    fields: Option<&str>,
) -> Result<Vec<String>, LookError> {
    let mut found = cluster.list("v1/Pod", space, labels, fields, READ).await?;
    pods::worst_first(&mut found);
    let place = |pod: &Value| match space {
        Some(_) => name(pod).to_owned(),
        None => format!("{}/{}", namespace(pod).unwrap_or_default(), name(pod)),
    };
    Ok(found.iter().map(|pod| format!("{} {}", place(pod), pods::Summary::of(pod).status)).collect())
}

async fn claim_of(cluster: &Cluster, volume: &Value) -> Result<Vec<String>, LookError> {
    let claim = text(volume, "/spec/claimRef/namespace").zip(text(volume, "/spec/claimRef/name"));
    let Some((space, wanted)) = claim else { return Ok(vec![]) };
    let kind = cluster.kind("v1/PersistentVolumeClaim").await?;
    let object = marple_core::ObjectRef::namespaced("PersistentVolumeClaim", space, wanted);
    let state = match cluster.read(&kind, &object).await {
        Ok(claim) => text(&claim, "/status/phase").unwrap_or("without a phase").to_owned(),
        Err(LookError::NotFound { .. }) => "MISSING".to_owned(),
        Err(error) => return Err(error),
    };
    Ok(vec![format!("PersistentVolumeClaim {space}/{wanted}: {state}")])
}

/// Ingresses to the Services that select the pods.
async fn ingresses(cluster: &Cluster, object: &Value, space: &str) -> Result<Vec<String>, LookError> {
    let labels = match text(object, "/kind") {
        Some("Pod") => object.pointer("/metadata/labels"),
        _ => object.pointer("/spec/template/metadata/labels"),
    };
    let (services, ingresses) = tokio::try_join!(
        cluster.list("v1/Service", Some(space), None, None, READ),
        cluster.list("networking.k8s.io/Ingress", Some(space), None, None, READ)
    )?;
    let selecting = services.iter().filter(|service| {
        entries(service, "/spec/selector").next().is_some()
            && service.pointer("/spec/selector").is_some_and(|selector| selector::matches(selector, labels))
    });
    let services: Vec<&str> = selecting.map(name).collect();
    let lines = ingresses.iter().flat_map(|ingress| {
        let to = backends(ingress).into_iter().filter(|(service, _)| services.contains(service));
        to.map(|(service, place)| format!("{} ({place} → Service {service})", name(ingress)))
    });
    Ok(lines.collect())
}

async fn quotas(cluster: &Cluster, space: &str) -> Result<Vec<String>, LookError> {
    Ok(cluster.list("v1/ResourceQuota", Some(space), None, None, READ).await?.iter().map(quota).collect())
}

/// What an account may do by RBAC beyond what every account may.
async fn rights(cluster: &Cluster, space: &str, account: &str) -> Heading {
    let heading = format!("ServiceAccount {account} may, by RBAC");
    let subject = Subject::Account(space.to_owned(), account.to_owned());
    let found = cluster.grants(&subject, Some(space)).await.map(|grants| {
        let own = grants.grants.iter().filter(|grant| !grant.by.contains("→ ClusterRole system:"));
        let mut lines: Vec<String> = own.map(|grant| format!("{} ({})", rule(&grant.rule), grant.by)).collect();
        lines.extend(grants.dangling.iter().map(|binding| format!("nothing by {binding}, for that role is MISSING")));
        lines
    });
    (heading, found)
}

/// Who has a role by which binding.
async fn holders(cluster: &Cluster, role: &Value) -> Result<Vec<String>, LookError> {
    let (of_space, of_cluster) = tokio::try_join!(
        cluster.list("rbac.authorization.k8s.io/RoleBinding", namespace(role), None, None, READ),
        async {
            if namespace(role).is_some() {
                return Ok(vec![]);
            }
            cluster.list("rbac.authorization.k8s.io/ClusterRoleBinding", None, None, None, READ).await
        }
    )?;
    let given = of_cluster.iter().chain(&of_space).filter(|binding| {
        text(binding, "/roleRef/kind") == text(role, "/kind") && text(binding, "/roleRef/name") == Some(name(role))
    });
    Ok(given
        .map(|binding| {
            let place = namespace(binding).map(|space| format!("{space}/")).unwrap_or_default();
            let subjects: Vec<String> = items(binding, "/subjects").map(subject).collect();
            let kind = text(binding, "/kind").unwrap_or_default();
            format!("{} by {kind} {place}{}", subjects.join(", "), name(binding))
        })
        .collect())
}
