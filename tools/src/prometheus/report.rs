//! Series over a stretch of time, in words.

use std::collections::BTreeMap;

use jiff::Timestamp;
use marple_core::Labels;

use super::number::Unit;
use super::summary::{Course, Parts, Shift, Summary};
use super::{Series, Window, labels};

/// The most gaps of a series that are told one by one.
const GAPS: usize = 3;

/// The most names that are told of series that went alike.
const NAMES: usize = 6;

/// The most series whose points are all kept: together with the others' summaries still a few megabytes.
const WHOLE: usize = 500;

/// Points between two times in a row of them.
const ROW: usize = 10;

/// Series over a window, those that changed most first.
pub(super) struct Report<'a> {
    window: Window,
    unit: Unit,
    common: Labels,
    /// Series that went alike are one.
    alike: Vec<Alike<'a>>,
}

/// Series of which the same can be said.
struct Alike<'a> {
    told: String,
    series: Vec<&'a Series>,
}

impl<'a> Report<'a> {
    pub(super) fn new(series: &'a [Series], window: Window, unit: Unit) -> Self {
        let common = labels::common(series.iter().map(|series| &series.labels));
        let mut all: Vec<_> = series.iter().map(|series| (series, Summary::of(series, window))).collect();
        let order = |summary: &Option<Summary>| {
            let told = summary.as_ref().map(|summary| (summary.change(), summary.max.value - summary.min.value));
            told.unwrap_or((-1.0, 0.0))
        };
        all.sort_by(|(left, left_summary), (right, right_summary)| {
            let ((change, range), (other_change, other_range)) = (order(left_summary), order(right_summary));
            let by_size = other_change.total_cmp(&change).then(other_range.total_cmp(&range));
            by_size.then_with(|| left.labels.cmp(&right.labels))
        });
        let mut report = Self { window, unit, common, alike: Vec::new() };
        let mut places: BTreeMap<String, usize> = BTreeMap::new();
        for (series, summary) in all {
            let told = report.told(series, summary.as_ref());
            let place = *places.entry(told.clone()).or_insert(report.alike.len());
            match report.alike.get_mut(place) {
                Some(alike) => alike.series.push(series),
                None => report.alike.push(Alike { told, series: vec![series] }),
            }
        }
        report
    }

    /// At most so many lines, and how many series there are beyond them.
    pub(super) fn brief(&self, most: usize) -> String {
        let mut text = labels::common_line(&self.common);
        for alike in self.alike.iter().take(most) {
            text += &self.line(alike);
        }
        let more: usize = self.alike.iter().skip(most).map(|alike| alike.series.len()).sum();
        if more > 0 {
            text += &format!("… {more} more series left out, which changed less …\n");
        }
        text
    }

    /// Every line with the points of its series below it: what is quoted of a brief view stands here too.
    pub(super) fn whole(&self) -> String {
        let mut text = labels::common_line(&self.common);
        let mut kept = 0;
        for alike in &self.alike {
            text += &self.line(alike);
            let several = alike.series.len() > 1;
            for series in alike.series.iter().filter(|series| series.points.len() > 1) {
                kept += 1;
                if kept <= WHOLE {
                    let name = if several { format!("{}: ", self.name(series)) } else { String::new() };
                    text += &format!("  {name}{}\n", self.points(series));
                }
            }
        }
        if kept > WHOLE {
            text += &format!("… the points of {} more series are not kept …\n", kept - WHOLE);
        }
        text
    }

    fn line(&self, alike: &Alike<'_>) -> String {
        match alike.series.as_slice() {
            [only] => format!("{}: {}\n", self.name(only), alike.told),
            several => {
                let names: Vec<String> = several.iter().take(NAMES).map(|series| self.name(series)).collect();
                let more = several.len().saturating_sub(NAMES);
                let more = if more > 0 { format!(", and {more} more") } else { String::new() };
                format!("{} series, each {}: {}{more}\n", several.len(), alike.told, names.join(", "))
            }
        }
    }

    fn name(&self, series: &Series) -> String {
        let name = labels::told(&series.labels, &self.common);
        if name.is_empty() { "the value".to_owned() } else { name }
    }

    /// All points: a time, the values from then on, each repeated one once.
    fn points(&self, series: &Series) -> String {
        let mut runs: Vec<(Timestamp, String, usize)> = Vec::new();
        let mut next = None;
        let mut parts: Vec<String> = Vec::new();
        let mut row = 0;
        for point in &series.points {
            let told = self.unit.told(point.value);
            // A gap begins anew, for the values after it are not where they seem to be.
            let follows = next.is_none_or(|next: Timestamp| point.at <= next);
            match runs.last_mut().filter(|_| follows) {
                Some((_, value, times)) if *value == told => *times += 1,
                last => {
                    row = if last.is_some() && row + 1 < ROW { row + 1 } else { 0 };
                    runs.push((point.at, told, 1));
                    parts.push(if row == 0 { format!("{} ", self.window.told(point.at)) } else { String::new() });
                }
            }
            next = point.at.checked_add(self.window.step + self.window.step / 2).ok();
        }
        let told = parts.into_iter().zip(&runs).map(|(time, (_, value, times))| {
            if *times == 1 { format!("{time}{value}") } else { format!("{time}{value} ×{times}") }
        });
        told.collect::<Vec<_>>().join(", ")
    }

    /// What a series did, without its name.
    fn told(&self, series: &Series, summary: Option<&Summary>) -> String {
        let Some(summary) = summary else {
            let what = if series.histograms > 0 { "histograms, no numbers" } else { "values, none a finite number" };
            return format!("{} {what}", series.points.len() + series.histograms);
        };
        let value = |value| self.unit.told(value);
        let mut text = match &summary.course {
            Course::Constant if summary.gaps.is_empty() && summary.not_numbers == 0 => {
                format!("{} all the time", value(summary.last.value))
            }
            Course::Constant => format!("{} whenever there is a value", value(summary.last.value)),
            Course::Flat => format!("flat, {} to {}", value(summary.min.value), value(summary.max.value)),
            Course::Levels(shifts) => self.levels(shifts, summary),
            Course::Rising => format!("rising from {}", self.slope(summary)),
            Course::Falling => format!("falling from {}", self.slope(summary)),
            Course::Varying(parts) => self.varying(parts, summary),
        };
        if summary.not_numbers > 0 {
            text += &format!("; {} values are no finite numbers", summary.not_numbers);
        }
        text + &self.gaps(summary)
    }

    fn levels(&self, shifts: &[Shift], summary: &Summary) -> String {
        let step = |shift: &Shift| {
            let way = if shift.to > shift.from { "up" } else { "down" };
            let at = self.window.told(shift.left);
            let when = if shift.left == shift.there {
                format!("at {at}")
            } else {
                format!("from {at} to {}", self.window.told(shift.there))
            };
            format!("step {way} {when} from {} to {}", self.unit.told(shift.from), self.unit.told(shift.to))
        };
        let steps: Vec<String> = shifts.iter().map(step).collect();
        steps.join(", ") + &self.beyond(shifts, summary)
    }

    /// The extremes and the last value, where the levels don't tell them.
    fn beyond(&self, shifts: &[Shift], summary: &Summary) -> String {
        let levels = || shifts.iter().flat_map(|shift| [shift.from, shift.to]);
        let (low, high) = (levels().fold(f64::INFINITY, f64::min), levels().fold(f64::NEG_INFINITY, f64::max));
        let much = (high - low) / 10.0;
        let mut text = String::new();
        for (what, point, beyond) in
            [("min", summary.min, low - summary.min.value), ("max", summary.max, summary.max.value - high)]
        {
            if beyond > much {
                text += &format!("; {what} {} at {}", self.unit.told(point.value), self.window.told(point.at));
            }
        }
        if shifts.last().is_some_and(|shift| (shift.to - summary.last.value).abs() > much) {
            text += &format!("; last {}", self.unit.told(summary.last.value));
        }
        text
    }

    fn slope(&self, summary: &Summary) -> String {
        let value = |value| self.unit.told(value);
        format!("{} to {}, mean {}", value(summary.first.value), value(summary.last.value), value(summary.mean))
    }

    fn varying(&self, parts: &Parts, summary: &Summary) -> String {
        let (value, time) = (|value| self.unit.told(value), |at| self.window.told(at));
        let mut text = format!(
            "varying, min {} at {}, max {} at {}, mean {}, last {}",
            value(summary.min.value),
            time(summary.min.at),
            value(summary.max.value),
            time(summary.max.at),
            value(summary.mean),
            value(summary.last.value)
        );
        if let Some((before, after)) = parts.jump {
            let (from, to) = (value(before.value), value(after.value));
            text += &format!(", largest jump at {} from {from} to {to}", time(after.at));
        }
        if !parts.means.is_empty() {
            let means: Vec<String> = parts.means.iter().map(|mean| value(*mean)).collect();
            text += &format!("; means of eight equal parts: {}", means.join(", "));
        }
        text
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
mod tests;
