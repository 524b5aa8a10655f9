//! Finds samples.

use std::sync::Arc;

use marple_core::Labels;

use super::plan::Selector;
use super::store::{Points, Store};
use crate::bundle::Sample;

/// How far back an instant selector looks for a sample (`--query.lookback-delta`), in milliseconds.
pub const LOOKBACK: i64 = 5 * 60 * 1000;

/// The latest sample of each series at a time, unless the series has ended or fallen silent.
pub(super) fn latest(store: &Store, selector: &Selector, at: i64) -> Vec<(Arc<Labels>, Sample)> {
    let at = selector.moment.of(at);
    let latest = |index: &usize| {
        let series = store.series(*index)?;
        let after = series.samples.partition_point(|sample| sample.at <= at);
        let sample = *series.samples.get(after.checked_sub(1)?)?;
        (sample.at > at.saturating_sub(LOOKBACK) && !sample.is_stale()).then(|| (Arc::clone(&series.labels), sample))
    };
    selector.series.iter().filter_map(latest).collect()
}

/// The samples of each series after `start` and up to `end`; series without any are left out.
pub(super) fn between(store: &Store, series: &[usize], start: i64, end: i64) -> Vec<Points> {
    let between = |index: &usize| {
        let series = store.series(*index)?;
        let from = series.samples.partition_point(|sample| sample.at <= start);
        let to = series.samples.partition_point(|sample| sample.at <= end);
        let samples = series.samples.get(from..to).unwrap_or_default().iter().filter(|sample| !sample.is_stale());
        let points: Vec<(i64, f64)> = samples.map(|sample| (sample.at, sample.value)).collect();
        (!points.is_empty()).then(|| Points { labels: Arc::clone(&series.labels), points })
    };
    series.iter().filter_map(between).collect()
}
