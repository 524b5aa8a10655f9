//! Which pods are meant: those named, and those that a workload owned in that time.

use std::collections::{BTreeMap, BTreeSet};

use marple_core::ObjectRef;
use regex::Regex;

use super::asker::Asker;
use crate::prometheus::selector::{escaped, one_of, quoted};
use crate::prometheus::{Series, Window};

/// The most pods whose metrics are asked for.
const MOST: usize = 100;

/// Kinds that own pods, with how their controllers name those: used only where no ownership is known.
const OWNERS: [(&str, &str); 7] = [
    ("Deployment", "-[a-z0-9]{1,10}-[a-z0-9]{5}"),
    ("ReplicaSet", "-[a-z0-9]{5}"),
    ("ReplicationController", "-[a-z0-9]{5}"),
    ("StatefulSet", "-[0-9]+"),
    ("DaemonSet", "-[a-z0-9]{5}"),
    ("Job", "-[a-z0-9]{5}"),
    ("CronJob", "-[0-9]+-[a-z0-9]{5}"),
];

/// Some pods.
#[derive(Clone, Debug, Default)]
pub(super) struct Pods {
    /// Namespace and name.
    named: BTreeSet<(String, String)>,
    /// Namespace and what the whole name must fit, where nothing tells who owns what.
    patterns: Vec<(String, String)>,
    fits: Vec<(String, Regex)>,
    /// How many more there are.
    pub(super) left_out: usize,
}

impl PartialEq for Pods {
    fn eq(&self, other: &Self) -> bool {
        (&self.named, &self.patterns, self.left_out) == (&other.named, &other.patterns, other.left_out)
    }
}

impl Pods {
    /// Those that the subjects are or own.
    pub(super) async fn of(asker: &Asker<'_>, subjects: &[ObjectRef], window: Window) -> Self {
        let mut pods = Self::default();
        for pod in subjects.iter().filter(|object| object.is("Pod")) {
            pods.named.insert((pod.namespace.clone().unwrap_or_default(), pod.name.clone()));
        }
        let workloads: Vec<&ObjectRef> = subjects.iter().filter(|object| owns_pods(&object.kind)).collect();
        if !workloads.is_empty() {
            match Box::pin(Ownership::read(asker, &workloads, window)).await {
                Some(ownership) => pods.named.extend(ownership.pods_of(&workloads)),
                None => workloads.iter().for_each(|workload| pods.add_pattern(workload)),
            }
        }
        pods.left_out = pods.named.len().saturating_sub(MOST);
        pods.named = std::mem::take(&mut pods.named).into_iter().take(MOST).collect();
        pods
    }

    pub(super) fn is_empty(&self) -> bool {
        self.named.is_empty() && self.patterns.is_empty()
    }

    /// Whether they are known by the form of their names only.
    pub(super) fn guessed(&self) -> bool {
        !self.patterns.is_empty()
    }

    /// Matchers that all their series have. Others may have them too, where there are several namespaces.
    pub(super) fn matchers(&self) -> String {
        let all = self.named.iter().chain(&self.patterns);
        let namespaces = one_of("namespace", all.map(|(namespace, _)| namespace.as_str()));
        if self.patterns.is_empty() {
            return format!("{namespaces},{}", one_of("pod", self.named.iter().map(|(_, name)| name.as_str())));
        }
        let named = self.named.iter().map(|(_, name)| escaped(name));
        let any: Vec<String> = named.chain(self.patterns.iter().map(|(_, pattern)| pattern.clone())).collect();
        format!("{namespaces},pod=~{}", quoted(&any.join("|")))
    }

    pub(super) fn has(&self, namespace: &str, pod: &str) -> bool {
        self.named.contains(&(namespace.to_owned(), pod.to_owned()))
            || self.fits.iter().any(|(of, fits)| of == namespace && fits.is_match(pod))
    }

    fn add_pattern(&mut self, workload: &ObjectRef) {
        let Some(ending) = ending(&workload.kind) else { return };
        let pattern = format!("{}{ending}", escaped(&workload.name));
        let namespace = workload.namespace.clone().unwrap_or_default();
        if let Ok(fits) = Regex::new(&format!("^(?:{pattern})$")) {
            self.fits.push((namespace.clone(), fits));
            self.patterns.push((namespace, pattern));
        }
    }
}

/// Whether objects of the kind own pods, directly or not.
pub(super) fn owns_pods(kind: &str) -> bool {
    ending(kind).is_some()
}

fn ending(kind: &str) -> Option<&'static str> {
    OWNERS.iter().find(|(owner, _)| *owner == kind).map(|(_, ending)| *ending)
}

/// Who owns what, from the owner references as kube-state-metrics tells them.
#[derive(Debug, Default)]
struct Ownership(BTreeMap<ObjectRef, BTreeSet<ObjectRef>>);

impl Ownership {
    /// In the workloads' namespaces; nothing where no such metrics are kept.
    async fn read(asker: &Asker<'_>, workloads: &[&ObjectRef], window: Window) -> Option<Self> {
        let namespaces =
            one_of("namespace", workloads.iter().map(|object| object.namespace.as_deref().unwrap_or_default()));
        let seconds = window.length().as_secs().max(60);
        let ask = async |metric: &str, label: &str| {
            let query = format!(
                "max by (namespace, {label}, owner_kind, owner_name) (last_over_time({metric}{{{namespaces}}}[{seconds}s]))"
            );
            let answer = asker.ask(asker.prometheus.instant(&query, Some(window.end))).await?;
            Some(answer.answer.into_series())
        };
        let wants = |kind: &str| workloads.iter().any(|workload| workload.is(kind));
        let sets = async { if wants("Deployment") { ask("kube_replicaset_owner", "replicaset").await } else { None } };
        let jobs = async { if wants("CronJob") { ask("kube_job_owner", "job_name").await } else { None } };
        let (pods, sets, jobs) = tokio::join!(ask("kube_pod_owner", "pod"), sets, jobs);
        let pods = pods?;
        if pods.is_empty()
            && !asker
                .ask(asker.prometheus.instant("count(kube_pod_owner)", Some(window.end)))
                .await?
                .answer
                .into_series()
                .is_empty()
        {
            // The metric is there: these namespaces have no pods.
            return Some(Self::default());
        }
        let lacking = |of: &Option<Vec<Series>>, kind: &str| of.as_ref().is_none_or(Vec::is_empty) && wants(kind);
        if pods.is_empty() || lacking(&sets, "Deployment") || lacking(&jobs, "CronJob") {
            return None;
        }
        let mut ownership = Self::default();
        ownership.add("Pod", "pod", &pods);
        ownership.add("ReplicaSet", "replicaset", &sets.unwrap_or_default());
        ownership.add("Job", "job_name", &jobs.unwrap_or_default());
        Some(ownership)
    }

    fn add(&mut self, kind: &str, label: &str, series: &[Series]) {
        for series in series {
            let text = |name: &str| series.labels.get(name).unwrap_or_default().to_owned();
            let namespace = text("namespace");
            let object = ObjectRef::namespaced(kind, namespace.clone(), text(label));
            let owner = ObjectRef::namespaced(text("owner_kind"), namespace, text("owner_name"));
            self.0.entry(owner).or_default().insert(object);
        }
    }

    /// The pods that these own, directly or not.
    fn pods_of(&self, workloads: &[&ObjectRef]) -> BTreeSet<(String, String)> {
        let owned = |owner: &ObjectRef| self.0.get(owner).into_iter().flatten();
        // A pod is at most two owners away: CronJob, Job, pod.
        let below = workloads.iter().flat_map(|workload| owned(workload));
        let all = below.flat_map(|object| std::iter::once(object).chain(owned(object)));
        let pods = all.filter(|object| object.is("Pod"));
        pods.map(|pod| (pod.namespace.clone().unwrap_or_default(), pod.name.clone())).collect()
    }
}
