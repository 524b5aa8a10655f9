//! How likely an order is by chance.

/// The probability that of `drawn` out of `all` at least `hits` are among the `marked` ones: the hypergeometric
/// distribution's upper tail.
pub(super) fn at_least(hits: usize, drawn: usize, marked: usize, all: usize) -> f64 {
    let logarithms = logarithms(all);
    let choose = |of: usize, some: usize| -> Option<f64> {
        let part = |of: usize| logarithms.get(of);
        Some(part(of)? - part(some)? - part(of.checked_sub(some)?)?)
    };
    let term = |hits: usize| -> Option<f64> {
        let misses = choose(all.checked_sub(marked)?, drawn.checked_sub(hits)?)?;
        Some((choose(marked, hits)? + misses - choose(all, drawn)?).exp())
    };
    (hits..=drawn.min(marked)).filter_map(term).sum()
}

/// The logarithms of the factorials up to a number.
#[expect(clippy::cast_precision_loss, reason = "there are few values")]
fn logarithms(most: usize) -> Vec<f64> {
    let mut sum = 0.0;
    let next = (1..=most).map(|number| {
        sum += (number as f64).ln();
        sum
    });
    std::iter::once(0.0).chain(next).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_that_of_drawing_without_putting_back() {
        let close = |probability: f64, known: f64| (probability - known).abs() < 1e-12;
        // All three of three marked ones among ten: one way of 120.
        assert!(close(at_least(3, 3, 3, 10), 1.0 / 120.0));
        assert!(close(at_least(0, 3, 3, 10), 1.0));
        // Two aces or more in five cards of 52.
        let aces = (6.0 * 17_296.0 + 4.0 * 1_128.0 + 48.0) / 2_598_960.0;
        assert!(close(at_least(2, 5, 4, 52), aces));
        assert!(close(at_least(4, 3, 3, 10), 0.0));
    }
}
