//! Series over a stretch of time, in words.

use jiff::Timestamp;
use marple_core::Labels;

use super::number::Unit;
use super::summary::{Summary, Trend};
use super::{Series, Window, labels};

/// The most gaps of a series that are told one by one.
const GAPS: usize = 3;

/// The most series whose points are all kept: together with the others' summaries still a few megabytes.
const WHOLE: usize = 500;

/// Series over a window, those that changed most first.
pub(super) struct Report<'a> {
    window: Window,
    unit: Unit,
    common: Labels,
    series: Vec<(&'a Series, Option<Summary>)>,
}

impl<'a> Report<'a> {
    pub(super) fn new(series: &'a [Series], window: Window, unit: Unit) -> Self {
        let common = labels::common(series.iter().map(|series| &series.labels));
        let mut series: Vec<_> = series.iter().map(|series| (series, Summary::of(series, window))).collect();
        let order = |summary: &Option<Summary>| {
            let told = summary.as_ref().map(|summary| (summary.change(), summary.max.value - summary.min.value));
            told.unwrap_or((-1.0, 0.0))
        };
        series.sort_by(|(left, left_summary), (right, right_summary)| {
            let ((change, range), (other_change, other_range)) = (order(left_summary), order(right_summary));
            let by_size = other_change.total_cmp(&change).then(other_range.total_cmp(&range));
            by_size.then_with(|| left.labels.cmp(&right.labels))
        });
        Self { window, unit, common, series }
    }

    /// At most so many series, each in a few lines, and how many there are beyond them.
    pub(super) fn brief(&self, most: usize) -> String {
        let mut text = labels::common_line(&self.common);
        for (series, summary) in self.series.iter().take(most) {
            text += &self.told(series, summary.as_ref());
        }
        let more = self.series.len().saturating_sub(most);
        if more > 0 {
            text += &format!("… {more} more series left out, which changed less …\n");
        }
        text
    }

    /// All series with all points, after the brief lines of each: what is quoted of a brief view stands here too.
    pub(super) fn whole(&self) -> String {
        let mut text = self.brief(usize::MAX);
        let long = |series: &&&(&Series, Option<Summary>)| {
            series.1.as_ref().is_some_and(|summary| summary.points.len() < series.0.points.len())
        };
        let kept: Vec<_> = self.series.iter().take(WHOLE).collect();
        for (series, _) in kept.iter().filter(long) {
            let points: Vec<String> = series.points.iter().map(|point| self.point(point.at, point.value)).collect();
            text += &format!("all points of {}: {}\n", self.name(series), points.join(", "));
        }
        let more = self.series.len().saturating_sub(WHOLE);
        if more > 0 {
            text += &format!("… not all points of the last {more} series are kept …\n");
        }
        text
    }

    fn name(&self, series: &Series) -> String {
        let name = labels::told(&series.labels, &self.common);
        if name.is_empty() { "the value".to_owned() } else { name }
    }

    fn point(&self, at: Timestamp, value: f64) -> String {
        format!("{} {}", self.window.told(at), self.unit.told(value))
    }

    fn told(&self, series: &Series, summary: Option<&Summary>) -> String {
        let name = self.name(series);
        let (value, time) = (|value| self.unit.told(value), |at| self.window.told(at));
        let Some(summary) = summary else {
            let what = if series.histograms > 0 { "histograms, no numbers" } else { "values, none a finite number" };
            return format!("{name}: {} {what}\n", series.points.len() + series.histograms);
        };
        if summary.is_dull() {
            return format!("{name}: {} all the time\n", value(summary.last.value));
        }
        let mut text = format!("{name}: {}", self.trend(summary));
        if summary.trend != Trend::Constant {
            text += &format!(
                "; min {} at {}, max {} at {}, mean {}, first {}, last {}",
                value(summary.min.value),
                time(summary.min.at),
                value(summary.max.value),
                time(summary.max.at),
                value(summary.mean),
                value(summary.first.value),
                value(summary.last.value)
            );
        }
        if summary.not_numbers > 0 {
            text += &format!("; {} values are no finite numbers", summary.not_numbers);
        }
        text += &self.gaps(summary);
        text.push('\n');
        if summary.trend != Trend::Constant {
            let points: Vec<String> = summary.points.iter().map(|point| self.point(point.at, point.value)).collect();
            text += &format!("  {}\n", points.join(", "));
        }
        text
    }

    fn trend(&self, summary: &Summary) -> String {
        let word = match summary.trend {
            Trend::Constant => return format!("{} whenever there is a value", self.unit.told(summary.last.value)),
            Trend::Flat => return "flat".to_owned(),
            Trend::Step => "step",
            Trend::Rising => "rising",
            Trend::Falling => "falling",
            Trend::Varying => "varying",
        };
        let Some(jump) = summary.jump else { return word.to_owned() };
        let (from, to) = (self.unit.told(jump.before.value), self.unit.told(jump.after.value));
        let at = self.window.told(jump.after.at);
        match (summary.trend, jump.after.value > jump.before.value) {
            (Trend::Step, true) => format!("step up at {at} from {from} to {to}"),
            (Trend::Step, false) => format!("step down at {at} from {from} to {to}"),
            _ => format!("{word}, largest jump at {at} from {from} to {to}"),
        }
    }

    fn gaps(&self, summary: &Summary) -> String {
        if summary.gaps.is_empty() {
            return String::new();
        }
        let told = summary.gaps.iter().take(GAPS).map(|(from, to)| {
            let (start, end) = (self.window.told(*from), self.window.told(*to));
            match (*from == self.window.start, *to == self.window.end) {
                (true, _) => format!("before {end}"),
                (false, true) => format!("after {start}"),
                (false, false) => format!("from {start} to {end}"),
            }
        });
        let told: Vec<String> = told.collect();
        let more = summary.gaps.len().saturating_sub(GAPS);
        let more = if more > 0 { format!(" and in {more} more gaps") } else { String::new() };
        format!("; no values {}{more}", told.join(", "))
    }
}

/// The line over a report: which time it is about, and where the incident began in it.
pub(super) fn heading(window: Window, incident_start: Option<Timestamp>) -> String {
    let step = marple_core::Period::from(window.step);
    let start = incident_start.map(|start| format!("; the incident began {start:.0}")).unwrap_or_default();
    format!("from {:.0} to {:.0}, a value each {step}, times in UTC{start}\n", window.start, window.end)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::prometheus::Point;

    fn series(pod: &str, values: &[(u64, f64)]) -> Series {
        let start = window().start;
        let points =
            values.iter().map(|(minute, value)| Point { at: start + Duration::from_mins(*minute), value: *value });
        Series {
            labels: [("namespace", "shop"), ("pod", pod)].into_iter().collect(),
            points: points.collect(),
            histograms: 0,
        }
    }

    fn window() -> Window {
        let start: Timestamp = "2026-01-02T03:00:00Z".parse().unwrap();
        Window { start, end: start + Duration::from_mins(4), step: Duration::from_mins(1) }
    }

    #[test]
    fn what_changed_most_is_told_first_and_what_did_not_in_one_line() {
        let all = [
            series("quiet", &[(0, 0.0), (1, 0.0), (2, 0.0), (3, 0.0), (4, 0.0)]),
            series("broken", &[(0, f64::NAN), (1, f64::NAN)]),
            series("stepped", &[(0, 0.25), (1, 0.25), (2, 0.75), (3, 0.75), (4, 0.76)]),
            series("late", &[(3, 1.0), (4, 1.0)]),
        ];
        let report = Report::new(&all, window(), Unit::Share);
        assert_eq!(
            report.brief(9),
            "all have namespace=\"shop\"\n\
             pod=\"stepped\": step up at 03:02 from 25% to 75%; min 25% at 03:00, max 76% at 03:04, mean 55.2%, first 25%, last 76%\n\
             \x20 03:00 25%, 03:01 25%, 03:02 75%, 03:03 75%, 03:04 76%\n\
             pod=\"late\": 100% whenever there is a value; no values before 03:03\n\
             pod=\"quiet\": 0% all the time\n\
             pod=\"broken\": 2 values, none a finite number\n"
        );
        assert!(report.brief(1).ends_with("… 3 more series left out, which changed less …\n"));
    }

    #[test]
    fn the_whole_holds_every_line_of_the_view_and_every_point() {
        let mut long = series("long", &[]);
        long.points = (0..50_u32)
            .map(|minute| Point {
                at: window().start + Duration::from_mins(u64::from(minute)),
                value: f64::from(minute),
            })
            .collect();
        let all = [long, series("other", &[(0, 1.0)])];
        let report =
            Report::new(&all, Window { end: window().start + Duration::from_mins(49), ..window() }, Unit::Plain);
        let (brief, whole) = (report.brief(2), report.whole());
        assert!(whole.starts_with(&brief));
        assert!(whole.contains("all points of pod=\"long\": 03:00 0, 03:01 1, 03:02 2,"), "{whole}");
        assert_eq!(brief.lines().nth(2).unwrap().split(", ").count(), 12);
    }
}
