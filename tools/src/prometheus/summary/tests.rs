use std::time::Duration;

use marple_core::Labels;
use proptest::prelude::*;

use super::*;

const MINUTE: Duration = Duration::from_mins(1);

fn start() -> Timestamp {
    "2026-01-02T03:00:00Z".parse().unwrap()
}

fn at(minute: usize) -> Timestamp {
    start() + MINUTE * u32::try_from(minute).unwrap()
}

/// A value each minute; none where there is nothing.
fn series(values: &[Option<f64>]) -> (Series, Window) {
    let points = values.iter().enumerate();
    let points = points.filter_map(|(minute, value)| value.map(|value| Point { at: at(minute), value })).collect();
    let window = Window { start: start(), end: at(values.len() - 1), step: MINUTE };
    (Series { labels: Labels::new(), points, histograms: 0 }, window)
}

fn summary(values: &[f64]) -> Summary {
    let (series, window) = series(&values.iter().copied().map(Some).collect::<Vec<_>>());
    Summary::of(&series, window).unwrap()
}

#[test]
fn a_summary_tells_the_extremes_and_when() {
    let summary = summary(&[2.0, 1.0, 4.0, 1.0, 4.0, 3.0]);
    let point = |minute: usize, value: f64| Point { at: at(minute), value };
    assert_eq!((summary.min, summary.max), (point(1, 1.0), point(2, 4.0)));
    assert_eq!((summary.first, summary.last, summary.mean), (point(0, 2.0), point(5, 3.0), 2.5));
    assert_eq!(summary.jump, Some(Jump { before: point(1, 1.0), after: point(2, 4.0) }));
    assert_eq!((summary.trend, summary.gaps.len(), summary.not_numbers), (Trend::Varying, 0, 0));
}

#[test]
fn trends_are_those_that_a_person_sees() {
    let steady: Vec<f64> = (0..40).map(|minute| 100.0 + f64::from(minute % 3) * 0.5).collect();
    let leak: Vec<f64> = (0..40).map(|minute| f64::from(minute) * 10.0 + f64::from(minute % 4) * 7.0).collect();
    let sawtooth: Vec<f64> = (0..40).map(|minute| f64::from(minute % 7)).collect();
    let level = |low: f64, high: f64| -> Vec<f64> {
        (0..40).map(|minute| if minute < 25 { low } else { high } + f64::from(minute % 3) * 0.01).collect()
    };
    let falling: Vec<f64> = leak.iter().map(|value| 500.0 - value).collect();
    assert_eq!(summary(&[7.0; 9]).trend, Trend::Constant);
    assert_eq!(summary(&[7.0]).trend, Trend::Constant);
    assert_eq!(summary(&steady).trend, Trend::Flat);
    assert_eq!(summary(&leak).trend, Trend::Rising);
    assert_eq!(summary(&falling).trend, Trend::Falling);
    assert_eq!(summary(&sawtooth).trend, Trend::Varying);
    let up = summary(&level(0.1, 0.9));
    assert_eq!((up.trend, up.jump.unwrap().after.at), (Trend::Step, at(25)));
    assert_eq!(summary(&level(0.9, 0.1)).trend, Trend::Step);
    // A spike goes back to where it was: no new level.
    let spike: Vec<f64> = (0..40).map(|minute| if minute == 20 { 90.0 } else { 10.0 }).collect();
    assert_eq!(summary(&spike).trend, Trend::Varying);
    // One restart more among a thousand is no noise.
    assert_eq!(summary(&[1000.0, 1000.0, 1000.0, 1001.0, 1001.0]).trend, Trend::Step);
    assert_eq!(summary(&[0.0, 0.0, 1.0, 2.0, 2.0, 3.0, 4.0]).trend, Trend::Rising);
}

#[test]
fn gaps_are_found_at_the_ends_and_between() {
    let some = Some(1.0);
    let (series, window) = series(&[None, None, some, some, None, None, some, None]);
    let summary = Summary::of(&series, window).unwrap();
    assert_eq!(summary.gaps, [(at(0), at(2)), (at(3), at(6)), (at(6), at(7))]);
    assert!(!summary.is_dull());
}

#[test]
fn what_is_no_number_is_counted_and_is_no_gap() {
    let (mixed, window) = series(&[Some(f64::NAN), Some(1.0), Some(f64::INFINITY), Some(3.0)]);
    let summary = Summary::of(&mixed, window).unwrap();
    assert_eq!((summary.not_numbers, summary.mean, summary.gaps.len()), (2, 2.0, 0));
    assert_eq!((summary.min.value, summary.max.value), (1.0, 3.0));
    let (nothing, window) = series(&[Some(f64::NAN), None, Some(f64::NEG_INFINITY)]);
    assert_eq!(Summary::of(&nothing, window), None);
}

#[test]
fn the_points_that_tell_most_are_shown() {
    let mut values: Vec<f64> = (0..61).map(|minute| 10.0 + f64::from(minute % 2)).collect();
    values[17] = 99.0;
    values[44] = -5.0;
    let summary = summary(&values);
    let minutes: Vec<i64> =
        summary.points.iter().map(|point| (point.at.as_second() - start().as_second()) / 60).collect();
    for wanted in [0, 16, 17, 44, 60] {
        assert!(minutes.contains(&wanted), "{wanted} in {minutes:?}");
    }
    assert!(minutes.len() <= 12 && minutes.is_sorted(), "{minutes:?}");
}

proptest! {
    #[test]
    fn a_summary_holds_for_any_values(values in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 1..130)) {
        let (series, window) = series(&values);
        let finite: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
        match Summary::of(&series, window) {
            None => prop_assert!(finite.is_empty()),
            Some(summary) => {
                prop_assert!(finite.iter().all(|value| (summary.min.value..=summary.max.value).contains(value)));
                prop_assert!(summary.points.len() <= SHOWN && !summary.points.is_empty());
                prop_assert!(summary.points.iter().all(|point| series.points.contains(point)));
                prop_assert_eq!(summary.first.value.to_bits(), finite[0].to_bits());
                prop_assert!(!summary.change().is_nan());
            }
        }
    }
}
