//! Applications of Argo CD, by their status.

use serde_json::Value;

use super::Release;
use crate::kubernetes::field::{items, name, namespace, text, time};
use crate::kubernetes::{Cluster, Kind, Kinds, LookError};

/// Letters of a revision that tell it from others.
const REVISION: usize = 12;

pub(super) fn is(kind: &Kind) -> bool {
    kind.group == "argoproj.io" && kind.kind == "Application"
}

pub(super) async fn releases(cluster: &Cluster, kinds: &Kinds, space: Option<&str>) -> Result<Vec<Release>, LookError> {
    let Some(kind) = kinds.iter().find(|kind| is(kind)) else { return Ok(vec![]) };
    let mut found = Vec::new();
    cluster.each(kind, space, None, None, |object| found.push(release(&object))).await?;
    Ok(found)
}

fn release(application: &Value) -> Release {
    let part = |pointer: &str| text(application, pointer);
    let (sync, health) =
        (part("/status/sync/status").unwrap_or("Unknown"), part("/status/health/status").unwrap_or("Unknown"));
    let phase = part("/status/operationState/phase").unwrap_or_default();
    let failed = matches!(phase, "Failed" | "Error");
    let running = if phase == "Running" { ", syncing" } else { "" };
    let failure = if failed { ", the last sync failed" } else { "" };
    let revision: String = part("/status/sync/revision").unwrap_or_default().chars().take(REVISION).collect();
    let target = part("/spec/source/targetRevision").map(|target| format!("{target}@")).unwrap_or_default();
    let conditions = items(application, "/status/conditions").filter_map(|condition| text(condition, "/message"));
    let resources = items(application, "/status/resources").filter(|one| {
        text(one, "/status").is_some_and(|status| status != "Synced")
            || text(one, "/health/status").is_some_and(|health| !matches!(health, "Healthy" | "Suspended"))
    });
    let resources = resources.map(|one| {
        let part = |pointer: &str| text(one, pointer).unwrap_or_default();
        let state = [part("/status"), part("/health/status"), part("/health/message")];
        let state = state.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(", ");
        format!("{} {}: {state}", part("/kind"), part("/name"))
    });
    let message = part("/status/operationState/message").filter(|_| failed || phase == "Running");
    let told: Vec<String> = [message, part("/status/health/message")]
        .into_iter()
        .flatten()
        .chain(conditions)
        .map(str::to_owned)
        .chain(resources.take(5))
        .collect();
    Release {
        kind: "Application".to_owned(),
        namespace: namespace(application).unwrap_or_default().to_owned(),
        name: name(application).to_owned(),
        state: format!("{sync}, {health}{failure}{running}"),
        well: sync == "Synced" && health == "Healthy" && !failed,
        revision: format!("{target}{revision}"),
        at: time(application, "/status/operationState/finishedAt")
            .or_else(|| time(application, "/status/reconciledAt")),
        message: told.join("; "),
    }
}
