//! Resources of Flux, by the condition that all of them have.

use futures::future::join_all;
use serde_json::Value;

use super::Release;
use crate::kubernetes::field::{flag, items, name, namespace, text, time};
use crate::kubernetes::{Cluster, Kind, Kinds, LookError};

pub(super) fn is(kind: &Kind) -> bool {
    kind.group.ends_with(".toolkit.fluxcd.io") && kind.verbs.iter().any(|verb| verb == "list")
}

/// Kind by kind, for each may be refused alone.
pub(super) async fn releases(
    cluster: &Cluster,
    kinds: &Kinds,
    space: Option<&str>,
) -> Vec<(String, Result<Vec<Release>, LookError>)> {
    join_all(kinds.iter().filter(|kind| is(kind)).map(|kind| async move {
        let mut found = Vec::new();
        let read = cluster.each(kind, space, None, None, |object| found.push(release(kind, &object))).await;
        (kind.kind.clone(), read.map(|()| found))
    }))
    .await
}

fn release(kind: &Kind, object: &Value) -> Release {
    let ready = items(object, "/status/conditions").find(|condition| text(condition, "/type") == Some("Ready"));
    let part = |pointer: &str| ready.and_then(|ready| text(ready, pointer)).unwrap_or_default();
    let status = part("/status");
    let suspended = flag(object, "/spec/suspend");
    let state = match status {
        "True" => "Ready".to_owned(),
        "" => "no condition Ready".to_owned(),
        _ => format!("not ready, {}", part("/reason")),
    };
    // An alert or a receiver has no status at all.
    let stateless = object.pointer("/status/conditions").is_none();
    let state = if stateless { "(it tells no state)".to_owned() } else { state };
    let state = if suspended { format!("{state}, SUSPENDED") } else { state };
    let applied = ["/status/lastAppliedRevision", "/status/artifact/revision", "/status/history/0/chartVersion"];
    let applied = applied.iter().find_map(|pointer| text(object, pointer)).unwrap_or_default();
    let attempted = text(object, "/status/lastAttemptedRevision").filter(|attempted| *attempted != applied);
    let attempted = attempted.map(|attempted| format!(", attempted {attempted}")).unwrap_or_default();
    Release {
        kind: kind.kind.clone(),
        namespace: namespace(object).unwrap_or_default().to_owned(),
        name: name(object).to_owned(),
        state,
        well: (status == "True" || stateless) && !suspended,
        revision: format!("{applied}{attempted}"),
        at: ready.and_then(|ready| time(ready, "/lastTransitionTime")),
        message: part("/message").to_owned(),
    }
}
