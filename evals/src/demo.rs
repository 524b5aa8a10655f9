//! The outage that `marple demo` replays.

use crate::bundle::{Bundle, BundleError};

/// A ledger whose memory limit was cut below what it holds, and all that asks it, in two namespaces; a minute before,
/// something unrelated was shipped. Recorded on the test cluster.
pub fn demo_bundle() -> Result<Bundle, BundleError> {
    Bundle::from_bytes(include_bytes!("../bundles/ledger-outage.bundle"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_outage_of_the_demo_raised_twelve_alerts_or_more_in_two_namespaces() {
        let bundle = demo_bundle().unwrap();
        let alerts = bundle.alertmanager.payloads.iter().filter_map(|payload| payload.body.get("alerts")?.as_array());
        let labels: BTreeSet<String> = alerts.flatten().map(|alert| alert["labels"].to_string()).collect();
        let namespaces: BTreeSet<&str> = bundle.manifest.namespaces.iter().map(String::as_str).collect();
        assert!(labels.len() >= 12, "{labels:?}");
        assert_eq!(namespaces, BTreeSet::from(["payments", "shop"]));
        for namespace in namespaces {
            assert!(
                labels.iter().any(|labels| labels.contains(&format!("\"namespace\":\"{namespace}\""))),
                "{namespace}"
            );
        }
        assert!(!bundle.changes.is_empty(), "it keeps what changed");
    }
}
