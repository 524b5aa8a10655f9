//! Finds where series ended.
//!
//! Prometheus gives the samples of a range without its markers of staleness. They are found again from where the
//! series is absent though a sample is recent enough: there a marker must stand between them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::sync::Arc;

use marple_core::Labels;

use crate::bundle::{STALE, Sample, Series};
use crate::promql::LOOKBACK;

/// A gap that is longer than so many hundredths of the usual step may hold a marker.
const GAP_PERCENT: i64 = 150;

/// The times at which each series was present.
pub(super) type Present = BTreeMap<Labels, BTreeSet<i64>>;

/// The step by which presence must be asked for, or nothing where no series has a gap: the shortest usual step.
pub(super) fn step(series: &[Series], until: i64) -> Option<i64> {
    let step = series.iter().filter_map(|series| usual_step(&series.samples)).min()?;
    series.iter().any(|series| !gaps(&series.samples, step, until).is_empty()).then_some(step)
}

/// Puts markers where series ended: at the time of the scrape that missed them where that fits, else where they were
/// first seen absent.
pub(super) fn mark(series: &mut [Series], present: &Present, step: i64, window: RangeInclusive<i64>) {
    let never = BTreeSet::new();
    for Series { labels, samples } in series {
        let present = present.get(labels.as_ref()).unwrap_or(&never);
        let usual = usual_step(samples).unwrap_or(step);
        let markers: Vec<Sample> = gaps(samples, step, *window.end())
            .into_iter()
            .filter_map(|(from, to)| {
                let asked = |at: i64| window.start() + (at - window.start()).div_euclid(step) * step;
                let until = to.min(from + LOOKBACK);
                let absent = (1..).map(|count| asked(from) + count * step).take_while(|at| *at < until);
                let absent = absent.into_iter().find(|at| !present.contains(at))?;
                let missed = from + usual;
                Some(Sample {
                    at: if (absent - step..=absent).contains(&missed) { missed } else { absent },
                    value: STALE,
                })
            })
            .collect();
        let samples = Arc::make_mut(samples);
        samples.extend(markers);
        samples.sort_by_key(|sample| sample.at);
    }
}

/// The median of the steps: scrapes that failed and restarts don't count.
fn usual_step(samples: &[Sample]) -> Option<i64> {
    let mut steps: Vec<i64> = samples.windows(2).filter_map(|pair| Some(pair.get(1)?.at - pair.first()?.at)).collect();
    steps.sort_unstable();
    steps.get(steps.len() / 2).copied().filter(|step| *step > 0)
}

/// The gaps, the one to the end of the window among them: after which sample, and before what.
fn gaps(samples: &[Sample], step: i64, until: i64) -> Vec<(i64, i64)> {
    let starts = samples.iter().map(|sample| sample.at);
    // One past the window, so that the window's end itself can be absent.
    let ends = samples.iter().skip(1).map(|sample| sample.at).chain([until + 1]);
    starts.zip(ends).filter(|(from, to)| (to - from) * 100 > step * GAP_PERCENT).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(times: &[i64]) -> Series {
        let samples: Vec<Sample> = times.iter().map(|at| Sample { at: *at, value: 1.0 }).collect();
        let labels: Labels = [("__name__", "up")].into_iter().collect();
        Series { labels: labels.into(), samples: samples.into() }
    }

    #[test]
    fn a_series_without_gaps_needs_no_question() {
        assert_eq!(step(&[series(&[0, 5, 10, 15])], 17), None);
        assert_eq!(step(&[series(&[0, 5, 10, 15])], 40), Some(5));
    }

    #[test]
    fn a_marker_stands_at_the_scrape_that_missed_the_series() {
        let mut all = [series(&[2, 7, 12, 42, 47])];
        let present = BTreeMap::from([(all[0].labels.as_ref().clone(), BTreeSet::from([5, 10, 15, 45, 50]))]);
        mark(&mut all, &present, 5, 0..=50);
        let expected: Vec<(i64, bool)> =
            vec![(2, false), (7, false), (12, false), (17, true), (42, false), (47, false)];
        assert_eq!(all[0].samples.iter().map(|sample| (sample.at, sample.is_stale())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_series_that_is_only_scraped_late_is_not_ended() {
        let mut all = [series(&[0, 5, 10, 30])];
        let present = BTreeMap::from([(all[0].labels.as_ref().clone(), (0..=6).map(|n| n * 5).collect())]);
        mark(&mut all, &present, 5, 0..=30);
        assert_eq!(all[0].samples.len(), 4);
    }
}
