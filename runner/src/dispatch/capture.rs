//! Looks at what won't last, and lets the rules conclude.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::{Conclusion, Finding, Incident, Member, ObjectRef, Signal, SignalSource, SignalStatus, Unseen};
use marple_tools::diagnose::{self, Symptom};
use marple_tools::history::ChangeLog;
use marple_tools::kubernetes::Cluster;
use marple_tools::log_store::{self, LogStore, Stored};
use marple_tools::prometheus::{self, Around, Measured, Prometheus};
use marple_tools::scene::{self, Graph, Relation, Scene};
use marple_tools::{EvidenceError, EvidenceLog, Redact};
use tokio_util::sync::CancellationToken;

use crate::correlate::Dependency;

/// The most objects that one scene is read around: the worst members first; more of one cause add nothing.
const SUBJECTS: usize = 24;

/// What is looked at, and how.
#[derive(Clone)]
pub struct Lookout {
    /// The cluster, where there is one.
    pub cluster: Option<Cluster>,
    /// Prometheus, where there is one.
    pub prometheus: Option<Prometheus>,
    /// The log store, where there is one.
    pub logs: Option<LogStore>,
    /// What changed in the cluster, where it is told.
    pub changes: Option<Arc<dyn ChangeLog>>,
    /// Takes secrets out of what is kept.
    pub redact: Arc<dyn Redact>,
    /// The longest that one capture may take.
    pub timeout: Duration,
}

/// What a capture came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Capture {
    /// What the rules found, with citations.
    pub findings: Vec<Finding>,
    /// What they conclude.
    pub conclusion: Conclusion,
    /// What of the seen depends on what: an incident of one may be an incident of the other.
    pub dependencies: Vec<Dependency>,
    /// Whether the cluster was away or slow: looking again in a while may show more.
    pub unreached: bool,
}

impl Lookout {
    /// Looks around the subjects, keeps what matters as evidence and lets the rules conclude. What could not be
    /// looked at is part of the conclusion; only evidence that can't be kept is an error.
    pub async fn capture(
        &self,
        subjects: &Subjects,
        evidence: &dyn EvidenceLog,
        now: Timestamp,
        cancel: &CancellationToken,
    ) -> Result<Capture, EvidenceError> {
        let (mut scene, metrics) = tokio::join!(self.scene(subjects, now, cancel), self.metrics(subjects, now));
        scene.unseen.extend(metrics.unseen);
        let stored = self.stored_logs(&scene, subjects, now).await;
        scene.unseen.extend(stored.unseen);
        self.changes(&mut scene, subjects, now).await;
        let mut findings = diagnose::run(&scene);
        let kept = scene::keep(&scene, &findings, evidence, self.redact.as_ref()).await?;
        kept.resolve(&mut findings);
        let stored = stored.drafts.into_iter().map(|draft| Measured { draft, drawing: None });
        for Measured { draft, drawing } in metrics.measured.into_iter().chain(stored) {
            let kept = async {
                let id = evidence.keep(draft).await?;
                match drawing {
                    Some(svg) => evidence.draw(id, svg).await,
                    None => Ok(()),
                }
            };
            match kept.await {
                Err(error) if !error.full => return Err(error),
                Ok(()) | Err(_) => {}
            }
        }
        let conclusion = diagnose::conclude(&scene, &subjects.symptoms, &findings);
        Ok(Capture { findings, conclusion, dependencies: dependencies(&scene), unreached: scene.unreached })
    }

    async fn scene(&self, subjects: &Subjects, now: Timestamp, cancel: &CancellationToken) -> Scene {
        let nothing = |what: &str, why: String| {
            let mut scene = Scene::of(Vec::new(), &[], Vec::new(), now);
            scene.unseen.push(Unseen { what: what.to_owned(), why });
            scene
        };
        let Some(cluster) = &self.cluster else {
            return nothing("the cluster", "no cluster is configured (`cluster.enabled`)".to_owned());
        };
        if subjects.objects.is_empty() {
            return nothing("objects", "the alert's labels name no object of the cluster".to_owned());
        }
        let read = Scene::read(cluster, &subjects.objects, now, cancel);
        let Ok(scene) = tokio::time::timeout(self.timeout, read).await else {
            let why = format!("the API server gave no answer in {} s", self.timeout.as_secs());
            return Scene { unreached: true, ..nothing("the cluster", why) };
        };
        scene
    }

    /// What the log store has of pods whose own logs are gone; nothing where there is no store, for most have none.
    async fn stored_logs(&self, scene: &Scene, subjects: &Subjects, now: Timestamp) -> Stored {
        match &self.logs {
            Some(store) => {
                let (objects, redact) = (self.permitted(subjects), self.redact.as_ref());
                log_store::around(store, scene, &objects, subjects.starts_at, now, redact).await
            }
            None => Stored::default(),
        }
    }

    /// What changed in the scene before the incident and since, as it was recorded.
    async fn changes(&self, scene: &mut Scene, subjects: &Subjects, now: Timestamp) {
        let Some(log) = &self.changes else { return };
        let window = scene.window(subjects.starts_at, now);
        let why = match tokio::time::timeout(self.timeout, log.changes(&window)).await {
            Ok(Ok(found)) => return scene.learn(found.changes, subjects.starts_at),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("the store gave no answer in {} s", self.timeout.as_secs()),
        };
        scene.unseen.push(Unseen { what: "the change history".to_owned(), why });
    }

    /// The objects that may be looked at: what may not is not looked at by its metrics or stored logs either.
    fn permitted(&self, subjects: &Subjects) -> Vec<ObjectRef> {
        let mut objects = subjects.objects.clone();
        if let Some(cluster) = &self.cluster {
            objects.retain(|object| cluster.rules().permit(&object.kind, object.namespace.as_deref(), &object.name));
        }
        objects
    }

    async fn metrics(&self, subjects: &Subjects, now: Timestamp) -> Around {
        let unseen =
            |why: String| Around { measured: Vec::new(), unseen: vec![Unseen { what: "metrics".to_owned(), why }] };
        let Some(prometheus) = &self.prometheus else {
            return unseen("no Prometheus is configured (`prometheus.url`)".to_owned());
        };
        let objects = self.permitted(subjects);
        let alerts = &subjects.alerts;
        let around = prometheus::around(prometheus, &objects, alerts, subjects.starts_at, now, self.redact.as_ref());
        match tokio::time::timeout(self.timeout, around).await {
            Ok(around) => around,
            Err(_) => unseen(format!("Prometheus gave no answer in {} s", self.timeout.as_secs())),
        }
    }
}

/// What depends on what in a scene, as far as a fault of one is felt in the other: calls, and configuration and
/// volumes that are shared. Nodes, accounts and classes are left out: nearly everything hangs on them.
fn dependencies(scene: &Scene) -> Vec<Dependency> {
    let graph = Graph::of(scene);
    let units: BTreeSet<ObjectRef> = scene.objects.keys().map(|object| graph.top_owner(object)).collect();
    let felt = |relation: Relation, to: &ObjectRef| match relation {
        Relation::TalksTo => true,
        Relation::Refers => ["ConfigMap", "Secret", "PersistentVolumeClaim"].contains(&to.kind.as_str()),
        Relation::Owned | Relation::Selects | Relation::RunsOn => false,
    };
    units
        .iter()
        .flat_map(|unit| graph.dependencies(unit))
        .filter(|edge| felt(edge.relation, &edge.to))
        .map(|edge| Dependency { from: edge.from, to: edge.to, how: edge.how })
        .collect()
}

/// What an incident is about, as far as looks need to know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects {
    /// The objects to look around, those of conditions that hold first.
    pub objects: Vec<ObjectRef>,
    /// What is to be explained.
    pub symptoms: Vec<Symptom>,
    /// The alerts among them: their rules are looked up.
    pub alerts: Vec<Signal>,
    /// When the first condition began.
    pub starts_at: Timestamp,
}

impl Subjects {
    /// Of an incident and its members.
    pub fn of(incident: &Incident, members: &[Member]) -> Self {
        let mut ordered: Vec<&Member> = members.iter().collect();
        ordered.sort_by_key(|member| {
            (member.status != SignalStatus::Firing, std::cmp::Reverse(member.severity), member.starts_at)
        });
        let mut objects: Vec<ObjectRef> = Vec::new();
        let named = ordered.iter().filter_map(|member| member.subject.clone());
        for object in incident.subject.iter().cloned().chain(named).chain(incident.objects.iter().cloned()) {
            if objects.len() < SUBJECTS && !objects.contains(&object) {
                objects.push(object);
            }
        }
        let symptoms = ordered
            .iter()
            .map(|member| Symptom {
                name: member.name.clone(),
                object: member.subject.clone(),
                starts_at: member.starts_at,
            })
            .collect();
        let alerts = ordered
            .iter()
            .filter(|member| member.source == SignalSource::Alertmanager)
            .map(|member| member.signal())
            .collect();
        Self { objects, symptoms, alerts, starts_at: incident.starts_at }
    }
}
