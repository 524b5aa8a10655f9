//! Conditions of several kinds that begin and end, and what is told of them.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use jiff::Timestamp;
use k8s_openapi::api::batch::v1::Job;
use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use kube::api::{DeleteParams, Patch, PatchParams, PostParams};
use marple_core::{Signal, SignalStatus};
use marple_tests::cluster::{Namespace, wait_for};
use marple_tests::program::Program;
use serde_json::{Value, json};

use crate::stage::ARRIVED_WITHIN;

/// The conditions: each the signal that is told of it, and its object.
pub(crate) const FAULTS: [(&str, &str); 7] = [
    ("PodCrashLooping", "pod-0"),
    ("PodCrashLooping", "pod-1"),
    ("PodCrashLooping", "pod-2"),
    ("PodCrashLooping", "pod-3"),
    ("PodImagePullFailing", "image"),
    ("PodUnschedulable", "unfit"),
    ("JobFailed", "nightly"),
];

/// Settings by which each is told at once, however soon it comes back.
pub(crate) const AT_ONCE: &str = "crash_loop: { rate_limit: 0s }, image_pull: { hold: 0s, rate_limit: 0s }, \
     unschedulable: { hold: 0s, rate_limit: 0s }, failed_job: { rate_limit: 0s }";

/// Where conditions begin and end.
pub(crate) struct Faults {
    namespace: String,
    pods: Api<Pod>,
    jobs: Api<Job>,
}

impl Faults {
    pub(crate) fn of(namespace: &Namespace) -> Self {
        Self { namespace: namespace.name().to_owned(), pods: namespace.api(), jobs: namespace.api() }
    }

    /// Their pods. No scheduler takes them, so that nothing but the test writes what they show.
    pub(crate) fn pods() -> impl Iterator<Item = String> {
        let pods = FAULTS.iter().filter(|(name, _)| *name != "JobFailed");
        pods.map(|(_, pod)| {
            format!(
                "---\napiVersion: v1\nkind: Pod\nmetadata: {{ name: {pod} }}\n\
                 spec: {{ schedulerName: nobody, terminationGracePeriodSeconds: 0, containers: [{{ name: app, image: \"localhost/pause:1\" }}] }}\n"
            )
        })
    }

    /// Has a condition begin or end.
    pub(crate) async fn set(&self, at: usize, broken: bool) -> Result<()> {
        let (name, object) = FAULTS[at];
        match name {
            "JobFailed" => self.set_job(object, broken).await,
            "PodImagePullFailing" => {
                let waiting = json!({"waiting": {"reason": "ErrImagePull", "message": "not found"}});
                self.write(object, &container("Pending", broken, &waiting)).await
            }
            "PodUnschedulable" => {
                let (status, reason) = if broken { ("False", "Unschedulable") } else { ("True", "Scheduled") };
                let scheduled = json!({"type": "PodScheduled", "status": status, "reason": reason,
                    "message": "0/1 nodes are available", "lastTransitionTime": Timestamp::now()});
                self.write(object, &json!({"phase": "Pending", "conditions": [scheduled]})).await
            }
            _ => {
                let waiting = json!({"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}});
                self.write(object, &container("Running", broken, &waiting)).await
            }
        }
    }

    async fn write(&self, pod: &str, status: &Value) -> Result<()> {
        let patch = Patch::Strategic(json!({"status": status}));
        self.pods.patch_status(pod, &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// Makes a Job that has failed, or deletes it. The cluster's own controller leaves it alone.
    async fn set_job(&self, name: &str, broken: bool) -> Result<()> {
        if !broken {
            return match self.jobs.delete(name, &DeleteParams::background()).await {
                Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
                deleted => Ok(deleted.map(drop)?),
            };
        }
        let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": {
            "managedBy": "example.com/nobody", "template": {"spec": {"restartPolicy": "Never", "schedulerName": "nobody",
                "containers": [{"name": "app", "image": "localhost/pause:1"}]}}}});
        self.jobs.create(&PostParams::default(), &serde_json::from_value(job)?).await?;
        let now = Timestamp::now();
        let conditions: Vec<Value> = ["FailureTarget", "Failed"]
            .iter()
            .map(|kind| {
                json!({"type": kind, "status": "True", "reason": "BackoffLimitExceeded", "message": "no",
                "lastProbeTime": now, "lastTransitionTime": now})
            })
            .collect();
        let status = json!({"status": {"startTime": now, "failed": 1, "conditions": conditions}});
        self.jobs.patch_status(name, &PatchParams::default(), &Patch::Merge(status)).await?;
        Ok(())
    }

    /// What the runner holds, as `PodCrashLooping pod-0`.
    pub(crate) async fn held(&self, program: &Program) -> Result<BTreeSet<String>, String> {
        let held = program.get("/api/signals").await.map_err(|error| error.to_string())?;
        let held: Vec<Signal> = serde_json::from_value(held).map_err(|error| error.to_string())?;
        Ok(held.iter().filter_map(|signal| self.name(signal)).collect())
    }

    /// Waits until the runner holds these, and no others.
    pub(crate) async fn holds(&self, program: &Program, broken: &BTreeSet<String>) -> Result<()> {
        wait_for("the conditions that hold", ARRIVED_WITHIN, || async {
            let held = self.held(program).await?;
            if held == *broken { Ok(()) } else { Err(format!("{held:?} instead of {broken:?}")) }
        })
        .await
    }

    fn name(&self, signal: &Signal) -> Option<String> {
        let subject = signal.subject.as_ref()?;
        let known = subject.namespace.as_deref() == Some(&*self.namespace)
            && FAULTS.iter().any(|(name, object)| *name == signal.name && *object == subject.name);
        known.then(|| format!("{} {}", signal.name, subject.name))
    }

    /// What was told of each, in order.
    pub(crate) fn history(&self, signals: &[Signal]) -> String {
        let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for signal in signals {
            if let Some(name) = self.name(signal) {
                told.entry(name).or_default().push(format!("{:?} {:.3}", signal.status, signal.starts_at));
            }
        }
        format!("{told:#?}")
    }

    /// How often each was told to begin and to end. Fails where something was told twice, or ended that had not begun.
    pub(crate) fn counted(&self, signals: &[Signal]) -> Result<BTreeMap<String, (usize, usize)>, String> {
        let mut counted: BTreeMap<String, (usize, usize)> = BTreeMap::new();
        let mut last: BTreeMap<String, (SignalStatus, Timestamp)> = BTreeMap::new();
        for signal in signals {
            let Some(name) = self.name(signal) else { continue };
            let now = (signal.status, signal.starts_at);
            let before = last.insert(name.clone(), now);
            // One that is told anew by a process that can't know that it was told is the same signal, of which a runner keeps one.
            if before == Some(now) {
                continue;
            }
            if let (Some((SignalStatus::Resolved, began)), SignalStatus::Resolved) = (before, signal.status)
                && began < signal.starts_at
            {
                // It began and ended again before it could be delivered: of that its newest state alone goes out.
                continue;
            }
            let fits = match (before, signal.status) {
                (None, status) => status == SignalStatus::Firing,
                // Of several that came and went before they could be delivered the newest end alone goes out.
                (Some((SignalStatus::Firing, began)), SignalStatus::Resolved) => began <= signal.starts_at,
                // A process that was killed can't tell the end that it would have seen: the next begin stands for it.
                (Some((_, began)), SignalStatus::Firing) => began < signal.starts_at,
                (Some(_), _) => false,
            };
            if !fits {
                return Err(format!("{name}: {:?} of {} after {before:?}", signal.status, signal.starts_at));
            }
            let (begun, ended) = counted.entry(name).or_default();
            match signal.status {
                SignalStatus::Firing => {
                    *ended = *begun;
                    *begun += 1;
                }
                SignalStatus::Resolved => *ended += 1,
            }
        }
        Ok(counted)
    }
}

/// A container that waits so, or that runs.
fn container(phase: &str, broken: bool, waiting: &Value) -> Value {
    let now = Timestamp::now();
    let last = json!({"terminated": {"exitCode": 1, "reason": "Error", "startedAt": now, "finishedAt": now}});
    let running = json!({"running": {"startedAt": "2026-01-01T00:00:00Z"}, "waiting": null});
    let state = if broken { waiting } else { &running };
    let ready = if broken { "False" } else { "True" };
    json!({"phase": if broken { phase } else { "Running" },
        "conditions": [{"type": "Ready", "status": ready, "lastTransitionTime": now}],
        "containerStatuses": [{"name": "app", "image": "i", "imageID": "", "ready": !broken, "restartCount": 7,
            "state": state, "lastState": last}]})
}

/// Whether the writing of this number has a condition begin; each ends with the next of its turns.
pub(crate) fn breaks(count: usize) -> (usize, bool) {
    (count % FAULTS.len(), count % (2 * FAULTS.len()) < FAULTS.len())
}

/// How often each has begun and ended after so many writings.
pub(crate) fn turns(writes: usize) -> BTreeMap<String, (usize, usize)> {
    let mut turns: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for (at, broken) in (1..=writes).map(breaks) {
        let (begun, ended) = turns.entry(full_name(at)).or_default();
        if broken {
            *begun += 1;
        } else if *ended < *begun {
            *ended += 1;
        }
    }
    turns
}

/// Which the last writings have left broken.
pub(crate) fn broken_at_end(writes: usize) -> BTreeSet<String> {
    turns(writes).into_iter().filter(|(_, (begun, ended))| begun > ended).map(|(name, _)| name).collect()
}

pub(crate) fn full_name(at: usize) -> String {
    let (name, object) = FAULTS[at];
    format!("{name} {object}")
}
