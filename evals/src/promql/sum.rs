//! Sums that keep what rounding loses: Kahan's method with Neumaier's improvement, as Prometheus sums.

/// A running sum.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    pub(super) fn add(self, value: f64) -> Self {
        let sum = self.sum + value;
        let lost = if sum.is_infinite() {
            0.0
        } else if self.sum.abs() >= value.abs() {
            self.lost + ((self.sum - sum) + value)
        } else {
            self.lost + ((value - sum) + self.sum)
        };
        Self { sum, lost }
    }

    /// The sum so far.
    pub(super) fn total(self) -> f64 {
        self.sum + self.lost
    }

    fn is_infinite(self) -> bool {
        self.sum.is_infinite()
    }

    fn times(self, factor: f64) -> Self {
        Self { sum: self.sum * factor, lost: self.lost * factor }
    }

    fn over(self, count: f64) -> Self {
        Self { sum: self.sum / count, lost: self.lost / count }
    }
}

/// The sum of values.
pub(super) fn total(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(Sum::default(), Sum::add).total()
}

/// The mean of values, not a number where there are none.
///
/// It is the sum over the count, until the sum would overflow: from there on the mean is carried instead.
pub(super) fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values = values.into_iter();
    let Some(first) = values.next() else { return f64::NAN };
    let mut sum = Sum { sum: first, lost: 0.0 };
    let mut count = 1.0;
    let mut carried: Option<Sum> = None;
    for value in values {
        count += 1.0;
        if carried.is_none() {
            let next = sum.add(value);
            if !next.is_infinite() {
                sum = next;
                continue;
            }
        }
        let mean = carried.unwrap_or_else(|| sum.over(count - 1.0));
        carried = Some(mean.times((count - 1.0) / count).add(value / count));
    }
    carried.unwrap_or_else(|| sum.over(count)).total()
}

/// The variance of values (of the whole population), not a number where there are none.
pub(super) fn variance(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in values {
        count += 1.0;
        let delta = value - mean.total();
        mean = mean.add(delta / count);
        squares = squares.add(delta * (value - mean.total()));
    }
    squares.total() / count
}
