//! How near an object that changed is to the one that is asked about.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use jiff::Timestamp;
use marple_core::{Change, ObjectRef, Tie};

use crate::kubernetes::{Cluster, LookError};
use crate::scene::{Graph, Relation, Scene, field};
use crate::topology::Remembered;

/// What is listed of a namespace to see how its objects hang together.
const LISTED: [&str; 14] = [
    "v1/Pod",
    "apps/Deployment",
    "apps/ReplicaSet",
    "apps/StatefulSet",
    "apps/DaemonSet",
    "batch/Job",
    "batch/CronJob",
    "v1/Service",
    "v1/ConfigMap",
    "v1/PersistentVolumeClaim",
    "autoscaling/HorizontalPodAutoscaler",
    "policy/PodDisruptionBudget",
    "networking.k8s.io/Ingress",
    "networking.k8s.io/NetworkPolicy",
];

/// The most objects listed of a kind in a namespace.
const READ: usize = 1_000;

/// The most namespaces that are listed: the object's own, and those of what it calls.
const NAMESPACES: usize = 4;

/// How near it is, the nearest first.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Nearness {
    /// It is the object, its controller or one of its pods, or what delivers it.
    Itself,
    /// The object needs it, or it leads to the object or limits it; and how.
    Needed(String),
    /// It is in the same namespace.
    Beside,
    /// It is in no namespace, or in one of what the object calls.
    Elsewhere,
}

/// What an object hangs together with.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Near {
    own: BTreeSet<ObjectRef>,
    needed: BTreeMap<ObjectRef, String>,
    namespace: Option<String>,
    /// The namespaces that matter.
    pub(super) namespaces: BTreeSet<String>,
}

impl Near {
    /// Of an object in a scene.
    pub(super) fn of(scene: &Scene, subject: &ObjectRef) -> Self {
        let graph = Graph::of(scene);
        let unit = graph.top_owner(subject);
        // Of a namespace all that is in it is meant.
        let within = subject.is("Namespace").then_some(subject.name.as_str());
        let own: BTreeSet<ObjectRef> =
            graph.members(&unit).iter().chain([&unit, subject]).cloned().chain(delivering(scene, &unit)).collect();
        let mut needed: BTreeMap<ObjectRef, String> = BTreeMap::new();
        let mut units = BTreeSet::from([unit.clone()]);
        let inside =
            scene.objects.keys().filter(|object| object.namespace.is_some() && object.namespace.as_deref() == within);
        units.extend(inside.map(|object| graph.top_owner(object)));
        // What is called may fail for what it needs itself.
        for _ in 0..2 {
            let found: Vec<_> = units.iter().flat_map(|unit| graph.dependencies(unit)).collect();
            for edge in found {
                if edge.relation == Relation::TalksTo {
                    units.insert(graph.top_owner(&edge.to));
                }
                needed.entry(edge.to.clone()).or_insert(edge.how);
            }
        }
        let theirs = |object: &ObjectRef| units.contains(&graph.top_owner(object));
        for edge in graph.all_edges() {
            let leads = edge.relation == Relation::Selects && theirs(&edge.to);
            let names = edge.relation == Relation::Refers && (theirs(&edge.to) || needed.contains_key(&edge.to));
            if (leads || names) && !theirs(&edge.from) {
                needed.entry(edge.from.clone()).or_insert_with(|| format!("{} of it", edge.how));
            }
            if edge.relation == Relation::RunsOn && theirs(&edge.from) {
                needed.entry(edge.to.clone()).or_insert_with(|| "pods run on it".to_owned());
            }
        }
        let namespace = subject.namespace.clone().or_else(|| within.map(str::to_owned));
        needed.retain(|object, _| within.is_none() || object.namespace.as_deref() != within);
        let named = needed.keys().filter_map(|object| object.namespace.clone());
        let namespaces = namespace.iter().cloned().chain(named).collect();
        Self { own, needed, namespace, namespaces }
    }

    /// Adds what was told of the object, or of its top owner.
    pub(super) fn remember(&mut self, one: &Remembered) {
        self.own.insert(one.object.clone());
        self.own.extend(one.owners.iter().filter(|owner| !owner.is("Node")).cloned());
        let mut need = |object: &ObjectRef, how: &str| {
            self.needed.entry(object.clone()).or_insert_with(|| how.to_owned());
            self.namespaces.extend(object.namespace.clone());
        };
        for (object, tie) in one.links.all(one.object.namespace.as_deref()) {
            match tie {
                Tie::Needs | Tie::Scales => need(&object, "named by it, as was told of it"),
                Tie::RunsOn => need(&object, "pods run on it"),
                Tie::Delivered => _ = self.own.insert(object),
                Tie::Owned => {}
            }
        }
        for selecting in &one.selected_by {
            need(selecting, "selects its pods");
        }
        for dependent in one.dependents.iter().filter(|one| one.tie == Tie::Scales) {
            need(&dependent.object, "scales it");
        }
    }

    pub(super) fn nearness(&self, change: &Change) -> Nearness {
        let object = &change.object;
        if self.own.contains(object)
            || self.own.iter().any(|own| own.namespace.is_none() && own.kind == object.kind && own.name == object.name)
        {
            return Nearness::Itself;
        }
        if let Some(how) = self.needed.get(object) {
            return Nearness::Needed(how.clone());
        }
        let beside = object.namespace.is_some() && object.namespace == self.namespace;
        // Each pod of a namespace is under these.
        match object.kind.as_str() {
            "ResourceQuota" | "LimitRange" if beside => Nearness::Needed("limits its namespace".to_owned()),
            "Namespace" if self.namespace.as_ref() == Some(&object.name) => {
                Nearness::Needed("its namespace".to_owned())
            }
            _ if beside => Nearness::Beside,
            _ => Nearness::Elsewhere,
        }
    }
}

/// What delivers an object, by its marks. Of an application of Argo CD only the name is known.
fn delivering(scene: &Scene, unit: &ObjectRef) -> Vec<ObjectRef> {
    let Some(value) = scene.get(unit) else { return Vec::new() };
    let text = |path: &str| field::text(value, path);
    let named = |kind: &str, namespace: Option<&str>, name: Option<&str>| {
        Some(ObjectRef { kind: kind.to_owned(), namespace: namespace.map(str::to_owned), name: name?.to_owned() })
    };
    let release = "/metadata/annotations/meta.helm.sh~1release-";
    let helm = text(&format!("{release}namespace")).or(unit.namespace.as_deref());
    let argo = text("/metadata/annotations/argocd.argoproj.io~1tracking-id").and_then(|id| id.split(':').next());
    let flux = |api: &str, part: &str| text(&format!("/metadata/labels/{api}.toolkit.fluxcd.io~1{part}"));
    [
        named("HelmRelease", helm, text(&format!("{release}name"))),
        named("HelmRelease", flux("helm", "namespace"), flux("helm", "name")),
        named("Kustomization", flux("kustomize", "namespace"), flux("kustomize", "name")),
        named("Application", None, argo),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Reads what the object hangs together with; and what of that could not be seen.
pub(super) async fn near(cluster: &Cluster, subject: &ObjectRef, now: Timestamp) -> (Near, Option<LookError>) {
    let mut scene = Scene::of(Vec::new(), &[], Vec::new(), now);
    let mut unseen = None;
    let mut read = BTreeSet::new();
    for _ in 0..2 {
        let near = Near::of(&scene, subject);
        let namespaces: Vec<String> = near
            .namespaces
            .iter()
            .filter(|name| !read.contains(*name))
            .take(NAMESPACES - read.len())
            .cloned()
            .collect();
        let questions = namespaces.iter().flat_map(|name| LISTED.map(|kind| (kind, name)));
        let answers = join_all(questions.map(|(kind, name)| cluster.list(kind, Some(name), None, None, READ))).await;
        for answer in answers {
            match answer {
                Ok(objects) => scene.extend(objects),
                Err(LookError::UnknownKind { .. }) => {}
                Err(error) => {
                    unseen.get_or_insert(error);
                }
            }
        }
        scene.settle();
        read.extend(namespaces);
    }
    (Near::of(&scene, subject), unseen)
}
