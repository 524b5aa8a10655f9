//! Reads what the cluster offers where something waits for it or is refused.

use marple_core::ObjectRef;
use serde_json::Value;

use super::{Progress, Reader, Seen};
use crate::scene::spoken::mentions_webhook;
use crate::scene::{Scene, field};

/// The most nodes, classes and webhook configurations that are read.
const NODES_LIMIT: usize = 100;
const CLASSES_LIMIT: usize = 50;
const WEBHOOKS_LIMIT: usize = 100;

fn is_pending(value: &Value) -> bool {
    field::text(value, "/status/phase") == Some("Pending")
}

impl Reader<'_> {
    /// A pod that fits no node, or a DaemonSet, is explained by what the nodes offer, a claim that waits by the classes that there are.
    pub(super) async fn choices(&self, scene: &mut Scene, read: &mut Progress) {
        let unscheduled =
            scene.of_kind("Pod").any(|(_, pod)| is_pending(pod) && field::text(pod, "/spec/nodeName").is_none());
        let spread = scene.subjects.iter().any(|subject| subject.is("DaemonSet"));
        if (unscheduled || spread) && read.asked.insert(ObjectRef::cluster("Node", "*")) {
            self.all(scene, "Node", NODES_LIMIT).await;
        }
        let unbound = scene
            .of_kind("PersistentVolumeClaim")
            .any(|(_, claim)| is_pending(claim) && field::text(claim, "/spec/storageClassName").is_none());
        if unbound && read.asked.insert(ObjectRef::cluster("StorageClass", "*")) {
            self.all(scene, "StorageClass", CLASSES_LIMIT).await;
        }
    }

    /// Admission webhooks, where an event or a log speaks of one.
    pub(super) async fn webhooks(&self, scene: &mut Scene) {
        let spoken = scene.events.iter().any(|event| event.warning && mentions_webhook(&event.message))
            || scene.logs.iter().any(|log| mentions_webhook(&log.text));
        if spoken {
            self.all(scene, "ValidatingWebhookConfiguration", WEBHOOKS_LIMIT).await;
            self.all(scene, "MutatingWebhookConfiguration", WEBHOOKS_LIMIT).await;
        }
    }

    async fn all(&self, scene: &mut Scene, kind: &'static str, limit: usize) {
        let list = self.cluster.list(kind, None, None, None, limit);
        if let Seen::Found(objects) = self.look(format!("{kind}s"), list).await {
            for object in objects {
                if let Some(reference) = field::reference(&object) {
                    Self::take(scene, reference, Seen::Found(object));
                }
            }
        }
    }
}
