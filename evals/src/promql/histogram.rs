//! Quantiles of classic histograms.

use std::collections::HashMap;
use std::sync::Arc;

use marple_core::Labels;

use super::metric::{NAME, keep};
use super::store::Element;

/// The label that holds a bucket's upper bound.
const BUCKET: &str = "le";

/// Counts that differ by less, relatively, are equal: sums of rates are not exact.
const TOLERANCE: f64 = 1e-12;

/// A cumulative bucket.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    bound: f64,
    count: f64,
}

/// The quantile of each histogram among the elements. What is no bucket is left out.
pub(super) fn quantile(q: f64, elements: Vec<Element>) -> Vec<Element> {
    let mut histograms: Vec<(Labels, Vec<Bucket>)> = Vec::new();
    let mut index: HashMap<Labels, usize> = HashMap::new();
    for Element { labels, value } in elements {
        let Some(bound) = labels.get(BUCKET).and_then(|text| text.parse::<f64>().ok()).filter(|bound| !bound.is_nan())
        else {
            continue;
        };
        // Two metrics are two histograms, though their names are dropped.
        let place = *index.entry(keep(&labels, |name| name != BUCKET)).or_insert_with_key(|key| {
            histograms.push((keep(key, |name| name != NAME), Vec::new()));
            histograms.len() - 1
        });
        if let Some((_, buckets)) = histograms.get_mut(place) {
            buckets.push(Bucket { bound, count: value });
        }
    }
    let of = |(labels, buckets)| Element { labels: Arc::new(labels), value: of_buckets(q, buckets) };
    histograms.into_iter().map(of).collect()
}

fn of_buckets(q: f64, mut buckets: Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if q < 0.0 {
        return f64::NEG_INFINITY;
    }
    if q > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    let buckets = monotonic(merged(buckets));
    let [lower @ .., last] = buckets.as_slice() else { return f64::NAN };
    let Some(highest) = lower.last() else { return f64::NAN };
    if last.bound != f64::INFINITY || last.count == 0.0 {
        return f64::NAN;
    }
    let rank = q * last.count;
    let place = lower.partition_point(|bucket| bucket.count < rank);
    let Some(bucket) = lower.get(place) else { return highest.bound };
    match place.checked_sub(1).and_then(|before| lower.get(before)) {
        // Below the first bucket lies zero, unless the bucket is of negative values.
        None if bucket.bound <= 0.0 => bucket.bound,
        None => bucket.bound * (rank / bucket.count),
        Some(before) => {
            before.bound + (bucket.bound - before.bound) * ((rank - before.count) / (bucket.count - before.count))
        }
    }
}

/// Buckets of one bound as one.
#[expect(clippy::float_cmp, reason = "bounds are written, not computed")]
fn merged(buckets: Vec<Bucket>) -> Vec<Bucket> {
    let mut out: Vec<Bucket> = Vec::with_capacity(buckets.len());
    for bucket in buckets {
        match out.last_mut() {
            Some(last) if last.bound == bucket.bound => last.count += bucket.count,
            _ => out.push(bucket),
        }
    }
    out
}

/// Counts that never fall: what does is an error of rounding, or of buckets scraped at different times.
fn monotonic(mut buckets: Vec<Bucket>) -> Vec<Bucket> {
    let mut before = f64::NAN;
    for bucket in &mut buckets {
        let equal = (bucket.count - before).abs() / (bucket.count.abs() + before.abs()).min(f64::MAX) < TOLERANCE;
        if equal || bucket.count < before {
            bucket.count = before;
        } else {
            before = bucket.count;
        }
    }
    buckets
}
