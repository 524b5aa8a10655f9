//! Label sets of results.

use std::sync::Arc;

use marple_core::Labels;

/// The label that holds a metric's name.
pub(super) const NAME: &str = "__name__";

/// The labels without the metric's name.
pub(super) fn nameless(labels: &Arc<Labels>) -> Arc<Labels> {
    if labels.get(NAME).is_none() { Arc::clone(labels) } else { Arc::new(keep(labels, |name| name != NAME)) }
}

/// The labels whose names are wanted.
pub(super) fn keep(labels: &Labels, wanted: impl Fn(&str) -> bool) -> Labels {
    labels.iter().filter(|(name, _)| wanted(name)).collect()
}

/// The labels with one set, or without it where the value is empty: to Prometheus that is the same.
pub(super) fn set(labels: &Labels, name: &str, value: &str) -> Labels {
    let mut changed = keep(labels, |other| other != name);
    if !value.is_empty() {
        changed.insert(name, value);
    }
    changed
}
