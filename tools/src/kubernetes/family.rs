//! What a workload consists of.

use marple_core::ObjectRef;
use serde_json::Value;

use super::field::{entries, is_controlled_by, items, namespace, text};
use super::{Cluster, LookError, pods, reference, selector};

/// The most objects of a kind that are read of a workload.
const MOST: usize = 500;

/// A workload's replica sets (or the jobs of a `CronJob`) and pods.
#[derive(Clone, Debug, Default)]
pub(crate) struct Family {
    /// What stands between the workload and its pods, the newest first.
    pub(crate) between: Vec<Value>,
    /// Its pods, the worst first.
    pub(crate) pods: Vec<Value>,
}

impl Family {
    /// References to what is at work now: the latest two of what stands between, and the pods. A Deployment keeps ten
    /// old replica sets that do nothing.
    pub(crate) fn references(&self) -> impl Iterator<Item = ObjectRef> {
        self.between.iter().take(2).chain(&self.pods).filter_map(reference)
    }
}

/// Whether objects of the kind own pods.
pub(crate) fn is_workload(kind: &str) -> bool {
    matches!(
        kind,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" | "CronJob"
    )
}

/// The selector by which a workload finds its pods.
pub(crate) fn pod_selector(workload: &Value) -> Option<String> {
    selector::query(workload.pointer("/spec/selector")?)
}

impl Cluster {
    /// The family of a workload that was read; of anything else, nothing.
    pub(crate) async fn family(&self, workload: &Value) -> Result<Family, LookError> {
        let (Some(kind), Some(uid)) = (text(workload, "/kind"), text(workload, "/metadata/uid")) else {
            return Ok(Family::default());
        };
        let space = namespace(workload);
        if kind == "CronJob" {
            return self.family_of_cron_job(workload, uid).await;
        }
        let Some(labels) = pod_selector(workload).filter(|_| is_workload(kind)) else { return Ok(Family::default()) };
        let sets = async {
            if kind != "Deployment" {
                return Ok(vec![]);
            }
            let sets = self.list("apps/ReplicaSet", space, Some(&labels), None, MOST).await?;
            Ok(owned(sets, &[uid]))
        };
        let (mut between, found) = tokio::try_join!(sets, self.list("v1/Pod", space, Some(&labels), None, MOST))?;
        newest_first(&mut between);
        let mut uids: Vec<&str> = between.iter().filter_map(|set| text(set, "/metadata/uid")).collect();
        uids.push(uid);
        let mut pods = owned(found, &uids);
        pods::worst_first(&mut pods);
        Ok(Family { between, pods })
    }

    async fn family_of_cron_job(&self, cron_job: &Value, uid: &str) -> Result<Family, LookError> {
        let space = namespace(cron_job);
        let (jobs, found) = tokio::try_join!(
            self.list("batch/Job", space, None, None, MOST),
            self.list("v1/Pod", space, Some("batch.kubernetes.io/job-name"), None, MOST)
        )?;
        let mut between = owned(jobs, &[uid]);
        newest_first(&mut between);
        let uids: Vec<&str> = between.iter().filter_map(|job| text(job, "/metadata/uid")).collect();
        let mut pods = owned(found, &uids);
        pods::worst_first(&mut pods);
        Ok(Family { between, pods })
    }

    /// What controls an object's pods, at the top: the object itself where nothing controls it.
    pub(crate) async fn top(&self, object: &Value) -> Result<Option<ObjectRef>, LookError> {
        Ok(self.owners_of(object).await?.pop().or_else(|| reference(object)))
    }
}

/// Those that one of the owners controls. Labels alone would take in strangers that an overlapping selector finds.
fn owned(objects: Vec<Value>, uids: &[&str]) -> Vec<Value> {
    objects.into_iter().filter(|object| uids.iter().any(|uid| is_controlled_by(object, uid))).collect()
}

fn newest_first(objects: &mut [Value]) {
    let created = |object: &Value| text(object, "/metadata/creationTimestamp").map(str::to_owned);
    objects.sort_by_cached_key(|object| std::cmp::Reverse((revision(object), created(object))));
}

/// The revision of a Deployment's ReplicaSet.
pub(crate) fn revision(set: &Value) -> Option<i64> {
    entries(set, "/metadata/annotations")
        .find(|(name, _)| *name == "deployment.kubernetes.io/revision")
        .and_then(|(_, value)| value.as_str()?.parse().ok())
}

/// The images of a pod template, or of a pod.
pub(crate) fn images(object: &Value) -> String {
    let spec =
        if object.pointer("/spec/template").is_some() { "/spec/template/spec/containers" } else { "/spec/containers" };
    items(object, spec).filter_map(|container| text(container, "/image")).collect::<Vec<_>>().join(", ")
}
