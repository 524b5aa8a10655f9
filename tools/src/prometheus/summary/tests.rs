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
    let parts = Parts { jump: Some((point(1, 1.0), point(2, 4.0))), means: Vec::new() };
    assert_eq!((summary.course, summary.gaps.len(), summary.not_numbers), (Course::Varying(parts), 0, 0));
}

#[test]
fn courses_are_those_that_a_person_sees() {
    let steady: Vec<f64> = (0..40).map(|minute| 100.0 + f64::from(minute % 3) * 0.5).collect();
    let leak: Vec<f64> = (0..40).map(|minute| f64::from(minute) * 10.0 + f64::from(minute % 4) * 7.0).collect();
    let sawtooth: Vec<f64> = (0..40).map(|minute| f64::from(minute % 7)).collect();
    let falling: Vec<f64> = leak.iter().map(|value| 500.0 - value).collect();
    assert_eq!(summary(&[7.0; 9]).course, Course::Constant);
    assert_eq!(summary(&[7.0]).course, Course::Constant);
    assert_eq!(summary(&steady).course, Course::Flat);
    assert_eq!(summary(&leak).course, Course::Rising);
    assert_eq!(summary(&falling).course, Course::Falling);
    let Course::Varying(parts) = summary(&sawtooth).course else { panic!() };
    assert_eq!(parts.means.len(), 8);
    // A spike goes back to where it was: no new level.
    let spike: Vec<f64> = (0..40).map(|minute| if minute == 20 { 90.0 } else { 10.0 }).collect();
    let Course::Varying(parts) = summary(&spike).course else { panic!() };
    assert_eq!(parts.jump.unwrap().1, Point { at: at(20), value: 90.0 });
    assert_eq!(summary(&[0.0, 0.0, 1.0, 2.0, 2.0, 3.0, 4.0]).course, Course::Rising);
}

#[test]
fn levels_are_told_with_when_each_began() {
    let level = |low: f64, high: f64| -> Vec<f64> {
        (0..40).map(|minute| if minute < 25 { low } else { high } + f64::from(minute % 3) * 0.01).collect()
    };
    let shift = |from: f64, to: f64, minute: usize| Shift { from, to, left: at(minute), there: at(minute) };
    let Course::Levels(up) = summary(&level(0.1, 0.9)).course else { panic!() };
    assert_eq!(up.iter().map(|shift| (shift.left, shift.from < shift.to)).collect::<Vec<_>>(), [(at(25), true)]);
    let Course::Levels(down) = summary(&level(0.9, 0.1)).course else { panic!() };
    assert_eq!(down.iter().map(|shift| (shift.left, shift.from < shift.to)).collect::<Vec<_>>(), [(at(25), false)]);
    // One restart more among a thousand is no noise, also where it came with the last values.
    let restarted = summary(&[1000.0, 1000.0, 1000.0, 1001.0, 1001.0]).course;
    assert_eq!(restarted, Course::Levels(vec![shift(1000.0, 1001.0, 3)]));
}

#[test]
fn gaps_are_found_at_the_ends_and_between() {
    let some = Some(1.0);
    let (series, window) = series(&[None, None, some, some, None, None, some, None]);
    let summary = Summary::of(&series, window).unwrap();
    assert_eq!(summary.gaps, [(at(0), at(2)), (at(3), at(6)), (at(6), at(7))]);
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

proptest! {
    #[test]
    fn a_summary_holds_for_any_values(values in prop::collection::vec(prop::option::of(prop::num::f64::ANY), 1..130)) {
        let (series, window) = series(&values);
        let finite: Vec<f64> = values.iter().flatten().copied().filter(|value| value.is_finite()).collect();
        match Summary::of(&series, window) {
            None => prop_assert!(finite.is_empty()),
            Some(summary) => {
                prop_assert!(finite.iter().all(|value| (summary.min.value..=summary.max.value).contains(value)));
                if let Course::Levels(shifts) = &summary.course {
                    prop_assert!((1..=3).contains(&shifts.len()));
                }
                prop_assert_eq!(summary.first.value.to_bits(), finite[0].to_bits());
                prop_assert!(!summary.change().is_nan());
            }
        }
    }
}
