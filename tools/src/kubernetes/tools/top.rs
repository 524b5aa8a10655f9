//! `kubernetes_top`: what pods and nodes use, beside what they ask for and may have.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{output, target};
use crate::kubernetes::field::name;
use crate::kubernetes::table::aligned;
use crate::kubernetes::usage::{Amount, Bounds, Scope, Source, Whose, bounds};
use crate::kubernetes::{Cluster, quantity};
use crate::prometheus::Prometheus;
use crate::view::{Limits, grouped};
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Up to so many pods are told container by container.
const FEW: usize = 40;

/// From what share of a limit on something is close to it, in percent.
const CLOSE: f64 = 90.0;

/// What pods and nodes use.
pub(crate) struct Top {
    cluster: Cluster,
    prometheus: Option<Prometheus>,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Pod (default), Node or a workload.
    kind: Option<String>,
    name: Option<String>,
    namespace: Option<String>,
    label_selector: Option<String>,
}

impl Top {
    pub(crate) fn new(cluster: Cluster, prometheus: Option<Prometheus>) -> Self {
        let description = "Processors and memory used now, beside requests and limits; the nearest to a limit first.";
        let spec = arguments::spec::<Arguments>("kubernetes_top", description, Effect::Read);
        Self { cluster, prometheus, spec }
    }

    /// What is looked at: all of the scope, or the objects of these names.
    async fn scope(&self, arguments: &Arguments) -> Result<(Scope, Option<BTreeSet<String>>, String), ToolError> {
        let kind = self.cluster.kind(arguments.kind.as_deref().unwrap_or("Pod")).await?;
        let space = arguments.namespace.clone();
        let place = match (&space, kind.namespaced) {
            (Some(space), true) => format!(" in {space}"),
            (None, true) => " in all namespaces".to_owned(),
            (_, false) => String::new(),
        };
        let Some(wanted) = &arguments.name else {
            return match kind.kind.as_str() {
                "Node" => Ok((Scope::Nodes, None, "nodes".to_owned())),
                "Pod" => Ok((Scope::Pods(space), None, format!("pods{place}"))),
                other => Err(ToolError::Arguments(format!("{}: a {other} needs its name", self.spec.name))),
            };
        };
        let object = target(&kind.kind, wanted, space.as_deref());
        if kind.kind == "Node" {
            return Ok((Scope::Nodes, Some([object.name.clone()].into()), object.to_string()));
        }
        let read = self.cluster.get(&object).await?;
        let object = crate::kubernetes::reference(&read).unwrap_or(object);
        let names = if kind.kind == "Pod" {
            [object.name.clone()].into()
        } else {
            self.cluster.family(&read).await?.pods.iter().map(|pod| name(pod).to_owned()).collect()
        };
        Ok((Scope::Pods(object.namespace.clone()), Some(names), object.to_string()))
    }
}

#[async_trait]
impl Tool for Top {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        let arguments: Arguments = arguments::parse(&self.spec.name, arguments)?;
        let (scope, names, told) = self.scope(&arguments).await?;
        let source = Source::find(&self.cluster, self.prometheus.as_ref());
        let source = source.await.map_err(|why| ToolError::Backend(format!("{}: {why}", self.spec.name)))?;
        let wanted = |object: &Value| names.as_ref().is_none_or(|names| names.contains(name(object)));
        let labels = arguments.label_selector.as_deref();
        let (usage, bounds) =
            tokio::try_join!(source.read(&self.cluster, &scope), bounds(&self.cluster, &scope, labels, wanted))?;
        let rows: Vec<Row> = bounds
            .into_iter()
            .map(|(whose, bounds)| {
                let used = usage.used.get(&whose).copied();
                Row { whose, used, bounds }
            })
            .collect();
        if rows.is_empty() {
            return Err(ToolError::NotFound(format!("there are no {told}")));
        }
        let nodes = scope == Scope::Nodes;
        let content = written(rows, nodes, &usage.source);
        Ok(output(format!("what {told} use"), None, content, Limits::table()))
    }
}

struct Row {
    whose: Whose,
    used: Option<Amount>,
    bounds: Bounds,
}

impl Row {
    /// How near it is to what it may have, as far as that is known.
    fn share(&self) -> f64 {
        let used = self.used.unwrap_or_default();
        let share = |used: Option<f64>, most: Option<f64>| used.zip(most).map_or(0.0, |(used, most)| used / most);
        let limits = self.bounds.limits;
        share(used.cpu, limits.cpu).max(share(used.memory, limits.memory))
    }
}

fn written(rows: Vec<Row>, nodes: bool, source: &str) -> String {
    let pods: BTreeSet<(&str, &str)> =
        rows.iter().map(|row| (row.whose.namespace.as_str(), row.whose.name.as_str())).collect();
    let (count, several) =
        (pods.len(), rows.iter().any(|row| Some(&row.whose.namespace) != rows.first().map(|row| &row.whose.namespace)));
    let by_container = !nodes && count <= FEW;
    let mut rows = if by_container || nodes { rows } else { summed(rows) };
    // What doesn't run uses nothing: an init container that is done, a pod that is.
    let silent = rows.iter().filter(|row| row.used.is_none()).count();
    let all = rows.len();
    if silent < all {
        rows.retain(|row| row.used.is_some());
    }
    rows.sort_by(|left, right| {
        let memory = |row: &Row| row.used.and_then(|used| used.memory).unwrap_or_default();
        right.share().total_cmp(&left.share()).then_with(|| memory(right).total_cmp(&memory(left)))
    });
    let close = rows.iter().filter(|row| row.share() * 100.0 >= CLOSE).count();
    let mut head = vec![if nodes { "NODE" } else { "POD" }];
    if by_container {
        head.push("CONTAINER");
    }
    if nodes {
        head.extend(["CPU", "MEMORY"]);
    } else {
        head.extend(["CPU", "OF REQUEST", "OF LIMIT", "MEMORY", "OF REQUEST", "OF LIMIT"]);
    }
    let cells: Vec<Vec<String>> = rows.iter().map(|row| cells(row, nodes, by_container, several)).collect();
    let mut lines = vec![head];
    lines.extend(cells.iter().map(|cells| cells.iter().map(String::as_str).collect()));
    let what = if nodes { "nodes" } else { "pods" };
    let close = if close > 0 { format!(", {close} at {CLOSE}% of a limit or beyond") } else { String::new() };
    let mut text = format!("{} {what}{close}; {source}\n{}", grouped(count), aligned(&lines));
    if silent > 0 {
        text += &format!("of {} others no use is told: they don't run, or have only just begun to\n", grouped(silent));
    }
    text
}

/// Pod by pod. A pod has a limit where each of its containers has one.
fn summed(rows: Vec<Row>) -> Vec<Row> {
    let mut pods: BTreeMap<(String, String), Row> = BTreeMap::new();
    for row in rows.into_iter().filter(|row| row.used.is_some()) {
        match pods.entry((row.whose.namespace.clone(), row.whose.name.clone())) {
            std::collections::btree_map::Entry::Vacant(place) => {
                place.insert(row);
            }
            std::collections::btree_map::Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.used = Some(known.used.unwrap_or_default().plus(row.used.unwrap_or_default()));
                known.bounds.requests = known.bounds.requests.plus(row.bounds.requests);
                let both = |left: Option<f64>, right: Option<f64>| left.zip(right).map(|(left, right)| left + right);
                known.bounds.limits = Amount {
                    cpu: both(known.bounds.limits.cpu, row.bounds.limits.cpu),
                    memory: both(known.bounds.limits.memory, row.bounds.limits.memory),
                };
            }
        }
    }
    pods.into_values().collect()
}

fn cells(row: &Row, nodes: bool, by_container: bool, several: bool) -> Vec<String> {
    let used = row.used.unwrap_or_default();
    let share = |used: Option<f64>, of: Option<f64>, shown: fn(f64) -> String| match (used, of) {
        (_, None) => "-".to_owned(),
        (Some(used), Some(of)) if of > 0.0 => format!("{:.0}% of {}", used / of * 100.0, shown(of)),
        (_, Some(of)) => format!("of {}", shown(of)),
    };
    let amount = |used: Option<f64>, shown: fn(f64) -> String| used.map_or_else(|| "?".to_owned(), shown);
    let Bounds { requests, limits } = row.bounds;
    let name = if several { format!("{}/{}", row.whose.namespace, row.whose.name) } else { row.whose.name.clone() };
    let mut cells = vec![name];
    if by_container {
        cells.push(row.whose.container.clone());
    }
    if nodes {
        let of = |used: Option<f64>, room: Option<f64>, shown: fn(f64) -> String| {
            format!("{}, {}", amount(used, shown), share(used, room, shown))
        };
        cells.extend([of(used.cpu, limits.cpu, quantity::cores), of(used.memory, limits.memory, quantity::bytes)]);
        return cells;
    }
    cells.extend([
        amount(used.cpu, quantity::cores),
        share(used.cpu, requests.cpu, quantity::cores),
        share(used.cpu, limits.cpu, quantity::cores),
        amount(used.memory, quantity::bytes),
        share(used.memory, requests.memory, quantity::bytes),
        share(used.memory, limits.memory, quantity::bytes),
    ]);
    cells
}
