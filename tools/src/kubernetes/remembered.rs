//! How an object hung together with others that is gone, or can't be read now.

use marple_core::{ObjectRef, Tie};

use super::clock::Clock;
use super::describe::Page;
use crate::topology::Remembered;

/// The most objects that are listed under one heading.
const LISTED: usize = 20;

/// Tells what is remembered of an object that is not there.
pub(super) fn remembered(one: &Remembered, clock: Clock) -> String {
    let mut page = Page::default();
    let since = one.gone_at.map(|at| format!(" since {} ({at:.0})", clock.when(at))).unwrap_or_default();
    page.field(0, "state", format!("gone{since}; this is what was known of it"));
    let owners: Vec<String> = one.owners.iter().map(|owner| format!("{} {}", owner.kind, owner.name)).collect();
    page.field(0, "owned by", if owners.is_empty() { "nothing".to_owned() } else { owners.join(" ← ") });
    let named =
        |objects: Vec<&ObjectRef>| objects.into_iter().map(|one| format!("{} {}", one.kind, one.name)).collect();
    let all = one.links.all(one.object.namespace.as_deref());
    let of = |wanted: Tie| named(all.iter().filter(|(_, tie)| *tie == wanted).map(|(object, _)| object).collect());
    for (heading, tie) in
        [("ran on", Tie::RunsOn), ("needed", Tie::Needs), ("scaled", Tie::Scales), ("delivered by", Tie::Delivered)]
    {
        let lines: Vec<String> = of(tie);
        page.section(heading, &lines, LISTED, None);
    }
    let selecting: Vec<String> = named(one.selected_by.iter().collect());
    page.section("what selects such pods", &selecting, LISTED, None);
    let hanging: Vec<String> = one
        .dependents
        .iter()
        .map(|one| {
            let gone = one.gone_at.map(|at| format!(", gone since {}", clock.when(at))).unwrap_or_default();
            format!("{} {} {} it{gone}", one.object.kind, one.object.name, one.tie)
        })
        .collect();
    page.section("what hung on it", &hanging, LISTED, None);
    page.into_text()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::sync::Arc;

    use async_trait::async_trait;
    use marple_core::{Links, Need};
    use serde_json::json;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::kubernetes::double::Double;
    use crate::kubernetes::tools;
    use crate::topology::{Dependent, Topology, TopologyError};
    use crate::{Look, ToolError};

    fn object(kind: &str, name: &str) -> ObjectRef {
        ObjectRef::namespaced(kind, "shop", name)
    }

    /// Remembers one pod.
    struct Gone;

    #[async_trait]
    impl Topology for Gone {
        async fn remembered(&self, wanted: &ObjectRef) -> Result<Option<Remembered>, TopologyError> {
            let links = Links {
                node: Some("worker".to_owned()),
                needs: [Need::new("ConfigMap", "settings"), Need::new("Secret", "db")].into(),
                release: Some(object("HelmRelease", "shop")),
                ..Links::default()
            };
            let one = Remembered {
                object: wanted.clone(),
                gone_at: Some("2026-01-02T03:05:00Z".parse().unwrap()),
                links,
                owners: vec![object("ReplicaSet", "cart-1"), object("Deployment", "cart")],
                dependents: vec![Dependent { object: object("Job", "after"), tie: Tie::Owned, gone_at: None }],
                selected_by: vec![object("Service", "cart")],
            };
            Ok((*wanted == object("Pod", "cart-1-a")).then_some(one))
        }
    }

    #[tokio::test]
    async fn of_a_pod_that_is_gone_it_is_told_what_it_hung_together_with() {
        let double = Double::start().await;
        double.answer("/api/v1/namespaces/shop/pods", 200, &json!({"metadata": {}, "items": []})).await;
        let cluster = double.cluster();
        cluster.remember(Arc::new(Gone));
        let tools = tools(cluster);
        let related = tools.iter().find(|tool| tool.spec().name == "kubernetes_related").unwrap();
        let look = Look {
            incident_start: Some("2026-01-02T03:00:00Z".parse().unwrap()),
            now: "2026-01-02T03:10:00Z".parse().unwrap(),
            cancel: CancellationToken::new(),
        };
        let gone = json!({"kind": "po", "name": "cart-1-a", "namespace": "shop"});
        let output = related.call(gone, &look).await.unwrap();
        assert_eq!(output.object, Some(object("Pod", "cart-1-a")));
        assert_eq!(
            output.content,
            "state: gone since 5m ago (T+5m) (2026-01-02T03:05:00Z); this is what was known of it\n\
             owned by: ReplicaSet cart-1 ← Deployment cart\n\
             ran on:\n  Node worker\n\
             needed:\n  ConfigMap settings\n  Secret db\n\
             delivered by:\n  HelmRelease shop\n\
             what selects such pods:\n  Service cart\n\
             what hung on it:\n  Job after is owned by it\n"
        );
        let never = json!({"kind": "po", "name": "never", "namespace": "shop"});
        assert!(matches!(related.call(never, &look).await, Err(ToolError::NotFound(_))));
    }
}
