//! Shares with intervals, and whether two runs differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The quantile of the normal distribution that leaves 2.5 % above it.
const Z: f64 = 1.959_963_984_540_054;

/// Where a share lies with 95 % confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Interval {
    /// Not below.
    pub low: f64,
    /// Not above.
    pub high: f64,
}

/// A share of cases.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Share {
    /// From 0 to 1: the mean of the cases' own shares.
    pub share: f64,
    /// How many cases it is of.
    pub cases: u32,
    /// Wilson's interval for so many cases. Trials of one case are not independent, so more of them don't narrow it.
    pub interval: Interval,
}

impl Share {
    /// The mean of the shares of cases; nothing where there are none.
    pub fn of(cases: impl IntoIterator<Item = f64>) -> Option<Self> {
        let (sum, count) = cases.into_iter().fold((0.0, 0_u32), |(sum, count), share| (sum + share, count + 1));
        if count == 0 {
            return None;
        }
        let share = (sum / f64::from(count)).clamp(0.0, 1.0);
        let Interval { low, high } = wilson(share, count);
        let interval = Interval { low: rounded(low), high: rounded(high) };
        Some(Self { share: rounded(share), cases: count, interval })
    }
}

/// A figure as it is written: six places are more than any of them is good for, and are read as they were written.
pub fn rounded(figure: f64) -> f64 {
    (figure * 1e6).round() / 1e6
}

/// Wilson's score interval of a share of `count` (E. B. Wilson, 1927), which holds for few cases and near 0 and 1 too.
pub fn wilson(share: f64, count: u32) -> Interval {
    if count == 0 {
        return Interval { low: 0.0, high: 1.0 };
    }
    let n = f64::from(count);
    let square = Z * Z;
    let middle = (share + square / (2.0 * n)) / (1.0 + square / n);
    let half = Z / (1.0 + square / n) * (share * (1.0 - share) / n + square / (4.0 * n * n)).sqrt();
    // At the ends the bound is the share itself, which rounding may miss.
    Interval { low: (middle - half).clamp(0.0, share), high: (middle + half).clamp(share, 1.0) }
}

/// The chance that `k` trials of a case all pass, where `passed` of `trials` did: of all ways to choose `k`, those in which
/// all passed (pass^k). Nothing where there are fewer than `k`.
pub fn all_pass(trials: u32, passed: u32, k: u32) -> Option<f64> {
    (k <= trials && passed <= trials)
        .then(|| (0..k).map(|drawn| f64::from(passed.saturating_sub(drawn)) / f64::from(trials - drawn)).product())
}

/// The chance that `better` and `worse` differ as much as they do, or more, where neither is likelier: the two-sided sign
/// test, by the binomial distribution. Cases that are equal say nothing.
pub fn sign_test(better: u32, worse: u32) -> f64 {
    let (few, all) = (better.min(worse), better + worse);
    let mut term = 0.5_f64.powf(f64::from(all));
    let mut tail = term;
    for chosen in 0..few {
        term *= f64::from(all - chosen) / f64::from(chosen + 1);
        tail += term;
    }
    (2.0 * tail).min(1.0)
}
