//! `kubernetes_access`: whether somebody may do something.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::output;
use crate::kubernetes::access::{Deed, Grants, Subject};
use crate::kubernetes::describe::{Page, rule};
use crate::kubernetes::{Cluster, LookError};
use crate::view::Limits;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// The most rules and bindings that are told.
const TOLD: usize = 20;

/// Whether somebody may do something.
pub(super) struct Access {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Service account as namespace/name, user:NAME or group:NAME.
    subject: String,
    verb: String,
    /// As pods/log.
    resource: String,
    /// Leave out for cluster-wide.
    namespace: Option<String>,
    name: Option<String>,
}

impl Access {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "Whether a subject may do something, by which role, or what it may do instead.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_access", description, Effect::Read) }
    }

    async fn deed(&self, arguments: &Arguments) -> Result<Deed, ToolError> {
        let (resource, subresource) = match arguments.resource.split_once('/') {
            // `apps/deployments` is a group and a resource, `pods/log` a resource and its part.
            Some((left, right)) if self.cluster.kind(left).await.is_ok() => (left, Some(right.to_owned())),
            _ => (arguments.resource.as_str(), None),
        };
        let kind = self.cluster.kind(resource).await?;
        Ok(Deed {
            verb: arguments.verb.to_lowercase(),
            namespace: arguments.namespace.clone().filter(|_| kind.namespaced),
            group: kind.group,
            resource: kind.plural,
            subresource,
            name: arguments.name.clone(),
        })
    }
}

#[async_trait]
impl Tool for Access {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let Some(subject) = Subject::parse(&arguments.subject, arguments.namespace.as_deref()) else {
            let text = format!(
                "{}: argument `subject` is {:?}; wanted is namespace/name of a service account, user:NAME or group:NAME",
                self.spec.name, arguments.subject
            );
            return Err(ToolError::Arguments(text));
        };
        let deed = self.deed(&arguments).await?;
        let space = deed.namespace.as_deref();
        let (verdict, grants) = tokio::join!(self.cluster.may(&subject, &deed), self.cluster.grants(&subject, space));
        let mut page = Page::default();
        match (&verdict, &grants) {
            (Ok(verdict), _) => {
                let answer = if verdict.allowed { "yes" } else { "NO" };
                let reason = if verdict.reason.is_empty() { String::new() } else { format!(": {}", verdict.reason) };
                page.line(0, format!("{answer}{reason} (the API server's own answer)"));
            }
            (Err(error), Ok(grants)) => {
                let answer = if grants.allowing(&deed).is_empty() { "NO by RBAC" } else { "yes by RBAC" };
                page.line(
                    0,
                    format!(
                        "{answer}; other authorizers are not known here, for the API server was not asked: {error}"
                    ),
                );
            }
            (Err(error), Err(_)) => return Err(error.clone().into()),
        }
        rights(&mut page, &deed, grants);
        let title = format!("whether {subject} may {deed}");
        Ok(output(title, None, page.into_text(), Limits { fold: false, head: 80, ..Limits::default() }))
    }
}

/// What grants the deed; where nothing does, what the subject may do with the resource, and else which roles it has.
fn rights(page: &mut Page, deed: &Deed, grants: Result<Grants, LookError>) {
    let Some(grants) = page.seen("roles and bindings", grants) else { return };
    let allowing = grants.allowing(deed);
    let told = |grants: &mut dyn Iterator<Item = String>| {
        let mut lines: Vec<String> = grants.collect();
        lines.dedup();
        lines
    };
    if allowing.is_empty() {
        let about = |grant: &&crate::kubernetes::access::Grant| {
            grant.rule.get("resources").and_then(Value::as_array).is_some_and(|resources| {
                resources
                    .iter()
                    .filter_map(Value::as_str)
                    .any(|one| one == "*" || one.split('/').next() == Some(&deed.resource))
            })
        };
        let near = grants.grants.iter().filter(about);
        let lines = told(&mut near.map(|grant| format!("{}: {}", grant.by, rule(&grant.rule))));
        page.section(&format!("what it may do with {}", deed.resource), &lines, TOLD, Some("nothing"));
        let roles = told(&mut grants.grants.iter().map(|grant| grant.by.clone()));
        page.section("its roles", &roles, TOLD, Some("none"));
    } else {
        let lines = told(&mut allowing.iter().map(|grant| format!("{}: {}", grant.by, rule(&grant.rule))));
        page.section("granted by", &lines, TOLD, None);
    }
    page.section("bindings whose role is gone", &grants.dangling, TOLD, None);
}
