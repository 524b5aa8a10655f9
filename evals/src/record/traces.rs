//! Reads the traces that went through the recorded services.

use std::collections::{BTreeMap, BTreeSet};

use marple_tools::trace::{Search, Trace, TraceStore, TraceStoreError};
use serde_json::Value;

use super::{RecordError, Recorder};
use crate::bundle::{RecordedResource, RecordedSpan, RecordedTrace};
use crate::json::{items, text};

/// The most services that are asked about.
const SERVICES: usize = 50;

/// The most traces of a service: so many that failed, and so many of any kind.
const EACH: usize = 20;

/// The most traces together.
const TRACES: usize = 300;

/// Labels that name what a pod belongs to, as its traces do.
const LABELS: [&str; 3] = ["app.kubernetes.io/name", "app", "k8s-app"];

impl Recorder<'_> {
    /// Reads the failed and the newest traces of the services in the recorded namespaces. What fails is left out and
    /// named: an incident is worth recording without it.
    pub(super) async fn traces(&mut self, resources: &[RecordedResource]) -> Result<Vec<RecordedTrace>, RecordError> {
        let Some(store) = self.options.traces.clone() else { return Ok(Vec::new()) };
        let mut found: BTreeMap<String, RecordedTrace> = BTreeMap::new();
        for service in services(resources).into_iter().take(SERVICES) {
            for failed in [true, false] {
                self.progress(&format!("traces of {service}"));
                match self.within("traces", self.search(&store, &service, failed)).await? {
                    Ok(traces) => found.extend(traces.into_iter().map(|trace| (trace.id.clone(), trace))),
                    // A store that knows no such service says that the question is wrong.
                    Err(TraceStoreError::Question(_) | TraceStoreError::NotFound(_)) => {}
                    Err(error) => self.omit(format!("traces of {service}"), error.to_string()),
                }
            }
        }
        if found.len() > TRACES {
            self.omit("traces".to_owned(), format!("{TRACES} of {} are kept", found.len()));
        }
        let mut traces: Vec<RecordedTrace> = found.into_values().take(TRACES).collect();
        traces.sort_by(|a, b| (a.start(), &a.id).cmp(&(b.start(), &b.id)));
        for span in traces.iter_mut().flat_map(|trace| &mut trace.spans) {
            for text in [Some(&mut span.name), span.failure.as_mut()].into_iter().flatten() {
                *text = self.redaction.text(text);
            }
        }
        Ok(traces)
    }

    async fn search(
        &self,
        store: &TraceStore,
        service: &str,
        failed: bool,
    ) -> Result<Vec<RecordedTrace>, TraceStoreError> {
        let search = Search {
            service: Some(service.to_owned()),
            operation: None,
            failed,
            slower_than: None,
            from: self.options.since,
            to: self.recorded_at,
            limit: EACH,
        };
        let mut traces = Vec::new();
        for hit in store.search(&search).await? {
            let trace = match hit.trace {
                Some(trace) => trace,
                None => store.trace(&hit.id).await?,
            };
            traces.push(recorded(trace));
        }
        Ok(traces)
    }
}

/// Names under which the recorded workloads may be known to a store of traces.
fn services(resources: &[RecordedResource]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for resource in resources {
        match (resource.group_version.as_str(), resource.resource.as_str()) {
            ("v1", "services") => names.extend(resource.objects.iter().map(|object| object.name().to_owned())),
            ("v1", "pods") => names.extend(resource.objects.iter().flat_map(|pod| of_pod(&pod.object))),
            _ => {}
        }
    }
    names
}

fn of_pod(pod: &Value) -> Vec<String> {
    let labels = LABELS.iter().filter_map(|label| pod.get("metadata")?.get("labels")?.get(label)?.as_str());
    let spec = pod.get("spec").unwrap_or(&Value::Null);
    let variables = items(spec, "containers").iter().flat_map(|container| items(container, "env"));
    let told = variables.filter(|variable| text(variable, "/name") == "OTEL_SERVICE_NAME");
    let told = told.map(|variable| text(variable, "/value")).filter(|name| !name.is_empty());
    labels.chain(told).map(str::to_owned).collect()
}

fn recorded(trace: Trace) -> RecordedTrace {
    let mut spans: Vec<RecordedSpan> = trace
        .spans
        .into_iter()
        .map(|span| RecordedSpan {
            id: span.id,
            parent: span.parent,
            service: span.service,
            name: span.name,
            start: span.start,
            duration_us: u64::try_from(span.duration.as_micros()).unwrap_or(u64::MAX),
            failure: span.failure,
        })
        .collect();
    spans.sort_by(|a, b| (a.start, &a.id).cmp(&(b.start, &b.id)));
    RecordedTrace { id: trace.id, spans }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_is_known_by_its_labels_and_by_what_its_tracing_is_told() {
        let pod = json!({"metadata": {"labels": {"app": "cart", "tier": "web"}},
            "spec": {"containers": [{"env": [{"name": "OTEL_SERVICE_NAME", "value": "shop-cart"}, {"name": "A", "value": "b"}]}]}});
        assert_eq!(of_pod(&pod), ["cart", "shop-cart"]);
    }
}
