//! Where to cut values so that the parts are as even as can be.

/// The fewest values of a part.
pub(super) const LEAST: usize = 3;

/// The most cuts.
const MOST: usize = 3;

/// The best places for one cut, for two and for three, as far as there are values enough.
///
/// By dynamic programming: the best way to part the first values into so many parts extends the best way to part fewer
/// of them into one part less.
pub(super) fn cuts(values: &[f64]) -> Vec<Vec<usize>> {
    let sums = Sums::of(values);
    let count = values.len();
    // For each number of cuts and each end: the squares that are left, and where the last part begins.
    let mut best: Vec<Vec<(f64, usize)>> = vec![(0..=count).map(|end| (sums.off(0, end), 0)).collect()];
    for cuts in 1..=MOST {
        let row = (0..=count).map(|end| {
            let starts = cuts * LEAST..(end + 1).saturating_sub(LEAST);
            let left = |start: usize| {
                let before = best.get(cuts - 1).and_then(|row| row.get(start)).map_or(f64::INFINITY, |(left, _)| *left);
                (before + sums.off(start, end), start)
            };
            starts.map(left).min_by(|one, other| one.0.total_cmp(&other.0)).unwrap_or((f64::INFINITY, 0))
        });
        let row = row.collect();
        best.push(row);
    }
    (1..=MOST).filter(|cuts| (cuts + 1) * LEAST <= count).map(|cuts| places_of(&best, cuts, count)).collect()
}

fn places_of(best: &[Vec<(f64, usize)>], cuts: usize, count: usize) -> Vec<usize> {
    let mut end = count;
    let mut places: Vec<usize> = (1..=cuts)
        .rev()
        .map(|cuts| {
            end = best.get(cuts).and_then(|row| row.get(end)).map_or(0, |(_, start)| *start);
            end
        })
        .collect();
    places.reverse();
    places
}

/// Sums of the values, and of their squares, up to each position.
struct Sums(Vec<(f64, f64)>);

impl Sums {
    #[expect(clippy::cast_precision_loss, reason = "there are few values")]
    fn of(values: &[f64]) -> Self {
        // Off their mean they are as small as they can be: squares of large values would swallow their differences.
        let mean = values.iter().map(|value| value / values.len() as f64).sum::<f64>();
        let mut sums = (0.0, 0.0);
        let next = values.iter().map(|value| {
            let off = value - mean;
            sums = (sums.0 + off, sums.1 + off * off);
            sums
        });
        Self(std::iter::once((0.0, 0.0)).chain(next).collect())
    }

    /// The squares of what the values from one position to another lie off their mean, together.
    #[expect(clippy::cast_precision_loss, reason = "there are few values")]
    fn off(&self, start: usize, end: usize) -> f64 {
        match (self.0.get(start), self.0.get(end)) {
            (Some(before), Some(after)) if start < end => {
                let sum = after.0 - before.0;
                (after.1 - before.1 - sum * sum / (end - start) as f64).max(0.0)
            }
            _ => 0.0,
        }
    }
}
