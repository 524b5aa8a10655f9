//! What a series did over a stretch of time, in a few numbers.

use jiff::Timestamp;

use super::{Point, Series, Window};

/// The most points that are shown of a series.
const SHOWN: usize = 12;

/// How a series went.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Trend {
    /// One value all the time.
    Constant,
    /// It moved by at most a fiftieth.
    Flat,
    /// It was on one level and then on another.
    Step,
    /// Up, as a whole.
    Rising,
    /// Down, as a whole.
    Falling,
    /// Up and down.
    Varying,
}

/// The largest change from one point to the next.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Jump {
    pub(super) before: Point,
    pub(super) after: Point,
}

/// What a series did. All of it is about the values that are finite numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) min: Point,
    pub(super) max: Point,
    pub(super) mean: f64,
    pub(super) first: Point,
    pub(super) last: Point,
    pub(super) trend: Trend,
    /// Absent where nothing changed.
    pub(super) jump: Option<Jump>,
    /// Stretches of the window without values.
    pub(super) gaps: Vec<(Timestamp, Timestamp)>,
    /// How many values are not a number, or infinite.
    pub(super) not_numbers: usize,
    /// At most twelve points: those that tell most, and some between.
    pub(super) points: Vec<Point>,
}

impl Summary {
    /// Of the series in the window; nothing where it holds no finite number.
    pub(super) fn of(series: &Series, window: Window) -> Option<Self> {
        let finite: Vec<Point> = series.points.iter().copied().filter(|point| point.value.is_finite()).collect();
        let (first, last) = (*finite.first()?, *finite.last()?);
        let by_value = |left: &&Point, right: &&Point| left.value.total_cmp(&right.value);
        // The first of several equal ones: since when it was so.
        let min = **finite.iter().min_by(|left, right| by_value(left, right)).as_ref()?;
        let max = **finite.iter().rev().max_by(|left, right| by_value(left, right)).as_ref()?;
        let jump = jump(&finite);
        Some(Self {
            min,
            max,
            mean: mean(&finite),
            first,
            last,
            trend: trend(&finite, max.value - min.value, jump),
            jump,
            gaps: gaps(&series.points, window),
            not_numbers: series.points.len() - finite.len(),
            points: chosen(&finite, [min, max], jump),
        })
    }

    /// How much it changed, as a part of its largest value: what is worth reading first.
    pub(super) fn change(&self) -> f64 {
        let largest = self.max.value.abs().max(self.min.value.abs());
        if largest == 0.0 { 0.0 } else { (self.max.value - self.min.value) / largest }
    }

    /// Whether it is one value without a gap: one line says all of it.
    pub(super) fn is_dull(&self) -> bool {
        self.trend == Trend::Constant && self.gaps.is_empty() && self.not_numbers == 0
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are few points")]
fn mean(points: &[Point]) -> f64 {
    // Each is divided on its own: the sum of large values could be infinite.
    points.iter().map(|point| point.value / points.len() as f64).sum()
}

fn jump(points: &[Point]) -> Option<Jump> {
    let jumps = points.windows(2).filter_map(|pair| match pair {
        [before, after] => Some(Jump { before: *before, after: *after }),
        _ => None,
    });
    let size = |jump: &Jump| (jump.after.value - jump.before.value).abs();
    jumps.filter(|jump| size(jump) > 0.0).reduce(|most, next| if size(&next) > size(&most) { next } else { most })
}

fn trend(points: &[Point], range: f64, jump: Option<Jump>) -> Trend {
    let Some(jump) = jump else { return Trend::Constant };
    let largest = points.iter().map(|point| point.value.abs()).fold(0.0, f64::max);
    // Of counts each one matters: a container that restarted once more is not as it was.
    let counts = largest < 1e5 && points.iter().all(|point| point.value.fract() == 0.0);
    if !counts && range <= largest / 50.0 {
        return Trend::Flat;
    }
    let (before, after): (Vec<Point>, Vec<Point>) = points.iter().partition(|point| point.at <= jump.before.at);
    let levels = (mean(&after) - mean(&before)).abs();
    if (jump.after.value - jump.before.value).abs() >= range * 0.6 && levels >= range * 0.6 {
        return Trend::Step;
    }
    let (slope, fit) = line(points);
    if fit < 0.5 || slope.abs() < range * 0.5 {
        Trend::Varying
    } else if slope > 0.0 {
        Trend::Rising
    } else {
        Trend::Falling
    }
}

/// The straight line through the points: how far it goes up or down from the first to the last, and how much of the
/// points' movement it explains, from 0 to 1 (least squares).
#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are exact in a float")]
fn line(points: &[Point]) -> (f64, f64) {
    let start = points.first().map_or(0.0, |point| point.at.as_millisecond() as f64);
    let time = |point: &Point| point.at.as_millisecond() as f64 - start;
    let count = points.len() as f64;
    let mean_time = points.iter().map(time).sum::<f64>() / count;
    let mean_value = mean(points);
    let (mut both, mut times, mut values) = (0.0, 0.0, 0.0);
    for point in points {
        let (away, off) = (time(point) - mean_time, point.value - mean_value);
        both += away * off;
        times += away * away;
        values += off * off;
    }
    if times == 0.0 || values == 0.0 {
        return (0.0, 0.0);
    }
    let length = points.last().map_or(0.0, time);
    (both / times * length, both * both / (times * values))
}

/// Stretches without values, those at the window's ends among them. A value that is no number is a value.
fn gaps(points: &[Point], window: Window) -> Vec<(Timestamp, Timestamp)> {
    let step = i64::try_from(window.step.as_millis()).unwrap_or(i64::MAX);
    let apart = |from: Timestamp, to: Timestamp| to.as_millisecond().saturating_sub(from.as_millisecond());
    let mut gaps = Vec::new();
    if let Some(first) = points.first()
        && apart(window.start, first.at) >= step
    {
        gaps.push((window.start, first.at));
    }
    for pair in points.windows(2) {
        if let [before, after] = pair
            && apart(before.at, after.at) > step.saturating_add(step / 2)
        {
            gaps.push((before.at, after.at));
        }
    }
    if let Some(last) = points.last()
        && apart(last.at, window.end) >= step
    {
        gaps.push((last.at, window.end));
    }
    gaps
}

/// First, last, smallest, largest and both sides of the largest jump; the rest at even distances.
fn chosen(points: &[Point], ends: [Point; 2], jump: Option<Jump>) -> Vec<Point> {
    if points.len() <= SHOWN {
        return points.to_vec();
    }
    let position = |wanted: Point| points.iter().position(|point| point.at == wanted.at);
    let mut kept: Vec<usize> = [0, points.len() - 1].into_iter().chain(ends.into_iter().filter_map(position)).collect();
    kept.extend(jump.into_iter().flat_map(|jump| [jump.before, jump.after]).filter_map(position));
    kept.sort_unstable();
    kept.dedup();
    let room = SHOWN - kept.len();
    kept.extend((1..=room).map(|index| index * (points.len() - 1) / (room + 1)));
    kept.sort_unstable();
    kept.dedup();
    kept.into_iter().filter_map(|index| points.get(index).copied()).collect()
}

#[cfg(test)]
mod tests;
