//! Which objects of what was read have to do with the subjects.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use jiff::SignedDuration;
use marple_core::ObjectRef;
use serde_json::Value;

use super::graph::Relation;
use super::spoken::{mentions_policy, mentions_webhook};
use super::{Edge, Graph, Scene, evictions, field, rights};
use crate::near::nearest;

/// How many calls from one workload to the next are followed.
pub(super) const HOPS: usize = 3;

/// The most pods kept of one workload, those not ready first.
const PODS_LIMIT: usize = 20;

/// How many of them may be ready.
const READY_LIMIT: usize = 5;

/// The most pods kept that hold a port of their node.
const HOLDERS_LIMIT: usize = 10;

/// The most free volumes kept that a claim may have meant.
const VOLUMES_LIMIT: usize = 20;

/// What was written longer ago than this took nobody a right lately.
const LATELY: SignedDuration = SignedDuration::from_hours(24);

/// Objects within reach of the subjects, and by how many calls they are away. Some may not have been read.
pub(super) fn reach(scene: &Scene, graph: &Graph) -> BTreeMap<ObjectRef, usize> {
    let mut backwards: BTreeMap<&ObjectRef, Vec<&Edge>> = BTreeMap::new();
    for edge in graph.all_edges() {
        backwards.entry(&edge.to).or_default().push(edge);
    }
    let mut walk =
        Walk { scene, graph, backwards, found: BTreeMap::new(), entered: BTreeSet::new(), queue: VecDeque::new() };
    for subject in &scene.subjects {
        walk.found.insert(subject.clone(), 0);
        walk.enter(graph.top_owner(subject), 0);
        if subject.is("Namespace") {
            let within =
                scene.objects.keys().filter(|object| object.namespace.as_deref() == Some(subject.name.as_str()));
            within.for_each(|object| walk.enter(graph.top_owner(object), 0));
        }
        if subject.is("Node") {
            walk.include_pods_on(subject);
        }
    }
    walk.enter_webhooks();
    walk.enter_evicted();
    while let Some((unit, hops)) = walk.queue.pop_front() {
        walk.go_on(&unit, hops);
    }
    walk.include_callers();
    walk.include_near_workloads();
    walk.include_near_services();
    walk.include_webhooks();
    walk.include_limits();
    walk.include_policies();
    walk.include_rights();
    walk.include_holders();
    walk.include_preemptors();
    walk.include_volumes();
    walk.found
}

struct Walk<'a> {
    scene: &'a Scene,
    graph: &'a Graph,
    backwards: BTreeMap<&'a ObjectRef, Vec<&'a Edge>>,
    found: BTreeMap<ObjectRef, usize>,
    entered: BTreeSet<ObjectRef>,
    queue: VecDeque<(ObjectRef, usize)>,
}

impl Walk<'_> {
    /// Takes an object with all that it owns, and goes on from there once.
    fn enter(&mut self, unit: ObjectRef, hops: usize) {
        if self.entered.insert(unit.clone()) {
            self.found.entry(unit.clone()).or_insert(hops);
            self.queue.push_back((unit, hops));
        }
    }

    fn go_on(&mut self, unit: &ObjectRef, hops: usize) {
        let members = self.members(unit);
        for member in members.iter().chain([unit]) {
            self.found.entry(member.clone()).or_insert(hops);
            for edge in self.graph.edges(member).to_vec() {
                match edge.relation {
                    Relation::TalksTo if hops < HOPS => self.enter(edge.to, hops + 1),
                    Relation::Selects if unit.is("Service") => self.enter(self.graph.top_owner(&edge.to), hops),
                    Relation::Refers => self.enter(self.graph.top_owner(&edge.to), hops),
                    Relation::RunsOn => drop(self.found.entry(edge.to).or_insert(hops)),
                    _ => {}
                }
            }
            let around = self.backwards.get(member).cloned().unwrap_or_default();
            for edge in around.into_iter().filter(|edge| matches!(edge.relation, Relation::Selects | Relation::Refers))
            {
                // What sends to it, scales it or guards it; another workload that shares a ConfigMap is none of these.
                if serves_it(&edge.from) {
                    self.include(&edge.from, hops);
                }
            }
        }
    }

    /// Takes an object with what it owns, without going on.
    fn include(&mut self, object: &ObjectRef, hops: usize) {
        for member in self.graph.members(object).iter().chain([object]) {
            self.found.entry(member.clone()).or_insert(hops);
        }
        // What leads to a Service that was included for its pods, and what that names: class, certificate, gateway.
        let mut leading = vec![object.clone()];
        if object.is("Service") {
            let before = self.backwards.get(object).into_iter().flatten().map(|edge| &edge.from);
            leading.extend(before.filter(|from| is_route(from)).cloned());
        }
        for object in leading.iter().filter(|object| is_route(object) || object.is("HorizontalPodAutoscaler")) {
            self.found.entry(object.clone()).or_insert(hops);
            for edge in self.graph.edges(object).iter().filter(|edge| !edge.to.is("Service")) {
                self.found.entry(self.graph.top_owner(&edge.to)).or_insert(hops);
            }
        }
    }

    fn members(&self, unit: &ObjectRef) -> Vec<ObjectRef> {
        let (mut pods, others): (Vec<_>, Vec<_>) =
            self.graph.members(unit).iter().cloned().partition(|member| member.is("Pod"));
        let ready = |pod: &ObjectRef| self.scene.get(pod).is_some_and(field::is_ready);
        pods.sort_by_cached_key(|pod| (!self.scene.subjects.contains(pod), ready(pod)));
        // Some that are ready stay, so that a workload that serves in part is not taken for one that doesn't.
        let mut spare = READY_LIMIT;
        let mut room = PODS_LIMIT.saturating_sub(pods.iter().filter(|pod| ready(pod)).count().min(spare));
        pods.retain(|pod| {
            let left = if ready(pod) { &mut spare } else { &mut room };
            let kept = *left > 0 || self.scene.subjects.contains(pod);
            *left = left.saturating_sub(1);
            kept
        });
        others.into_iter().chain(pods).collect()
    }

    fn include_pods_on(&mut self, node: &ObjectRef) {
        for edge in self.backwards.get(node).cloned().unwrap_or_default() {
            self.found.entry(edge.from.clone()).or_insert(0);
            self.found.entry(self.graph.top_owner(&edge.from)).or_insert(0);
        }
    }

    /// Workloads that call the subjects: who suffers with them.
    fn include_callers(&mut self) {
        let services = self.found.iter().filter(|(object, hops)| object.is("Service") && **hops == 0);
        for service in services.map(|(service, _)| service.clone()).collect::<Vec<_>>() {
            for edge in self.backwards.get(&service).cloned().unwrap_or_default() {
                if edge.relation == Relation::TalksTo {
                    self.found.entry(edge.from.clone()).or_insert(1);
                }
            }
        }
    }

    /// Workloads that a Service which selects nothing may have meant.
    fn include_near_workloads(&mut self) {
        let services = self.found.keys().filter(|object| object.is("Service")).cloned().collect::<Vec<_>>();
        for service in services {
            let selects = self.graph.edges(&service).iter().any(|edge| edge.relation == Relation::Selects);
            let Some(value) = self.scene.get(&service).filter(|_| !selects) else { continue };
            let selector = field::labels(value, "/spec/selector");
            for kind in ["Deployment", "StatefulSet", "DaemonSet"] {
                for (workload, made) in self.scene.in_namespace(kind, service.namespace.as_deref()) {
                    let labels = field::pod_labels(made);
                    if workload.name == service.name
                        || selector.iter().any(|(name, value)| labels.get(name) == Some(value))
                    {
                        self.found.entry(workload.clone()).or_insert(1);
                    }
                }
            }
        }
    }

    /// Services that a missing one may have meant, and its namespace where that is missing too.
    fn include_near_services(&mut self) {
        let missing = self.found.keys().filter(|object| object.is("Service") && self.scene.missing.contains(object));
        for service in missing.cloned().collect::<Vec<_>>() {
            let there = self.scene.in_namespace("Service", service.namespace.as_deref()).map(|(other, _)| other);
            let near = nearest(&service.name, there.map(|other| other.name.as_str()), 1);
            let meant = self.scene.of_kind("Service").map(|(other, _)| other).filter(|other| {
                other.name == service.name
                    || other.namespace == service.namespace && near.contains(&other.name.as_str())
            });
            let meant = meant.cloned().collect::<Vec<_>>();
            let space = service.namespace.map(|namespace| ObjectRef::cluster("Namespace", namespace));
            for object in meant.into_iter().chain(space.filter(|space| self.scene.missing.contains(space))) {
                self.found.entry(object).or_insert(1);
            }
        }
    }

    /// Webhooks that an event or a log speaks of, with what answers them.
    fn enter_webhooks(&mut self) {
        let spoken = webhooks(self.scene).filter(|(_, value)| {
            let mut names = field::items(value, "/webhooks").iter().filter_map(|webhook| field::text(webhook, "/name"));
            names.any(|name| {
                let events = self.scene.events.iter().map(|event| &event.message);
                let mut texts = events.chain(self.scene.logs.iter().map(|log| &log.text));
                texts.any(|text| text.contains(name) && mentions_webhook(text))
            })
        });
        for configuration in spoken.map(|(configuration, _)| configuration.clone()).collect::<Vec<_>>() {
            self.enter(configuration, 1);
        }
    }

    /// What is not evicted though a log tells that it should be, with the budgets that don't allow it.
    fn enter_evicted(&mut self) {
        for (budget, pod) in evictions::told(self.scene, self.graph) {
            if let Some(pod) = pod {
                self.enter(self.graph.top_owner(&pod), 1);
            }
            self.found.entry(budget).or_insert(1);
        }
    }

    /// Webhooks that something within reach answers.
    fn include_webhooks(&mut self) {
        for (configuration, _) in webhooks(self.scene) {
            if self.graph.edges(configuration).iter().any(|edge| self.found.contains_key(&edge.to)) {
                self.found.entry(configuration.clone()).or_insert(1);
            }
        }
    }

    /// Policies that an event speaks of, and the namespaces whose own rules it speaks of.
    fn include_policies(&mut self) {
        let warnings = self.scene.events.iter().filter(|event| event.warning);
        let warnings =
            warnings.map(|event| (event.message.as_str(), event.about.namespace.as_deref())).collect::<Vec<_>>();
        for kind in ["ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"] {
            for (rule, _) in self.scene.of_kind(kind) {
                let named = format!("'{}'", rule.name);
                if warnings.iter().any(|(message, _)| mentions_policy(message) && message.contains(&named)) {
                    self.found.entry(rule.clone()).or_insert(1);
                }
            }
        }
        for (space, _) in self.scene.of_kind("Namespace") {
            let refuses = |(message, within): &(&str, Option<&str>)| {
                *within == Some(space.name.as_str()) && message.contains("violates PodSecurity")
            };
            if warnings.iter().any(refuses) {
                self.found.entry(space.clone()).or_insert(0);
            }
        }
    }

    /// What gives rights to accounts that are refused something, and bindings beside that were written lately.
    fn include_rights(&mut self) {
        let refused = rights::refused(self.scene);
        for refusal in &refused {
            let account = refusal.object();
            for kind in ["RoleBinding", "ClusterRoleBinding"] {
                for (binding, value) in self.scene.of_kind(kind) {
                    let beside = binding.namespace.is_some() && binding.namespace == account.namespace;
                    let written = field::written(value, "subjects").or_else(|| field::created(value));
                    let lately = written.is_some_and(|at| self.scene.now.duration_since(at) <= LATELY);
                    let own = rights::binds(value, &account);
                    if own || beside && lately {
                        self.found.entry(binding.clone()).or_insert(1);
                    }
                    let role = rights::role(value).filter(|role| own && self.scene.get(role).is_some());
                    self.found.extend(role.map(|role| (role, 1)));
                }
            }
        }
        for object in &self.scene.missing {
            if ["RoleBinding", "ClusterRoleBinding"].contains(&object.kind.as_str()) && !refused.is_empty() {
                self.found.entry(object.clone()).or_insert(1);
            }
        }
    }

    /// Pods that hold a port of their node which a pod within reach waits for.
    fn include_holders(&mut self) {
        let waiting = self.found.keys().filter_map(|object| self.scene.get(object).filter(|_| object.is("Pod")));
        let waiting = waiting.filter(|pod| field::text(pod, "/spec/nodeName").is_none());
        let asked = waiting.flat_map(field::host_ports).collect::<BTreeSet<_>>();
        if asked.is_empty() {
            return;
        }
        let scene = self.scene;
        let held = scene.of_kind("Pod").filter(|(_, pod)| {
            field::text(pod, "/spec/nodeName").is_some()
                && field::host_ports(pod).iter().any(|port| asked.contains(port))
        });
        for (pod, _) in held.take(HOLDERS_LIMIT) {
            self.found.entry(pod.clone()).or_insert(1);
        }
    }

    /// Free volumes of the class that a claim within reach waits for.
    fn include_volumes(&mut self) {
        let class = |value: &Value| field::text(value, "/spec/storageClassName").unwrap_or_default().to_owned();
        let phase = |value: &Value, wanted: &str| field::text(value, "/status/phase") == Some(wanted);
        let claims = self.found.keys().filter(|object| object.is("PersistentVolumeClaim"));
        let claims = claims.filter_map(|claim| self.scene.get(claim)).filter(|claim| phase(claim, "Pending"));
        let classes = claims.map(class).collect::<BTreeSet<_>>();
        let free = self.scene.of_kind("PersistentVolume").filter(|(_, volume)| phase(volume, "Available"));
        for (volume, _) in free.filter(|(_, volume)| classes.contains(&class(volume))).take(VOLUMES_LIMIT) {
            self.found.entry(volume.clone()).or_insert(1);
        }
    }

    /// Pods for which pods of what is within reach had to go.
    fn include_preemptors(&mut self) {
        for event in self.scene.events.iter().filter(|event| event.is_preemption()) {
            let related = event.related.as_ref().filter(|pod| self.scene.get(pod).is_some());
            if let Some(pod) = related.filter(|_| self.found.contains_key(&self.graph.top_owner(&event.about))) {
                self.found.entry(pod.clone()).or_insert(1);
            }
        }
    }

    fn include_limits(&mut self) {
        let namespaces = self.found.keys().filter_map(|object| object.namespace.clone()).collect::<BTreeSet<_>>();
        for namespace in namespaces {
            for kind in ["ResourceQuota", "LimitRange"] {
                for (limit, _) in self.scene.in_namespace(kind, Some(&namespace)) {
                    self.found.entry(limit.clone()).or_insert(0);
                }
            }
        }
    }
}

fn webhooks(scene: &Scene) -> impl Iterator<Item = (&ObjectRef, &Value)> {
    ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"].into_iter().flat_map(|kind| scene.of_kind(kind))
}

fn serves_it(object: &ObjectRef) -> bool {
    is_route(object)
        || matches!(
            object.kind.as_str(),
            "Service" | "NetworkPolicy" | "PodDisruptionBudget" | "HorizontalPodAutoscaler" | "Certificate"
        )
}

/// Whether it leads requests from outside to Services.
fn is_route(object: &ObjectRef) -> bool {
    matches!(object.kind.as_str(), "Ingress" | "HTTPRoute" | "GRPCRoute")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use serde_json::json;

    use super::*;

    fn names(objects: Vec<Value>, subject: &ObjectRef) -> Vec<String> {
        let mut scene = Scene::of(objects, &[], Vec::new(), Timestamp::UNIX_EPOCH);
        scene.subjects = vec![subject.clone()];
        reach(&scene, &Graph::of(&scene)).into_keys().map(|object| object.to_string()).collect()
    }

    fn pod(name: &str, ready: &str) -> Value {
        json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": name, "labels": {"app": "cart"},
            "ownerReferences": [{"kind": "DaemonSet", "name": "cart", "controller": true}]}, "spec": {},
            "status": {"conditions": [{"type": "Ready", "status": ready}]}})
    }

    #[test]
    fn a_service_reaches_its_slices_and_pods_and_nothing_beside() {
        let slice = json!({"kind": "EndpointSlice", "metadata": {"namespace": "shop", "name": "cart-x",
            "labels": {"kubernetes.io/service-name": "cart"}}});
        let service = json!({"kind": "Service", "metadata": {"namespace": "shop", "name": "cart"}, "spec": {"selector": {"app": "cart"}}});
        let other = json!({"kind": "Deployment", "metadata": {"namespace": "shop", "name": "mail"}, "spec": {}});
        let subject = ObjectRef::namespaced("Service", "shop", "cart");
        assert_eq!(
            names(vec![slice, service, pod("cart-1", "True"), other], &subject),
            ["DaemonSet shop/cart", "EndpointSlice shop/cart-x", "Pod shop/cart-1", "Service shop/cart"]
        );
    }

    #[test]
    fn of_many_pods_some_that_are_ready_stay() {
        let mut pods = (0..40).map(|index| pod(&format!("down-{index}"), "False")).collect::<Vec<_>>();
        pods.extend((0..40).map(|index| pod(&format!("up-{index}"), "True")));
        let found = names(pods, &ObjectRef::namespaced("DaemonSet", "shop", "cart"));
        let count = |prefix: &str| found.iter().filter(|name| name.contains(prefix)).count();
        assert_eq!((count("down"), count("up")), (PODS_LIMIT - READY_LIMIT, READY_LIMIT));
    }
}
