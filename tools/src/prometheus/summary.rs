//! What a series did over a stretch of time, in a few numbers.

use jiff::Timestamp;

use super::change::changes;
use super::{Point, Series, Window};

/// Into how many parts a series without another form is summed up, and the fewest points for which it is.
const PARTS: usize = 8;
const PARTED: usize = 2 * PARTS;

/// How a series went.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Course {
    /// One value all the time.
    Constant,
    /// It moved by at most a fiftieth.
    Flat,
    /// It was on one level and then on another; one shift or more.
    Levels(Vec<Shift>),
    /// Up, as a whole.
    Rising,
    /// Down, as a whole.
    Falling,
    /// Up and down.
    Varying(Parts),
}

/// From one level to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Shift {
    pub(super) from: f64,
    pub(super) to: f64,
    /// The first value that is off the old level, and the first on the new one: the same where it came at once.
    pub(super) left: Timestamp,
    pub(super) there: Timestamp,
}

/// A series without another form.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parts {
    /// The largest change from one point to the next, where it is most of what the series moved at all.
    pub(super) jump: Option<(Point, Point)>,
    /// The mean of each eighth; none where there are few points.
    pub(super) means: Vec<f64>,
}

/// What a series did. All of it is about the values that are finite numbers.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Summary {
    pub(super) min: Point,
    pub(super) max: Point,
    pub(super) mean: f64,
    pub(super) first: Point,
    pub(super) last: Point,
    pub(super) course: Course,
    /// Stretches of the window without values.
    pub(super) gaps: Vec<(Timestamp, Timestamp)>,
    /// How many values are not a number, or infinite.
    pub(super) not_numbers: usize,
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
        Some(Self {
            min,
            max,
            mean: mean(&finite),
            first,
            last,
            course: course(&finite, max.value - min.value),
            gaps: gaps(&series.points, window),
            not_numbers: series.points.len() - finite.len(),
        })
    }

    /// How much it changed, as a part of its largest value: what is worth reading first.
    pub(super) fn change(&self) -> f64 {
        let largest = self.max.value.abs().max(self.min.value.abs());
        if largest == 0.0 { 0.0 } else { (self.max.value - self.min.value) / largest }
    }
}

#[expect(clippy::cast_precision_loss, reason = "there are few points")]
fn mean(points: &[Point]) -> f64 {
    // Each is divided on its own: the sum of large values could be infinite.
    points.iter().map(|point| point.value / points.len() as f64).sum()
}

fn course(points: &[Point], range: f64) -> Course {
    let Some(jump) = jump(points) else { return Course::Constant };
    let largest = points.iter().map(|point| point.value.abs()).fold(0.0, f64::max);
    // Of counts each one matters: a container that restarted once more is not as it was.
    let counts = largest < 1e5 && points.iter().all(|point| point.value.fract() == 0.0);
    if !counts && range <= largest / 50.0 {
        return Course::Flat;
    }
    let shifts = shifts(points, range, jump);
    if !shifts.is_empty() {
        return Course::Levels(shifts);
    }
    let (slope, fit) = line(points);
    if fit < 0.5 || slope.abs() < range * 0.5 {
        let most = (jump.1.value - jump.0.value).abs() >= range * 0.6;
        Course::Varying(Parts { jump: most.then_some(jump), means: means(points) })
    } else if slope > 0.0 {
        Course::Rising
    } else {
        Course::Falling
    }
}

/// The largest change from one point to the next; none where nothing changed.
fn jump(points: &[Point]) -> Option<(Point, Point)> {
    let jumps = points.windows(2).filter_map(|pair| match pair {
        [before, after] => Some((*before, *after)),
        _ => None,
    });
    let size = |(before, after): &(Point, Point)| (after.value - before.value).abs();
    jumps.filter(|jump| size(jump) > 0.0).reduce(|most, next| if size(&next) > size(&most) { next } else { most })
}

/// The changes of level: those that stand out of the noise, else the jump where there is no noise on either side of it.
fn shifts(points: &[Point], range: f64, jump: (Point, Point)) -> Vec<Shift> {
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let time = |index: usize| points.get(index).map(|point| point.at);
    let shift = |change: super::change::Change| {
        Some(Shift { from: change.from, to: change.to, left: time(change.at.start)?, there: time(change.at.end)? })
    };
    let found: Vec<Shift> = changes(&values).into_iter().filter_map(shift).collect();
    if !found.is_empty() {
        return found;
    }
    let (before, after) = jump;
    let even = |of: &Point, level: f64| (of.value - level).abs() <= range / 50.0;
    let quiet = points.iter().all(|point| even(point, if point.at <= before.at { before.value } else { after.value }));
    let only = Shift { from: before.value, to: after.value, left: after.at, there: after.at };
    if quiet { vec![only] } else { Vec::new() }
}

/// The mean of each of eight parts.
fn means(points: &[Point]) -> Vec<f64> {
    if points.len() < PARTED {
        return Vec::new();
    }
    let edge = |part: usize| part * points.len() / PARTS;
    (0..PARTS).filter_map(|part| points.get(edge(part)..edge(part + 1))).map(mean).collect()
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

#[cfg(test)]
mod tests;
