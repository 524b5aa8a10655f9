//! Ticks at numbers and times that people count with.

use std::time::Duration;

use jiff::Timestamp;

use crate::prometheus::Window;
use crate::prometheus::number::Unit;

/// The most ticks of an axis.
const TICKS: f64 = 6.0;

/// Distances between times in seconds, each fit for a clock.
const CLOCK: [i64; 18] =
    [1, 5, 10, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 21_600, 43_200, 86_400, 172_800, 604_800];

/// The values from the lowest to the highest tick, and the ticks.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// Of values, zero among them where they are not far from it.
    pub(super) fn of(values: impl Iterator<Item = f64>, unit: Unit) -> Self {
        let (low, high) =
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (low, high) = if low <= high { (low, high) } else { (0.0, 1.0) };
        let low = if low > 0.0 && low < high * 0.6 { 0.0 } else { low };
        // One value all the time stands in the middle.
        let margin = if high > low { 0.0 } else { (high.abs() / 2.0).max(1.0) };
        let (low, high) = (if low == 0.0 && high > 0.0 { 0.0 } else { low - margin }, high + margin);
        let step = step((high - low) / TICKS, unit);
        let (first, last) = ((low / step).floor(), (high / step).ceil());
        let mut ticks = vec![first * step];
        // Far from zero a step may be lost in the number that it is added to.
        while let Some(next) = ticks.last().map(|tick| ((tick / step).round() + 1.0) * step)
            && next <= last * step
            && ticks.last().is_some_and(|tick| next > *tick)
            && ticks.len() < 20
        {
            ticks.push(next);
        }
        Self { low: first * step, high: (last * step).max(first * step + step), ticks }
    }

    /// Where a value stands, from 0 at the lowest to 1.
    pub(super) fn place(&self, value: f64) -> f64 {
        let place = (value - self.low) / (self.high - self.low);
        // Of the largest numbers that there are, differences are infinite.
        if place.is_finite() { place } else { 0.0 }
    }
}

/// The next larger of 1, 2 and 5 with zeros; of bytes, of a power of 1024.
fn step(least: f64, unit: Unit) -> f64 {
    let base =
        if unit == Unit::Bytes && least >= 1.0 { 1024_f64.powf(least.log(1024.0).floor().max(0.0)) } else { 1.0 };
    let size = 10_f64.powf((least / base).log10().floor());
    let found = [1.0, 2.0, 5.0, 10.0].into_iter().map(|digit| digit * size * base).find(|step| *step >= least);
    found.filter(|step| step.is_normal()).unwrap_or(1.0)
}

/// The times to be marked in a window.
pub(super) fn times(window: Window) -> Vec<Timestamp> {
    let length = window.length().as_secs();
    let step = CLOCK.into_iter().find(|step| length.div_ceil(step.unsigned_abs()) <= 6);
    let step = step.unwrap_or_else(|| i64::try_from(length.div_ceil(6)).unwrap_or(i64::MAX)).max(1);
    let first = window.start.as_second().div_euclid(step) * step;
    (0..8)
        .filter_map(|index| Timestamp::from_second(first + index * step).ok())
        .filter(|at| *at >= window.start && *at <= window.end)
        .collect()
}

/// A time, or a day where the window has several.
pub(super) fn time_told(window: Window, at: Timestamp) -> String {
    let format = if window.length() > Duration::from_hours(36) {
        "%m-%d %H:%M"
    } else if window.length() < Duration::from_mins(5) {
        "%H:%M:%S"
    } else {
        "%H:%M"
    };
    at.to_zoned(jiff::tz::TimeZone::UTC).strftime(format).to_string()
}
