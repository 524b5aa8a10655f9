//! A namespace with objects to alter, and what the runner has of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use k8s_openapi::api::core::v1::ConfigMap;
use kube::Api;
use kube::api::{Patch, PatchParams};
use marple_core::{Change, ChangeKind};
use marple_tests::cluster::{Namespace, TestCluster, wait_for};
use marple_tests::program::Program;
use serde_json::json;

use crate::faults::Faults;

/// The longest that all may take to arrive once nothing fails any more.
pub(crate) const ARRIVED_WITHIN: Duration = Duration::from_mins(2);

/// How many objects are altered.
pub(crate) const MAPS: usize = 6;

/// A namespace with objects to alter.
pub(crate) struct Stage {
    pub(crate) namespace: Namespace,
    pub(crate) maps: Api<ConfigMap>,
    pub(crate) faults: Faults,
}

impl Stage {
    pub(crate) async fn open(cluster: &TestCluster, name: &str) -> Result<Self> {
        let namespace = cluster.namespace(name).await?;
        let map = |at| {
            format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{ name: map-{at} }}\ndata: {{ count: \"0\" }}\n")
        };
        let objects = (0..MAPS).map(map).chain(Faults::pods()).collect::<String>();
        namespace.apply(&objects).await?;
        let (maps, faults) = (namespace.api(), Faults::of(&namespace));
        Ok(Self { namespace, maps, faults })
    }

    pub(crate) async fn write(&self, map: usize, count: usize) -> Result<()> {
        let patch = json!({"data": {"count": count.to_string()}});
        self.maps.patch(&format!("map-{map}"), &PatchParams::default(), &Patch::Merge(patch)).await?;
        Ok(())
    }

    /// The changes that the runner has, oldest first.
    pub(crate) async fn changes(&self, program: &Program) -> Result<Vec<Change>> {
        let (mut all, mut known) = (Vec::new(), BTreeSet::new());
        let mut until = jiff::Timestamp::now();
        loop {
            let path = format!("/api/changes?namespace={}&limit=500&until={until}", self.namespace.name());
            let page = program.get(&path).await?;
            let changes: Vec<Change> = serde_json::from_value(page["changes"].clone())?;
            let last = changes.last().map(|change| change.at);
            for change in changes {
                // Pages overlap; and what differs in anything is another.
                if known.insert(serde_json::to_string(&change)?) {
                    all.push(change);
                }
            }
            match last {
                Some(last) if page["more"] == json!(true) && last < until => until = last,
                _ => break,
            }
        }
        all.reverse();
        all.retain(|change| change.object.namespace.as_deref() == Some(self.namespace.name()));
        Ok(all)
    }

    /// Waits until the runner knows the objects, from when on what differs is a change.
    pub(crate) async fn known(&self, program: &Program) -> Result<()> {
        wait_for("the list of ConfigMaps", ARRIVED_WITHIN, || async {
            let kept = program
                .get("/api/changes/kept?cluster=test&kind=ConfigMap")
                .await
                .map_err(|error| error.to_string())?;
            (kept["reached"].as_array().is_some_and(|reached| reached.iter().any(|one| one["version"] != json!(""))))
                .then_some(())
                .ok_or(format!("{kept}"))
        })
        .await
    }

    /// Whether the runner has of every map how it came to its last count, without a gap and nothing twice: one change where
    /// several could only be found as one.
    pub(crate) async fn has_way(&self, program: &Program, counts: &BTreeMap<usize, usize>) -> Result<(), String> {
        let changes = self.changes(program).await.map_err(|error| format!("{error:#}"))?;
        for (map, last) in counts {
            let name = format!("map-{map}");
            let of_map = changes.iter().filter(|change| change.object.name == name);
            let mut told: Vec<(usize, usize)> = of_map.filter_map(step).collect();
            told.sort_unstable();
            let mut reached = 0;
            for (from, to) in &told {
                if *from != reached || to <= from {
                    return Err(format!("of {name}, {from} → {to} is told after {reached}: {told:?}"));
                }
                reached = *to;
            }
            if reached != *last {
                return Err(format!("{name} is told up to {reached} of {last}"));
            }
        }
        Ok(())
    }

    /// Whether the runner has every count of every map, each once and in order.
    pub(crate) async fn has_all(&self, program: &Program, counts: &BTreeMap<usize, usize>) -> Result<(), String> {
        let changes = self.changes(program).await.map_err(|error| format!("{error:#}"))?;
        for (map, last) in counts {
            let name = format!("map-{map}");
            let of_map =
                changes.iter().filter(|change| change.object.name == name && change.kind == ChangeKind::Altered);
            let mut told: Vec<(usize, usize)> =
                of_map.map(|change| step(change).ok_or_else(|| format!("{change:#?}"))).collect::<Result<_, _>>()?;
            told.sort_unstable();
            let wanted: Vec<(usize, usize)> = (0..*last).map(|count| (count, count + 1)).collect();
            if told != wanted {
                let missing: Vec<_> = wanted.iter().filter(|step| !told.contains(step)).collect();
                let more: Vec<_> = told.iter().filter(|step| !wanted.contains(step)).collect();
                return Err(format!(
                    "of {name}, {} of {last} are told; missing {missing:?}, too many {more:?}",
                    told.len()
                ));
            }
        }
        Ok(())
    }
}

/// The counts before and after a change.
pub(crate) fn step(change: &Change) -> Option<(usize, usize)> {
    let field = change.fields.iter().find(|field| field.path == "data.count")?;
    Some((field.before.as_deref()?.parse().ok()?, field.after.as_deref()?.parse().ok()?))
}
