//! `kubernetes_releases`: what Helm, Argo CD and Flux delivered.

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::output;
use crate::kubernetes::Cluster;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::describe::Page;
use crate::kubernetes::release::{Helm, Release, Releases};
use crate::view::{Limits, grouped};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Differences between two revisions that are told, and letters of a message in a list.
const CHANGES: usize = 60;
const MESSAGE: usize = 300;

/// Releases of one name whose history is read.
const HISTORIES: usize = 3;

/// What Helm, Argo CD and Flux delivered.
pub(crate) struct ReleasesTool {
    cluster: Cluster,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    namespace: Option<String>,
    /// With it, a Helm release's history and what changed.
    name: Option<String>,
}

impl ReleasesTool {
    pub(crate) fn new(cluster: Cluster) -> Self {
        let description = "Helm releases, Argo CD applications, Flux resources: state, revision, last message.";
        Self { cluster, spec: arguments::spec::<Arguments>("kubernetes_releases", description, Effect::Read) }
    }
}

#[async_trait]
impl Tool for ReleasesTool {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let space = arguments.namespace.as_deref();
        let place = space.map_or_else(|| "in all namespaces".to_owned(), |space| format!("in {space}"));
        let Releases { mut found, unseen } = self.cluster.releases(space).await?;
        let all = found.len();
        if let Some(name) = &arguments.name {
            found.retain(|release| release.name == *name);
        }
        let clock = Clock::of(look);
        let mut page = Page::default();
        if found.is_empty() && unseen.is_empty() {
            let what = arguments.name.as_ref().map_or_else(
                || format!("there are no releases of Helm, Argo CD or Flux {place}"),
                |name| format!("there is no release {name} {place}, among {}", grouped(all)),
            );
            return Err(ToolError::NotFound(what));
        }
        page.line(0, clock.legend().unwrap_or_default());
        let unwell = found.iter().filter(|release| !release.well).count();
        page.line(0, format!("{} releases, {} not well", grouped(found.len()), grouped(unwell)));
        for release in &found {
            page.line(0, line(release, clock, arguments.name.is_some()));
        }
        let helm = found.iter().filter(|release| release.kind == "Helm release" && arguments.name.is_some());
        for release in helm.take(HISTORIES) {
            let read = self.cluster.helm(&release.namespace, &release.name).await;
            if let Some(Some(helm)) = page.seen("its history", read) {
                history(&mut page, &helm, clock);
            }
        }
        for unseen in &unseen {
            page.line(0, unseen);
        }
        let title = match &arguments.name {
            Some(name) => format!("release {name} {place}"),
            None => format!("releases {place}"),
        };
        Ok(output(title, None, page.into_text(), Limits { fold: false, head: 80, ..Limits::default() }))
    }
}

/// As `Kustomization flux-system/apps: not ready, BuildFailed; main@sha1:…; 3m ago: the message`.
fn line(release: &Release, clock: Clock, whole: bool) -> String {
    let Release { kind, namespace, name, state, revision, at, message, .. } = release;
    let revision = if revision.is_empty() { String::new() } else { format!("; {revision}") };
    let when = at.map(|at| format!("; {}", clock.when(at))).unwrap_or_default();
    let message = if message.is_empty() {
        String::new()
    } else {
        let message = message.replace('\n', " ");
        format!(": {}", if whole { message } else { crate::view::cut(&message, MESSAGE) })
    };
    format!("{kind} {namespace}/{name}: {state}{revision}{when}{message}")
}

/// The revisions of a Helm release, and what changed in its objects with the latest.
fn history(page: &mut Page, helm: &Helm, clock: Clock) {
    page.line(0, format!("history of Helm release {}/{}:", helm.namespace, helm.name));
    for revision in &helm.revisions {
        let when = revision.deployed.map(|at| format!(", {}", clock.when(at))).unwrap_or_default();
        let description =
            if revision.description.is_empty() { String::new() } else { format!(": {}", revision.description) };
        let app =
            if revision.app_version.is_empty() { String::new() } else { format!(", app {}", revision.app_version) };
        page.line(1, format!("{} {}{when}, {}{app}{description}", revision.number, revision.status, revision.chart));
    }
    if helm.older > 0 {
        page.line(1, format!("… {} older left out …", helm.older));
    }
    if helm.broken > 0 {
        page.line(1, format!("{} revisions could not be read", helm.broken));
    }
    let [new, old, ..] = helm.revisions.as_slice() else { return };
    match new.changed_since(old) {
        Err(why) => page.line(0, format!("what changed can't be told: {why}")),
        Ok(lines) => {
            let title = format!(
                "changed in its objects, revision {} → {} (Secrets by their sizes only)",
                old.number, new.number
            );
            page.section(&title, &lines, CHANGES, Some("nothing"));
        }
    }
}
