#![allow(clippy::unwrap_used, missing_docs)]

use std::time::Duration;

use super::*;
use crate::prometheus::Point;

fn series(pod: &str, values: &[(u64, f64)]) -> Series {
    let start = window(0).start;
    let points = values.iter().map(|(minute, value)| Point { at: start + Duration::from_mins(*minute), value: *value });
    Series {
        labels: [("namespace", "shop"), ("pod", pod)].into_iter().collect(),
        points: points.collect(),
        histograms: 0,
    }
}

fn window(minutes: u64) -> Window {
    let start: Timestamp = "2026-01-02T03:00:00Z".parse().unwrap();
    Window { start, end: start + Duration::from_mins(minutes), step: Duration::from_mins(1) }
}

#[test]
fn what_changed_most_is_told_first_and_what_did_not_in_one_line() {
    let all = [
        series("quiet", &[(0, 0.0), (1, 0.0), (2, 0.0), (3, 0.0), (4, 0.0)]),
        series("broken", &[(0, f64::NAN), (1, f64::NAN)]),
        series("stepped", &[(0, 0.25), (1, 0.25), (2, 0.75), (3, 0.75), (4, 0.76)]),
        series("late", &[(3, 1.0), (4, 1.0)]),
    ];
    let report = Report::new(&all, window(4), Unit::Share);
    assert_eq!(
        report.brief(9),
        "all have namespace=\"shop\"\n\
         pod=\"stepped\": step up at 03:02 from 25% to 75%\n\
         pod=\"late\": 100% whenever there is a value; no values before 03:03\n\
         pod=\"quiet\": 0% all the time\n\
         pod=\"broken\": 2 values, none a finite number\n"
    );
    assert!(report.brief(1).ends_with("… 3 more series left out, which changed less …\n"));
    assert_eq!(
        report.whole().lines().nth(2).unwrap(),
        "  03:00 25% ×2, 75% ×2, 76%",
        "each point once, and what repeats itself counted"
    );
}

#[test]
fn series_of_which_the_same_can_be_said_are_one_line() {
    let all: Vec<Series> = (0..9).map(|pod| series(&format!("p{pod}"), &[(0, 1.0), (1, 1.0), (2, 1.0)])).collect();
    let brief = Report::new(&all, window(2), Unit::Plain).brief(1);
    assert_eq!(
        brief,
        "all have namespace=\"shop\"\n9 series, each 1 all the time: pod=\"p0\", pod=\"p1\", pod=\"p2\", pod=\"p3\", \
         pod=\"p4\", pod=\"p5\", and 3 more\n"
    );
}

#[test]
fn a_slope_its_extremes_and_gaps_are_told() {
    let slope: Vec<(u64, f64)> = (0..12_u32).map(|minute| (u64::from(minute), f64::from(minute))).collect();
    let pulse = |minute: u64| if (20..28).contains(&minute) { 9.0 } else { 2.0 };
    let mut pulsed: Vec<(u64, f64)> = (0..40).map(|minute| (minute, pulse(minute))).collect();
    pulsed.remove(5);
    pulsed.remove(5);
    let one = |values: &[(u64, f64)], minutes: u64| {
        Report::new(&[series("a", values)], window(minutes), Unit::Plain).brief(1)
    };
    assert_eq!(one(&slope, 11), "namespace=\"shop\" pod=\"a\": rising from 0 to 11, mean 5.5\n");
    assert_eq!(
        one(&pulsed, 39),
        "namespace=\"shop\" pod=\"a\": step up at 03:20 from 2 to 9, step down at 03:28 from 9 to 2; no values from 03:04 to \
         03:07\n"
    );
}

#[test]
fn the_whole_holds_every_line_of_the_view_and_every_point() {
    let long: Vec<(u64, f64)> =
        (0..50_u32).map(|minute| (u64::from(minute), f64::from(minute * minute % 17))).collect();
    let all = [series("long", &long), series("other", &[(0, 1.0)])];
    let report = Report::new(&all, window(49), Unit::Plain);
    let (brief, whole) = (report.brief(2), report.whole());
    assert!(brief.lines().all(|line| whole.contains(line)), "{brief}\n{whole}");
    assert!(whole.contains("  03:00 0, 1, 4, 9, 16, 8, 2, 15, 13 ×2, 15, 03:11 2"), "{whole}");
    assert!(brief.contains("; means of eight equal parts: "), "{brief}");
}
