//! Reads what the cluster offers where something waits for it or is refused.

use std::collections::BTreeSet;

use marple_core::ObjectRef;
use serde_json::Value;

use super::{LIST_LIMIT, Progress, Reader, Seen};
use crate::scene::evictions::{self, allows_none};
use crate::scene::spoken::{mentions_policy, mentions_webhook};
use crate::scene::{Scene, field, rights};

/// The most nodes, classes, volumes, webhook configurations and policies that are read.
const NODES_LIMIT: usize = 100;
const CLASSES_LIMIT: usize = 50;
const VOLUMES_LIMIT: usize = 200;
const WEBHOOKS_LIMIT: usize = 100;
const POLICIES_LIMIT: usize = 100;

/// The most disruption budgets of the whole cluster that are read, and the most namespaces that are for them.
const BUDGETS_LIMIT: usize = 500;
const BUDGETED_LIMIT: usize = 3;

/// The most pods that are read for which others had to go.
const PREEMPTORS_LIMIT: usize = 5;

/// The most accounts whose rights are read, and the most bindings of the whole cluster.
const ACCOUNTS_LIMIT: usize = 3;
const BINDINGS_LIMIT: usize = 500;

/// The most kinds that are read of a namespace that goes.
const REMAINING_LIMIT: usize = 8;

/// The resources that a namespace's condition names, as `widgets.example.com`: `Some resources are remaining: configmaps. has 1
/// resource instances, widgets.example.com has 2 resource instances`.
fn remaining_kinds(message: &str) -> impl Iterator<Item = String> {
    let listed = message.split_once(": ").map_or("", |(_, listed)| listed);
    let named = listed.split(", ").filter_map(|one| Some(one.split_once(" has ")?.0.trim().to_owned()));
    named.filter(|name| name.contains('.') && !name.contains(' '))
}

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
        let waits = scene.of_kind("PersistentVolumeClaim").any(|(_, claim)| is_pending(claim));
        if waits && read.asked.insert(ObjectRef::cluster("PersistentVolume", "*")) {
            self.all(scene, "PersistentVolume", VOLUMES_LIMIT).await;
        }
        let unbound = scene
            .of_kind("PersistentVolumeClaim")
            .any(|(_, claim)| is_pending(claim) && field::text(claim, "/spec/storageClassName").is_none());
        if unbound && read.asked.insert(ObjectRef::cluster("StorageClass", "*")) {
            self.all(scene, "StorageClass", CLASSES_LIMIT).await;
        }
        self.holders(scene, read).await;
        self.preemptors(scene, read).await;
    }

    /// The pods for which others had to go.
    async fn preemptors(&self, scene: &mut Scene, read: &mut Progress) {
        let events = scene.events.iter().rev().filter(|event| event.is_preemption());
        let pods = events.filter_map(|event| event.related.clone()).filter(|pod| scene.get(pod).is_none());
        let pods = pods.collect::<BTreeSet<_>>();
        for pod in pods.into_iter().take(PREEMPTORS_LIMIT) {
            if read.asked.insert(pod.clone()) {
                let found = self.look(pod.to_string(), self.cluster.get(&pod)).await;
                Self::take(scene, pod, found);
            }
        }
    }

    /// Who holds the ports of their nodes that pods wait for.
    async fn holders(&self, scene: &mut Scene, read: &mut Progress) {
        let waits = |pod: &Value| is_pending(pod) && field::text(pod, "/spec/nodeName").is_none();
        let asked: BTreeSet<(String, i64)> = scene
            .of_kind("Pod")
            .filter(|(_, pod)| waits(pod))
            .flat_map(|(_, pod)| field::host_ports(pod))
            .map(|(protocol, port)| (protocol.to_owned(), port))
            .collect();
        if asked.is_empty() || !read.asked.insert(ObjectRef::cluster("Pod", "*")) {
            return;
        }
        let list = self.cluster.list("Pod", None, None, Some("status.phase=Running"), LIST_LIMIT);
        if let Seen::Found(pods) = self.look("Pods with the same host port".to_owned(), list).await {
            let holds = |pod: &Value| {
                field::host_ports(pod).into_iter().any(|(protocol, port)| asked.contains(&(protocol.to_owned(), port)))
            };
            scene.extend(pods.into_iter().filter(holds).collect());
        }
    }

    /// What refuses, where an event or a log speaks of it: webhooks, policies, the namespace's own rules, rights.
    pub(super) async fn rules(&self, scene: &mut Scene, read: &mut Progress) {
        self.webhooks(scene).await;
        if scene.events.iter().any(|event| event.warning && mentions_policy(&event.message)) {
            self.all(scene, "ValidatingAdmissionPolicy", POLICIES_LIMIT).await;
            self.all(scene, "ValidatingAdmissionPolicyBinding", POLICIES_LIMIT).await;
        }
        let levels =
            scene.events.iter().filter(|event| event.warning && event.message.contains("violates PodSecurity"));
        let spaces = levels.filter_map(|event| event.about.namespace.clone()).collect::<BTreeSet<_>>();
        for space in spaces.into_iter().map(|space| ObjectRef::cluster("Namespace", space)) {
            if read.asked.insert(space.clone()) {
                let found = self.look(space.to_string(), self.cluster.get(&space)).await;
                Self::take(scene, space, found);
            }
        }
        self.rights(scene, read).await;
    }

    /// The bindings and roles of accounts of which a log says that they may not do something.
    async fn rights(&self, scene: &mut Scene, read: &mut Progress) {
        let refused = rights::refused(scene);
        let mut spaces = BTreeSet::new();
        for refusal in refused.iter().take(ACCOUNTS_LIMIT) {
            spaces
                .extend([Some(&refusal.account_namespace), refusal.namespace.as_ref()].into_iter().flatten().cloned());
        }
        if spaces.is_empty() {
            return;
        }
        for space in spaces {
            for kind in ["RoleBinding", "Role"] {
                let list = self.cluster.list(kind, Some(&space), None, None, LIST_LIMIT);
                if let Seen::Found(objects) = self.look(format!("{kind}s in namespace {space}"), list).await {
                    if objects.len() < LIST_LIMIT && self.cluster.shows_all(kind, &space) {
                        read.listed.insert((kind, space.clone()));
                    }
                    scene.extend(objects);
                }
            }
        }
        self.all(scene, "ClusterRoleBinding", BINDINGS_LIMIT).await;
    }

    /// Admission webhooks, where an event or a log speaks of one.
    async fn webhooks(&self, scene: &mut Scene) {
        let spoken = scene.events.iter().any(|event| event.warning && mentions_webhook(&event.message))
            || scene.logs.iter().any(|log| mentions_webhook(&log.text));
        if spoken {
            self.all(scene, "ValidatingWebhookConfiguration", WEBHOOKS_LIMIT).await;
            self.all(scene, "MutatingWebhookConfiguration", WEBHOOKS_LIMIT).await;
        }
    }

    /// What holds up a namespace that goes: its own condition names the kinds, which may be any.
    pub(super) async fn remaining(&self, scene: &mut Scene, namespace: &ObjectRef) {
        let message = scene.get(namespace).and_then(|value| {
            field::text(value, "/metadata/deletionTimestamp")?;
            field::text(field::condition(value, "NamespaceContentRemaining")?, "/message")
        });
        let kinds: Vec<String> = remaining_kinds(message.unwrap_or_default()).take(REMAINING_LIMIT).collect();
        for kind in kinds {
            let list = self.cluster.list(&kind, Some(&namespace.name), None, None, LIST_LIMIT);
            if let Seen::Found(objects) = self.look(format!("{kind} in {namespace}"), list).await {
                let held = |object: &Value| {
                    field::text(object, "/metadata/deletionTimestamp").is_some()
                        && !field::items(object, "/metadata/finalizers").is_empty()
                };
                scene.extend(objects.into_iter().filter(held).collect());
            }
        }
    }

    /// The namespaces of budgets that may refuse the evictions of which a log tells: who evicts is seldom where its pods are.
    pub(super) async fn evicted_from(&self, scene: &mut Scene, read: &mut Progress) -> BTreeSet<String> {
        let told = scene.logs.iter().filter(|log| evictions::is_refused(&log.text)).map(|log| log.text.as_str());
        let told = told.collect::<Vec<_>>().join("\n");
        if told.is_empty() || !read.asked.insert(ObjectRef::cluster("PodDisruptionBudget", "*")) {
            return BTreeSet::new();
        }
        self.all(scene, "PodDisruptionBudget", BUDGETS_LIMIT).await;
        let none = scene.of_kind("PodDisruptionBudget").filter(|(_, value)| allows_none(value));
        let mut spaces = none.filter_map(|(budget, _)| budget.namespace.clone()).collect::<Vec<_>>();
        spaces.dedup();
        // Those that the log names first.
        spaces.sort_by_key(|space| !told.contains(space.as_str()));
        spaces.retain(|space| !read.namespaces.contains(space));
        spaces.into_iter().take(BUDGETED_LIMIT).collect()
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

#[cfg(test)]
mod tests {
    use super::remaining_kinds;

    #[test]
    fn the_kinds_that_a_namespace_waits_for_are_read_out_of_its_condition() {
        let told = "Some resources are remaining: configmaps. has 1 resource instances, widgets.example.com has 20 resource instances";
        assert_eq!(remaining_kinds(told).collect::<Vec<_>>(), ["configmaps.", "widgets.example.com"]);
        for none in ["", "All content successfully removed", "Some resources are remaining: ", "a: b has c"] {
            assert_eq!(remaining_kinds(none).count(), 0, "{none}");
        }
    }
}
