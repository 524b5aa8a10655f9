//! When a series went from one level to another.
//!
//! The values are cut into at most four stretches so that the squares of what each value lies off its stretch's mean
//! are least together. A cut between two stretches is a change where all of this holds:
//!
//! - their levels (medians) are at least three times as far apart as values usually lie off their level;
//! - it is abrupt: the values just beside it differ by at least six tenths of that;
//! - by pure chance, values would lie on both sides of the middle so cleanly, at any of the places where one could
//!   have cut, in at most one case of a hundred (the hypergeometric distribution, so nothing is supposed of how noise is
//!   distributed; rare events and long tails are no changes);
//! - levels tell the series better than a straight line does: a ramp has no level.
//!
//! Most cuts win, where each is a change. Over independent values of any distribution fewer than one series in a hundred
//! has a change; where each value follows the one before it (correlated by a half), fewer than one in fifty. A wave that is
//! slower than half the window may pass for levels.

mod chance;
mod cut;

use std::ops::Range;

/// Levels are at least so many times as far apart as values usually lie off them.
const APART: f64 = 3.0;

/// How much of a change comes at once.
const ABRUPT: f64 = 0.6;

/// Where between two levels a stretch is on the way from one to the other, rather than noise of one of them.
const ON_THE_WAY: Range<f64> = 0.2..0.8;

/// How often noise alone may look like a change.
const CHANCE: f64 = 0.01;

/// How much of what a straight line leaves may be left by the levels.
const BETTER_THAN_LINE: f64 = 0.7;

/// A mean deviation times this is the standard deviation, where noise is normal.
const OF_NORMAL: f64 = 1.2533;

/// A change from one level to another.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    /// The positions of the values between the levels, and then of the first value on the new one.
    pub(super) at: Range<usize>,
    /// The level before and after it.
    pub(super) from: f64,
    pub(super) to: f64,
}

/// The changes in values at even distances, at most three, in their order. The values are finite.
pub(super) fn changes(values: &[f64]) -> Vec<Change> {
    // Of what is near the largest float, squares would be infinite.
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 || !largest.is_finite() {
        return Vec::new();
    }
    let scaled: Vec<f64> = values.iter().map(|value| value / largest).collect();
    let cuts = cut::cuts(&scaled);
    let found = cuts.iter().rev().find_map(|cuts| Levels::between(&scaled, cuts).changes());
    let real = |change: Change| Change { from: change.from * largest, to: change.to * largest, ..change };
    found.unwrap_or_default().into_iter().map(real).collect()
}

/// Stretches of values on one level each. Between two of them there may be values on the way.
struct Levels<'a> {
    values: &'a [f64],
    stretches: Vec<(Range<usize>, f64)>,
}

impl<'a> Levels<'a> {
    /// The stretches between cuts. Two cuts close to each other in one direction are one change on its way: a rate over
    /// five minutes turns each step into a slope of five minutes.
    fn between(values: &'a [f64], cuts: &[usize]) -> Self {
        let near = (values.len() / 8).max(5);
        let edges = || std::iter::once(0).chain(cuts.iter().copied()).chain([values.len()]);
        let mut stretches: Vec<(Range<usize>, f64)> = edges()
            .zip(edges().skip(1))
            .map(|(start, end)| (start..end, median(values.get(start..end).unwrap_or_default())))
            .collect();
        let on_the_way = |window: &[(Range<usize>, f64)]| match window {
            [(_, before), (between, level), (_, after)] => {
                between.len() <= near && ON_THE_WAY.contains(&((level - before) / (after - before)))
            }
            _ => false,
        };
        while let Some(index) = stretches.windows(3).position(on_the_way) {
            stretches.remove(index + 1);
        }
        Self { values, stretches }
    }

    /// What lies between the levels, where each of it is a change.
    fn changes(&self) -> Option<Vec<Change>> {
        let (noise, left) = self.noise();
        let is_change = |pair: &[(Range<usize>, f64)]| match pair {
            [before, after] => self.is_change(before, after, noise),
            _ => false,
        };
        if !self.stretches.windows(2).all(is_change) || left > BETTER_THAN_LINE * off_line(self.values) {
            return None;
        }
        let change = |pair: &[(Range<usize>, f64)]| match pair {
            [(before, from), (after, to)] => Some(Change { at: before.end..after.start, from: *from, to: *to }),
            _ => None,
        };
        self.stretches.windows(2).map(change).collect()
    }

    /// How far values usually lie off their level, and the squares of it together.
    fn noise(&self) -> (f64, f64) {
        let (mut count, mut off, mut squares) = (0, 0.0, 0.0);
        for (stretch, level) in &self.stretches {
            for value in self.of(stretch) {
                count += 1;
                off += (value - level).abs();
                squares += (value - level).powi(2);
            }
        }
        (OF_NORMAL * off / f64::from(count.max(1)), squares)
    }

    fn is_change(&self, before: &(Range<usize>, f64), after: &(Range<usize>, f64), noise: f64) -> bool {
        let apart = after.1 - before.1;
        if apart == 0.0 || apart.abs() < APART * noise {
            return false;
        }
        let (old, new) = (self.of(&before.0), self.of(&after.0));
        let beside = (self.values.len() / 10).max(cut::LEAST);
        let last = median(old.get(old.len().saturating_sub(beside)..).unwrap_or_default());
        let first = median(new.get(..beside).unwrap_or(new));
        if (first - last) / apart < ABRUPT {
            return false;
        }
        let middle = before.1 + apart / 2.0;
        let beyond = |values: &[f64]| values.iter().filter(|value| (**value - middle) * apart > 0.0).count();
        let by_chance = chance::at_least(beyond(new), new.len(), beyond(old) + beyond(new), old.len() + new.len());
        // Either way, at each place where it could have been.
        by_chance * 2.0 * self.places() <= CHANCE
    }

    #[expect(clippy::cast_precision_loss, reason = "there are few values")]
    fn places(&self) -> f64 {
        self.values.len() as f64
    }

    fn of(&self, stretch: &Range<usize>) -> &'a [f64] {
        self.values.get(stretch.clone()).unwrap_or_default()
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match (sorted.get(middle.wrapping_sub(1)), sorted.get(middle)) {
        (Some(below), Some(above)) if sorted.len().is_multiple_of(2) => below / 2.0 + above / 2.0,
        (_, Some(only)) => *only,
        (_, None) => 0.0,
    }
}

/// The squares of what the values lie off the best straight line, together.
#[expect(clippy::cast_precision_loss, reason = "there are few values")]
fn off_line(values: &[f64]) -> f64 {
    let count = values.len() as f64;
    let (middle, mean) = ((count - 1.0) / 2.0, values.iter().sum::<f64>() / count);
    let (mut both, mut times, mut squares) = (0.0, 0.0, 0.0);
    for (index, value) in values.iter().enumerate() {
        let (away, off) = (index as f64 - middle, value - mean);
        both += away * off;
        times += away * away;
        squares += off * off;
    }
    if times == 0.0 { squares } else { squares - both * both / times }
}

#[cfg(test)]
mod tests;
