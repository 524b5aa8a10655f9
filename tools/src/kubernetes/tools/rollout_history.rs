//! `kubernetes_rollout_history`: what changed in a workload, and when.

use async_trait::async_trait;
use futures::future::join_all;
use marple_core::ObjectRef;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{output, target};
use crate::kubernetes::clock::Clock;
use crate::kubernetes::describe::Page;
use crate::kubernetes::field::{items, name, namespace, text, time};
use crate::kubernetes::references::{of_pod_spec, pod_spec};
use crate::kubernetes::revisions::{Revision, changes, writers};
use crate::kubernetes::{Cluster, LookError, reference};
use crate::view::Limits;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Changes that are told, unless said otherwise; and those of one that are listed.
const TOLD: usize = 3;
const CHANGES: usize = 40;

/// The most configuration objects that are looked at.
const CONFIGURATION: usize = 12;

/// What changed in a workload, and when.
pub(super) struct RolloutHistory {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Deployment, StatefulSet or DaemonSet.
    kind: String,
    /// Name.
    name: String,
    /// Namespace.
    namespace: Option<String>,
    /// How many changes back; 3 by default.
    changes: Option<usize>,
}

impl RolloutHistory {
    pub(super) fn new(cluster: Cluster) -> Self {
        let description = "What changed between a workload's revisions, field by field, with times; and when the \
                           configuration that it reads last changed.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_rollout_history", description, Effect::Read) }
    }

    /// When each ConfigMap and Secret that the workload reads was last written.
    async fn configuration(&self, workload: &Value) -> Vec<(ObjectRef, Result<Value, LookError>)> {
        let Some((spec, space)) = pod_spec(workload).zip(namespace(workload)) else { return vec![] };
        let read = of_pod_spec(spec)
            .into_keys()
            .filter(|target| matches!(target.kind, "ConfigMap" | "Secret"))
            .take(CONFIGURATION)
            .map(|target| ObjectRef::namespaced(target.kind, space, target.name))
            .map(|object| async move {
                let read = match self.cluster.kind(&object.kind).await {
                    Ok(kind) => self.cluster.read(&kind, &object).await,
                    Err(error) => Err(error),
                };
                (object, read)
            });
        join_all(read).await
    }
}

#[async_trait]
impl Tool for RolloutHistory {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let wanted = target(&arguments.kind, &arguments.name, arguments.namespace.as_deref());
        let workload = self.cluster.get(&wanted).await?;
        let kind = text(&workload, "/kind").unwrap_or_default();
        if !matches!(kind, "Deployment" | "StatefulSet" | "DaemonSet") {
            let top = self.cluster.top(&workload).await?.filter(|top| !top.is(kind));
            let instead = top.map(|top| format!("; it is controlled by {top}: ask for that")).unwrap_or_default();
            return Err(ToolError::Arguments(format!(
                "{kind} keeps no revisions; a Deployment, StatefulSet or DaemonSet does{instead}"
            )));
        }
        let (revisions, configuration) = tokio::join!(self.cluster.revisions(&workload), self.configuration(&workload));
        let clock = Clock::of(look);
        let content = written(&workload, &revisions?, &configuration, arguments.changes.unwrap_or(TOLD).max(1), clock);
        let object = reference(&workload);
        let title = object.as_ref().map(|object| format!("what changed in {object}")).unwrap_or_default();
        Ok(output(title, object, content, Limits { fold: false, head: 80, ..Limits::default() }))
    }
}

fn written(
    workload: &Value,
    revisions: &[Revision],
    configuration: &[(ObjectRef, Result<Value, LookError>)],
    most: usize,
    clock: Clock,
) -> String {
    let mut page = Page::default();
    page.line(0, clock.legend().unwrap_or_default());
    page.field(
        0,
        "created",
        time(workload, "/metadata/creationTimestamp").map(|at| clock.when(at)).unwrap_or_default(),
    );
    let wrote: Vec<String> =
        writers(workload).into_iter().map(|(at, who)| format!("{} by {who}", clock.when(at))).collect();
    page.field(0, "last written", wrote.join(", "));
    let progressing =
        items(workload, "/status/conditions").find(|condition| text(condition, "/type") == Some("Progressing"));
    if let Some(condition) = progressing {
        let when = time(condition, "/lastUpdateTime").map(|at| format!(" ({})", clock.when(at))).unwrap_or_default();
        page.field(0, "rollout", format!("{}{when}", text(condition, "/message").unwrap_or_default()));
    }
    match revisions {
        [] => page.line(0, "no revisions are kept (spec.revisionHistoryLimit), so that what changed can't be told"),
        [only] => page.line(0, format!("revision {} is the only one that is kept: {}", only.number, head(only, clock))),
        _ => {}
    }
    for pair in revisions.windows(2).take(most) {
        let [new, old] = pair else { continue };
        page.line(0, format!("revision {} → {}: {}", old.number, new.number, head(new, clock)));
        let changed = changes(&old.template, &new.template);
        if changed.is_empty() {
            page.line(1, "no field of the pod template differs");
        }
        for change in changed.iter().take(CHANGES) {
            page.line(1, change.to_string());
        }
        if changed.len() > CHANGES {
            page.line(1, format!("… {} more changes left out …", changed.len() - CHANGES));
        }
    }
    if revisions.len() > most + 1 {
        page.line(
            0,
            format!(
                "{} older revisions are kept, back to {}",
                revisions.len() - most - 1,
                revisions.last().map_or(0, |oldest| oldest.number)
            ),
        );
    }
    let lines: Vec<String> = configuration
        .iter()
        .map(|(object, read)| match read {
            Ok(read) => {
                let at = writers(read).into_iter().next();
                let wrote = at.map(|(at, who)| format!("last written {} by {who}", clock.when(at)));
                let created = time(read, "/metadata/creationTimestamp").map(|at| format!("created {}", clock.when(at)));
                format!(
                    "{} {}: {}",
                    object.kind,
                    name(read),
                    [wrote, created].into_iter().flatten().collect::<Vec<_>>().join(", ")
                )
            }
            Err(LookError::NotFound { .. }) => format!("{} {}: MISSING", object.kind, object.name),
            Err(error) => format!("{} {}: could not be seen: {error}", object.kind, object.name),
        })
        .collect();
    page.section("configuration that its pods read", &lines, CONFIGURATION, None);
    page.into_text()
}

/// When a revision came, in how many pods it is, and why.
fn head(revision: &Revision, clock: Clock) -> String {
    let created = revision.created.map(|at| clock.when(at)).unwrap_or_default();
    let made = match &revision.earlier {
        Some(earlier) => format!("rolled back to what was revision {earlier} (first made {created})"),
        None => format!("made {created}"),
    };
    let pods = revision.pods.map(|(ready, wanted)| format!(", {ready} of {wanted} pods ready")).unwrap_or_default();
    let cause = revision.cause.as_ref().map(|cause| format!(", because {cause:?}")).unwrap_or_default();
    format!("{made}{pods}{cause} ({})", revision.name)
}
