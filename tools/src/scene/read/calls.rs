//! Follows calls from one namespace to the next.

use std::collections::{BTreeMap, BTreeSet};

use marple_core::ObjectRef;

use super::{GET_LIMIT, Progress, Reader, Seen};
use crate::scene::names::{configured_hosts, references, spoken_hosts};
use crate::scene::reach::{HOPS, reach};
use crate::scene::spoken::{is_outside, name_server, troubled_addresses, troubled_hosts};
use crate::scene::{Graph, Scene, Target, dns, field};

/// The most namespaces in which a Service of the same name as a missing one is looked for.
const NAMESAKES_LIMIT: usize = 10;

/// The most addresses whose Service is asked for.
const ADDRESSES_LIMIT: usize = 8;

/// How sure it is that a host which isn't found should be a Service.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Sure {
    /// It may be anything.
    No,
    /// It is, if its second word is the name of a namespace.
    IfNamespace,
    /// It is.
    Yes,
}

impl Sure {
    fn of(target: &Target) -> Self {
        match &target.namespace {
            _ if target.sure => Self::Yes,
            None if target.port.is_some() => Self::Yes,
            Some(namespace) if !is_outside(namespace) => Self::IfNamespace,
            _ => Self::No,
        }
    }
}

impl Reader<'_> {
    /// Namespaces that hold Services which the workloads within reach call. A Service that is called and is not there
    /// becomes missing.
    pub(super) async fn next_namespaces(&self, scene: &mut Scene, read: &mut Progress) -> BTreeSet<String> {
        let mut next = BTreeSet::new();
        for (service, sure) in called(scene) {
            let Some(namespace) = service.namespace.clone() else { continue };
            if scene.get(&service).is_some() {
                next.extend((!read.namespaces.contains(&namespace)).then_some(namespace));
                continue;
            }
            if read.namespaces.contains(&namespace) {
                if sure > Sure::No && read.listed.contains(&("Service", namespace)) {
                    self.is_missing(scene, read, service).await;
                }
            } else if read.asked.len() < GET_LIMIT && read.asked.insert(service.clone()) {
                let named = format!("metadata.name={}", service.name);
                let list = self.cluster.list("Service", Some(&namespace), None, Some(&named), 1);
                match self.look(service.to_string(), list).await {
                    Seen::Found(found) if !found.is_empty() => drop(next.insert(namespace)),
                    Seen::Found(_) if self.cluster.shows_all("Service", &namespace) => {
                        if sure == Sure::Yes || sure == Sure::IfNamespace && self.is_namespace(scene, &namespace).await
                        {
                            next.insert(namespace);
                            self.is_missing(scene, read, service).await;
                        }
                    }
                    Seen::Found(_) | Seen::Absent | Seen::Unseen => {}
                }
            }
        }
        for ip in unknown_addresses(scene) {
            let asked = ObjectRef::cluster("Service", &ip);
            if read.asked.len() < GET_LIMIT && read.asked.insert(asked) {
                let at = format!("spec.clusterIP={ip}");
                let list = self.cluster.list("Service", None, None, Some(&at), 1);
                if let Seen::Found(found) = self.look(format!("the Service at {ip}"), list).await {
                    next.extend(
                        found
                            .iter()
                            .filter_map(|service| field::text(service, "/metadata/namespace"))
                            .map(str::to_owned),
                    );
                    scene.extend(found);
                }
            }
        }
        next.retain(|namespace| !read.namespaces.contains(namespace));
        next.retain(|namespace| !scene.missing.contains(&ObjectRef::cluster("Namespace", namespace)));
        next.extend(self.evicted_from(scene, read).await);
        next
    }

    /// Whether a word is the name of a namespace; one that isn't becomes missing, for it was meant to be one.
    async fn is_namespace(&self, scene: &mut Scene, name: &str) -> bool {
        let object = ObjectRef::cluster("Namespace", name);
        let seen = self.look(object.to_string(), self.cluster.get(&object)).await;
        let known = !matches!(seen, Seen::Unseen);
        Self::take(scene, object, seen);
        known
    }

    /// Notes that a Service is missing, and where one of its name is.
    async fn is_missing(&self, scene: &mut Scene, read: &mut Progress, service: ObjectRef) {
        if !scene.missing.insert(service.clone()) || read.asked.len() >= GET_LIMIT {
            return;
        }
        read.asked.insert(service.clone());
        let named = format!("metadata.name={}", service.name);
        let list = self.cluster.list("Service", None, None, Some(&named), NAMESAKES_LIMIT);
        if let Seen::Found(found) = self.look(format!("Services named {}", service.name), list).await {
            scene.extend(found);
        }
    }
}

/// Addresses that logs name with trouble and that belong to nothing that was read.
fn unknown_addresses(scene: &Scene) -> BTreeSet<String> {
    let graph = Graph::of(scene);
    let named = scene.logs.iter().flat_map(|log| troubled_addresses(&log.text));
    named.filter(|ip| graph.service_at(ip).is_none()).take(ADDRESSES_LIMIT).collect()
}

/// The Services that workloads within reach call, by their settings and by their logs.
fn called(scene: &Scene) -> BTreeMap<ObjectRef, Sure> {
    let graph = Graph::of(scene);
    let mut called = BTreeMap::<ObjectRef, Sure>::new();
    let note = |called: &mut BTreeMap<ObjectRef, Sure>, target: &Target, namespace: &str| {
        let known = called.entry(target.service(namespace)).or_insert(Sure::No);
        *known = (*known).max(Sure::of(target));
    };
    let near = reach(scene, &graph);
    for (object, hops) in &near {
        let (Some(value), Some(namespace)) = (scene.get(object), object.namespace.as_deref()) else { continue };
        let Some(spec) = field::pod_spec(value).filter(|_| *hops < HOPS) else { continue };
        for (target, _) in &spoken_hosts(spec) {
            note(&mut called, target, namespace);
        }
        for (config, _) in references(namespace, spec).iter().filter(|(to, _)| to.is("ConfigMap")) {
            let hosts = scene.get(config).map(|value| configured_hosts(config, value)).unwrap_or_default();
            for (target, _) in &hosts {
                note(&mut called, target, namespace);
            }
        }
    }
    let answered = ["ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"];
    for object in near.keys().filter(|object| answered.contains(&object.kind.as_str())) {
        for edge in graph.edges(object).iter().filter(|edge| edge.to.is("Service")) {
            called.insert(edge.to.clone(), Sure::Yes);
        }
    }
    for log in scene.logs.iter().filter(|log| near.get(&log.pod).is_some_and(|hops| *hops < HOPS)) {
        let Some(namespace) = log.pod.namespace.as_deref() else { continue };
        if dns::denies(scene, log) {
            note(&mut called, &name_server(), namespace);
        }
        for target in troubled_hosts(&log.text) {
            // A word with a number behind it may be a file and its line.
            let plain = target.namespace.is_none() && !target.sure;
            let target = if plain { Target { port: None, ..target } } else { target };
            note(&mut called, &target, namespace);
        }
    }
    called
}
