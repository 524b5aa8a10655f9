//! A namespace: its quotas and the pods that aren't well.

use serde_json::Value;

use super::Page;
use crate::kubernetes::clock::Clock;
use crate::kubernetes::field::{entries, name, plain};
use crate::kubernetes::{Cluster, LookError, pods};

/// The most pods and quotas that are listed.
const LISTED: usize = 20;

/// What lives in a namespace.
pub(crate) struct Contents {
    pods: Result<Vec<Value>, LookError>,
    quotas: Result<Vec<Value>, LookError>,
    ranges: Result<Vec<Value>, LookError>,
}

/// Reads what lives in a namespace.
pub(crate) async fn contents(cluster: &Cluster, namespace: &str) -> Contents {
    let (mut pods, quotas, ranges) = tokio::join!(
        cluster.list("v1/Pod", Some(namespace), None, None, 1_000),
        cluster.list("v1/ResourceQuota", Some(namespace), None, None, 100),
        cluster.list("v1/LimitRange", Some(namespace), None, None, 100),
    );
    if let Ok(pods) = &mut pods {
        pods::worst_first(pods);
    }
    Contents { pods, quotas, ranges }
}

/// Tells what lives in a namespace and isn't well.
pub(crate) fn namespace(page: &mut Page, contents: Contents, clock: Clock) {
    if let Some(quotas) = page.seen("quotas", contents.quotas) {
        let lines: Vec<String> = quotas.iter().map(quota).collect();
        page.section("quotas", &lines, LISTED, None);
    }
    if let Some(ranges) = page.seen("limit ranges", contents.ranges) {
        let lines: Vec<String> = ranges.iter().map(|range| name(range).to_owned()).collect();
        page.section("limit ranges", &lines, LISTED, None);
    }
    if let Some(pods) = page.seen("pods", contents.pods) {
        let unwell: Vec<String> = pods
            .iter()
            .filter(|pod| pods::Summary::of(pod).health() < pods::Health::Restarted)
            .map(|pod| pods::line(pod, clock))
            .collect();
        let title = format!("pods that are not well, the worst first ({} of {})", unwell.len(), pods.len());
        page.section(&title, &unwell, LISTED, Some("none"));
    }
}

/// As `small: pods 7 of 12, requests.cpu 2 of 2 (full)`.
pub(crate) fn quota(quota: &Value) -> String {
    let used = |resource: &str| {
        entries(quota, "/status/used")
            .find(|(name, _)| *name == resource)
            .map_or_else(|| "0".to_owned(), |(_, used)| plain(used))
    };
    let mut parts: Vec<String> = entries(quota, "/spec/hard")
        .map(|(resource, hard)| {
            let (used, hard) = (used(resource), plain(hard));
            let full = if used == hard { " (full)" } else { "" };
            format!("{resource} {used} of {hard}{full}")
        })
        .collect();
    parts.sort_unstable();
    format!("{}: {}", name(quota), parts.join(", "))
}
