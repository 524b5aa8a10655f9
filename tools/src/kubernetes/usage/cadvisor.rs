//! Use as the kubelets tell it to Prometheus.

use super::{Amount, Scope, Usage, Whose};
use crate::kubernetes::LookError;
use crate::prometheus::Prometheus;

/// Over how long the use of processors is averaged: long enough for a scrape interval of a minute.
const RATE: &str = "5m";

/// Whether Prometheus has what the kubelets tell.
pub(super) async fn served(prometheus: &Prometheus) -> Result<(), String> {
    let query = "count(container_memory_working_set_bytes)";
    match prometheus.instant(query, None).await {
        Ok(found) if found.answer.clone().into_series().is_empty() => {
            Err("Prometheus has no container_memory_working_set_bytes of the kubelets".to_owned())
        }
        Ok(_) => Ok(()),
        Err(error) => Err(format!("Prometheus can't be asked: {error}")),
    }
}

pub(super) async fn read(prometheus: &Prometheus, scope: &Scope) -> Result<Usage, LookError> {
    let (labels, selector) = match scope {
        // The root of all control groups is the whole node.
        Scope::Nodes => ("node, instance", r#"id="/""#.to_owned()),
        Scope::Pods(Some(space)) => {
            ("namespace, pod, container", format!("namespace={space:?}, container!=\"\", container!=\"POD\""))
        }
        Scope::Pods(None) => ("namespace, pod, container", r#"container!="", container!="POD""#.to_owned()),
    };
    let cpu = format!("sum by ({labels}) (rate(container_cpu_usage_seconds_total{{{selector}}}[{RATE}]))");
    // Two series of one container are that of the run before and of this one: the larger is the one that lives.
    let memory = format!("max by ({labels}) (container_memory_working_set_bytes{{{selector}}})");
    let failed = |error: crate::prometheus::PrometheusError| LookError::Backend {
        what: "ask Prometheus for what the kubelets tell".to_owned(),
        why: error.to_string(),
    };
    let (cpu, memory) =
        tokio::try_join!(prometheus.instant(&cpu, None), prometheus.instant(&memory, None)).map_err(failed)?;
    let source = format!("by the kubelets' metrics in Prometheus, processors averaged over {RATE}");
    let mut usage = Usage { source, ..Usage::default() };
    for (answer, is_cpu) in [(cpu.answer, true), (memory.answer, false)] {
        for series in answer.into_series() {
            let label = |name: &str| series.labels.get(name).unwrap_or_default().to_owned();
            let whose = match scope {
                Scope::Nodes => {
                    let node = series.labels.get("node").or_else(|| series.labels.get("instance"));
                    Whose { name: node.unwrap_or_default().to_owned(), ..Whose::default() }
                }
                Scope::Pods(_) => {
                    Whose { namespace: label("namespace"), name: label("pod"), container: label("container") }
                }
            };
            let value = series.points.last().map(|point| point.value).filter(|value| value.is_finite());
            let amount = if is_cpu { Amount { cpu: value, memory: None } } else { Amount { cpu: None, memory: value } };
            let known = usage.used.entry(whose).or_default();
            *known = known.plus(amount);
        }
    }
    Ok(usage)
}
