//! How the objects of a scene depend on each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use marple_core::{Labels, ObjectRef};
use serde_json::Value;

use super::names::{configured_hosts, named_by_cluster_scoped, references, spoken_hosts};
use super::spoken::{troubled_addresses, troubled_hosts};
use super::{Scene, dns, field, gateway, names};

/// In which way one object depends on another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// `from` is controlled by `to`, by its ownerReferences.
    Owned,
    /// `from` sends to, counts or limits the pods `to`, by its selector.
    Selects,
    /// `from` names `to` in its specification: configuration, volume, account, class, target, backend.
    Refers,
    /// `from` runs on the node `to`.
    RunsOn,
    /// `from` calls the Service `to`: a setting of it names the Service's host.
    TalksTo,
}

/// One object depends on another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Edge {
    /// What depends.
    pub from: ObjectRef,
    /// On what; it may be missing from the cluster.
    pub to: ObjectRef,
    /// In which way.
    pub relation: Relation,
    /// How that is known, as `env DATABASE of container app names db.payments`. Tells no more of a setting than the host.
    pub how: String,
}

/// Owners, selections, references and calls among the objects of a scene.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Graph {
    owners: BTreeMap<ObjectRef, ObjectRef>,
    members: BTreeMap<ObjectRef, Vec<ObjectRef>>,
    edges: BTreeMap<ObjectRef, Vec<Edge>>,
    calls: BTreeMap<(ObjectRef, ObjectRef), Call>,
    addresses: BTreeMap<String, ObjectRef>,
}

/// How a workload's settings name a Service that it calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Call {
    /// The host as it is written.
    pub(crate) host: String,
    /// The port, where it is written.
    pub(crate) port: Option<u16>,
    /// The object in which it is written: the workload or a ConfigMap.
    pub(crate) written_in: ObjectRef,
    /// How it is named.
    pub(crate) how: String,
}

/// The controller of an object, by its ownerReferences. A mirror pod's node is not one.
pub(super) fn controller(object: &ObjectRef, value: &Value) -> Option<ObjectRef> {
    let owner = field::items(value, "/metadata/ownerReferences")
        .iter()
        .find(|owner| field::flag(owner, "/controller"))
        .filter(|owner| field::text(owner, "/kind") != Some("Node"))?;
    Some(ObjectRef {
        kind: field::text(owner, "/kind")?.to_owned(),
        namespace: object.namespace.clone(),
        name: field::text(owner, "/name")?.to_owned(),
    })
}

/// The Service whose endpoints a slice holds.
fn sliced(object: &ObjectRef, value: &Value) -> Option<ObjectRef> {
    let labels = object.is("EndpointSlice").then(|| field::labels(value, "/metadata/labels"))?;
    let service = labels.get("kubernetes.io/service-name")?;
    Some(ObjectRef { kind: "Service".to_owned(), namespace: object.namespace.clone(), name: service.to_owned() })
}

/// Who made a pod that is gone, by the events in which its controller said so.
fn creator(scene: &Scene, pod: &ObjectRef) -> Option<ObjectRef> {
    let said = |event: &&super::Event| {
        matches!(event.reason.as_str(), "SuccessfulCreate" | "SuccessfulDelete")
            && event.about.namespace == pod.namespace
            && event.message.split_whitespace().any(|word| word == pod.name)
    };
    scene.events.iter().find(said).map(|event| event.about.clone())
}

impl Graph {
    /// The graph of a scene.
    pub fn of(scene: &Scene) -> Self {
        let mut graph = Self::default();
        for (object, value) in &scene.objects {
            if let Some(owner) = controller(object, value) {
                graph.add(object, &owner, Relation::Owned, "ownerReferences".to_owned());
                graph.owners.insert(object.clone(), owner);
            } else if let Some(service) = sliced(object, value) {
                graph.owners.insert(object.clone(), service);
            }
        }
        let preempted = scene.events.iter().filter(|event| event.is_preemption()).map(|event| &event.about);
        let gone = scene.subjects.iter().chain(preempted).filter(|pod| pod.is("Pod") && scene.get(pod).is_none());
        for pod in gone {
            if let Some(owner) = creator(scene, pod) {
                graph.owners.insert(pod.clone(), owner);
            }
        }
        for object in scene.objects.keys() {
            let unit = graph.top_owner(object);
            graph.members.entry(unit).or_default().push(object.clone());
        }
        for (object, value) in &scene.objects {
            graph.add_named(scene, object, value);
            graph.add_selected(scene, object, value);
        }
        for (object, value) in &scene.objects {
            if field::pod_spec(value).is_some()
                && graph.owners.get(object).is_none_or(|owner| scene.get(owner).is_none())
            {
                graph.add_calls(scene, object, value);
            }
        }
        graph.add_addresses(scene);
        graph.add_spoken(scene);
        graph
    }

    /// Addresses of Services, and of the pods that they select.
    fn add_addresses(&mut self, scene: &Scene) {
        for (service, value) in scene.of_kind("Service") {
            for edge in self
                .edges(service)
                .iter()
                .filter(|edge| edge.relation == Relation::Selects)
                .cloned()
                .collect::<Vec<_>>()
            {
                if let Some(ip) = scene.get(&edge.to).and_then(|pod| field::text(pod, "/status/podIP")) {
                    self.addresses.entry(ip.to_owned()).or_insert_with(|| service.clone());
                }
            }
            if let Some(ip) = field::text(value, "/spec/clusterIP").filter(|ip| *ip != "None") {
                self.addresses.insert(ip.to_owned(), service.clone());
            }
        }
    }

    fn add(&mut self, from: &ObjectRef, to: &ObjectRef, relation: Relation, how: String) {
        let edges = self.edges.entry(from.clone()).or_default();
        if from != to && !edges.iter().any(|edge| edge.to == *to && edge.relation == relation) {
            edges.push(Edge { from: from.clone(), to: to.clone(), relation, how });
        }
    }

    fn add_named(&mut self, scene: &Scene, object: &ObjectRef, value: &Value) {
        let Some(namespace) = object.namespace.as_deref() else {
            for (to, how) in named_by_cluster_scoped(object, value) {
                self.add(object, &to, Relation::Refers, how);
            }
            return;
        };
        if let Some(spec) = field::pod_spec(value) {
            for (to, how) in references(namespace, spec) {
                self.add(object, &to, Relation::Refers, how);
            }
        }
        let mut name = |kind: &str, path: &str, cluster: bool| {
            if let Some(name) = field::text(value, path) {
                let namespace = (!cluster).then(|| namespace.to_owned());
                let to = ObjectRef { kind: kind.to_owned(), namespace, name: name.to_owned() };
                let how = path.trim_start_matches("/spec/").replace('/', ".");
                self.add(object, &to, if kind == "Node" { Relation::RunsOn } else { Relation::Refers }, how);
            }
        };
        match object.kind.as_str() {
            "Pod" => name("Node", "/spec/nodeName", true),
            "PersistentVolumeClaim" => {
                name("PersistentVolume", "/spec/volumeName", true);
                name("StorageClass", "/spec/storageClassName", true);
            }
            "StatefulSet" => name("Service", "/spec/serviceName", false),
            "HorizontalPodAutoscaler" => {
                let kind = field::text(value, "/spec/scaleTargetRef/kind").unwrap_or("Deployment").to_owned();
                name(&kind, "/spec/scaleTargetRef/name", false);
                // The API from which it takes processor and memory, where it gets none.
                let without = field::condition(value, "ScalingActive").and_then(|one| field::text(one, "/status"));
                if without == Some("False") {
                    let api = ObjectRef::cluster("APIService", "v1beta1.metrics.k8s.io");
                    self.add(object, &api, Relation::Refers, "metrics of resources".to_owned());
                }
            }
            "Gateway" => name("GatewayClass", "/spec/gatewayClassName", true),
            "HTTPRoute" | "GRPCRoute" => {
                for (to, how) in gateway::references(namespace, value) {
                    self.add(object, &to, Relation::Refers, how);
                }
            }
            "Certificate" => name("Secret", "/spec/secretName", false),
            "Ingress" => {
                name("IngressClass", "/spec/ingressClassName", true);
                for (service, _, how) in names::backends(value) {
                    let to = ObjectRef::namespaced("Service", namespace, service);
                    self.add(object, &to, Relation::Refers, how);
                }
                for secret in field::items(value, "/spec/tls").iter().filter_map(|tls| field::text(tls, "/secretName"))
                {
                    let to = ObjectRef::namespaced("Secret", namespace, secret);
                    self.add(object, &to, Relation::Refers, "tls.secretName".to_owned());
                }
            }
            "EndpointSlice" => {
                if let Some(service) = sliced(object, value) {
                    self.add(object, &service, Relation::Refers, "label kubernetes.io/service-name".to_owned());
                }
            }
            _ => {}
        }
        let claims = field::items(value, "/spec/volumeClaimTemplates")
            .iter()
            .filter_map(|claim| field::text(claim, "/metadata/name"));
        for claim in claims.collect::<Vec<_>>() {
            let prefix = format!("{claim}-{}-", object.name);
            let named = scene.in_namespace("PersistentVolumeClaim", Some(namespace)).map(|(claim, _)| claim);
            for to in named.filter(|to| {
                to.name.strip_prefix(&prefix).is_some_and(|ordinal| ordinal.bytes().all(|byte| byte.is_ascii_digit()))
            }) {
                self.add(object, to, Relation::Refers, format!("volumeClaimTemplates {claim}"));
            }
        }
    }

    fn add_selected(&mut self, scene: &Scene, object: &ObjectRef, value: &Value) {
        let Some(matcher) = matcher(object, value) else { return };
        let pods = scene.in_namespace("Pod", object.namespace.as_deref());
        let selected = pods.filter(|(_, pod)| matcher(&field::labels(pod, "/metadata/labels"))).map(|(pod, _)| pod);
        for pod in selected.cloned().collect::<Vec<_>>() {
            self.add(object, &pod, Relation::Selects, "its selector".to_owned());
        }
        let workloads = ["Deployment", "StatefulSet", "DaemonSet"]
            .into_iter()
            .flat_map(|kind| scene.in_namespace(kind, object.namespace.as_deref()));
        let made =
            workloads.filter(|(_, workload)| matcher(&field::pod_labels(workload))).map(|(workload, _)| workload);
        for workload in made.cloned().collect::<Vec<_>>() {
            self.add(object, &workload, Relation::Selects, "its selector fits the pod template".to_owned());
        }
    }

    fn add_calls(&mut self, scene: &Scene, object: &ObjectRef, value: &Value) {
        let (Some(spec), Some(namespace)) = (field::pod_spec(value), object.namespace.as_deref()) else { return };
        let unit = self.top_owner(object);
        let mut spoken =
            spoken_hosts(spec).into_iter().map(|(target, how)| (target, how, object.clone())).collect::<Vec<_>>();
        for (config, _) in references(namespace, spec).iter().filter(|(to, _)| to.is("ConfigMap")) {
            let hosts = scene.get(config).map(|value| configured_hosts(config, value)).unwrap_or_default();
            spoken.extend(hosts.into_iter().map(|(target, how)| (target, how, config.clone())));
        }
        for (target, how, written_in) in spoken {
            let service = target.service(namespace);
            if scene.get(&service).is_none() && !target.sure && !scene.missing.contains(&service) {
                continue;
            }
            // A workload that names the Service before its own pods doesn't depend on another.
            if self.workloads_behind(&service).contains(&unit) {
                continue;
            }
            let call = Call { host: target.host, port: target.port, written_in, how: how.clone() };
            self.calls.entry((unit.clone(), service.clone())).or_insert(call);
            self.add(&unit, &service, Relation::TalksTo, how);
        }
    }

    /// Calls of which only a log tells: the address may stand in a Secret.
    fn add_spoken(&mut self, scene: &Scene) {
        for log in &scene.logs {
            let Some(namespace) = log.pod.namespace.as_deref() else { continue };
            let unit = self.top_owner(&log.pod);
            for ip in troubled_addresses(&log.text) {
                if let Some(service) =
                    self.service_at(&ip).filter(|it| !self.workloads_behind(it).contains(&unit)).cloned()
                {
                    self.add(&unit, &service, Relation::TalksTo, format!("its log names {ip}"));
                }
            }
            if dns::denies(scene, log) && scene.get(&dns::server()).is_some() {
                self.add(&unit, &dns::server(), Relation::TalksTo, "its log says that a name is not found".to_owned());
            }
            for target in troubled_hosts(&log.text) {
                let service = target.service(namespace);
                let known = scene.get(&service).is_some() || (target.sure && scene.missing.contains(&service));
                if known && !self.workloads_behind(&service).contains(&unit) {
                    self.add(&unit, &service, Relation::TalksTo, format!("its log names {}", target.host));
                }
            }
        }
    }

    /// The object at the top of the chain of controllers; the object itself where it has none.
    pub fn top_owner(&self, object: &ObjectRef) -> ObjectRef {
        let mut top = object;
        // A chain in practice is three long; the bound ends a loop of broken references.
        for _ in 0..8 {
            match self.owners.get(top) {
                Some(owner) => top = owner,
                None => break,
            }
        }
        top.clone()
    }

    /// The objects of the scene that have this top owner, itself among them.
    pub fn members(&self, unit: &ObjectRef) -> &[ObjectRef] {
        self.members.get(unit).map(Vec::as_slice).unwrap_or_default()
    }

    /// What an object itself names, selects or calls.
    pub fn edges(&self, object: &ObjectRef) -> &[Edge] {
        self.edges.get(object).map(Vec::as_slice).unwrap_or_default()
    }

    /// Every edge.
    pub fn all_edges(&self) -> impl Iterator<Item = &Edge> {
        self.edges.values().flatten()
    }

    /// The top owners of the pods that a Service selects.
    pub fn workloads_behind(&self, service: &ObjectRef) -> BTreeSet<ObjectRef> {
        self.edges(service)
            .iter()
            .filter(|edge| edge.relation == Relation::Selects)
            .map(|edge| self.top_owner(&edge.to))
            .collect()
    }

    /// Who names an object in its specification.
    pub(crate) fn named_by(&self, object: &ObjectRef) -> Vec<&ObjectRef> {
        let naming = self.all_edges().filter(|edge| edge.to == *object && edge.relation == Relation::Refers);
        naming.map(|edge| &edge.from).collect()
    }

    /// The Service that has this address, or one of whose pods has.
    pub(crate) fn service_at(&self, ip: &str) -> Option<&ObjectRef> {
        self.addresses.get(ip)
    }

    /// How a workload's settings name a Service that it calls.
    pub(crate) fn call(&self, workload: &ObjectRef, service: &ObjectRef) -> Option<&Call> {
        self.calls.get(&(workload.clone(), service.clone()))
    }

    /// Every call: who, which Service, and how it is named.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&ObjectRef, &ObjectRef, &Call)> {
        self.calls.iter().map(|((from, to), call)| (from, to, call))
    }

    /// What the object's top owner depends on: the Services that it calls and the workloads behind them, and the
    /// configuration and volumes that it names. `from` is always the top owner.
    pub fn dependencies(&self, object: &ObjectRef) -> Vec<Edge> {
        let unit = self.top_owner(object);
        let mut found = Vec::new();
        for edge in self.members(&unit).iter().chain([&unit]).flat_map(|member| self.edges(member)) {
            if !matches!(edge.relation, Relation::TalksTo | Relation::Refers) || self.top_owner(&edge.to) == unit {
                continue;
            }
            found.push(Edge { from: unit.clone(), ..edge.clone() });
            if edge.relation == Relation::TalksTo {
                let behind = self.workloads_behind(&edge.to);
                found.extend(behind.into_iter().map(|to| Edge { from: unit.clone(), to, ..edge.clone() }));
            }
        }
        found.sort();
        found.dedup_by(|one, other| one.to == other.to && one.relation == other.relation);
        found
    }

    /// The shortest way by which one object depends on another; empty where both have the same top owner.
    pub fn path(&self, from: &ObjectRef, to: &ObjectRef) -> Option<Vec<Edge>> {
        let goal = self.top_owner(to);
        let start = self.top_owner(from);
        let mut came: BTreeMap<ObjectRef, Option<Edge>> = BTreeMap::from([(start.clone(), None)]);
        let mut queue = VecDeque::from([start]);
        while let Some(unit) = queue.pop_front() {
            if unit == goal {
                let mut way = Vec::new();
                let mut at = &goal;
                while let Some(Some(edge)) = came.get(at) {
                    way.push(edge.clone());
                    at = &edge.from;
                }
                way.reverse();
                return Some(way);
            }
            for edge in self.members(&unit).iter().chain([&unit]).flat_map(|member| self.edges(member)) {
                let next = self.top_owner(&edge.to);
                if edge.relation != Relation::Owned && !came.contains_key(&next) {
                    came.insert(next.clone(), Some(Edge { from: unit.clone(), to: next.clone(), ..edge.clone() }));
                    queue.push_back(next);
                }
            }
        }
        None
    }
}

/// Decides whether an object's selector selects labels.
type Matcher<'a> = Box<dyn Fn(&Labels) -> bool + 'a>;

fn matcher<'a>(object: &ObjectRef, value: &'a Value) -> Option<Matcher<'a>> {
    match object.kind.as_str() {
        // A Service without a selector selects nothing: its endpoints are made by hand.
        "Service" => {
            let selector = field::labels(value, "/spec/selector");
            (!selector.is_empty()).then(|| Box::new(move |labels: &Labels| labels.matches(&selector)) as Matcher<'a>)
        }
        "PodDisruptionBudget" => value
            .pointer("/spec/selector")
            .map(|selector| Box::new(move |labels: &Labels| field::selects(selector, labels)) as Matcher<'a>),
        "NetworkPolicy" => value
            .pointer("/spec/podSelector")
            .map(|selector| Box::new(move |labels: &Labels| field::selects(selector, labels)) as Matcher<'a>),
        _ => None,
    }
}
