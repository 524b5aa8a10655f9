//! Slopes: rates of counters, differences of gauges, and the line through points.

use super::over::Window;
use super::sum::Sum;

/// What kind of series a slope is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slope {
    /// It only rises; a fall is a restart from zero.
    Counter,
    /// It rises and falls.
    Gauge,
}

/// A gap up to a tenth longer than the usual one is still the usual one.
const TOLERANCE: f64 = 1.1;

/// By how much the series rose in the window, extended to the window's ends, over `per` seconds.
///
/// The samples seldom stand at the ends. Where they come close, the rise is extended up to them; where not, the
/// series began or ended inside, and the rise is extended by half of a usual gap. A counter is never extended to
/// before it was zero.
pub(super) fn extrapolated(points: &[(i64, f64)], window: Window, slope: Slope, per: f64) -> Option<f64> {
    let ([first, ..], [.., last]) = (points, points) else { return None };
    if points.len() < 2 {
        return None;
    }
    let mut rise = last.1 - first.1;
    if slope == Slope::Counter {
        for (before, after) in points.iter().zip(points.iter().skip(1)) {
            if after.1 < before.1 {
                rise += before.1;
            }
        }
    }
    let covered = seconds(last.0 - first.0);
    #[expect(clippy::cast_precision_loss, reason = "a range has fewer samples than a float has whole numbers")]
    let usual = covered / (points.len() - 1) as f64;
    let extension = |gap: f64| if gap >= usual * TOLERANCE { usual / 2.0 } else { gap };
    let mut before = extension(seconds(first.0 - window.start));
    if slope == Slope::Counter && rise > 0.0 && first.1 >= 0.0 {
        before = before.min(covered * (first.1 / rise));
    }
    let after = extension(seconds(window.end - last.0));
    let factor = if covered == 0.0 { 1.0 } else { (covered + before + after) / covered };
    Some(rise * (factor / per))
}

/// The slope between the last two points: a counter's by the second, a gauge's as it is.
pub(super) fn instant(points: &[(i64, f64)], slope: Slope) -> Option<f64> {
    let [.., before, after] = points else { return None };
    if before.0 == after.0 {
        return None;
    }
    let reset = slope == Slope::Counter && after.1 < before.1;
    let rise = if reset { after.1 } else { after.1 - before.1 };
    Some(if slope == Slope::Counter { rise / seconds(after.0 - before.0) } else { rise })
}

/// Slope by the second, and value at a time, of the line that fits the points best.
pub(super) fn regression(points: &[(i64, f64)], at: i64) -> Option<(f64, f64)> {
    let first = points.first()?.1;
    if points.len() < 2 {
        return None;
    }
    #[expect(clippy::float_cmp, reason = "only exactly equal values make a level line")]
    if points.iter().all(|(_, value)| *value == first) {
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, first) });
    }
    let mut count = 0.0;
    let [mut x, mut y, mut xy, mut xx] = [Sum::default(); 4];
    for (time, value) in points {
        let time = seconds(time - at);
        count += 1.0;
        (x, y, xy, xx) = (x.add(time), y.add(*value), xy.add(time * value), xx.add(time * time));
    }
    let [x, y, xy, xx] = [x, y, xy, xx].map(Sum::total);
    let covariance = xy - x * y / count;
    let variance = xx - x * x / count;
    let slope = covariance / variance;
    Some((slope, y / count - slope * x / count))
}

pub(super) use super::evaluate::seconds;
