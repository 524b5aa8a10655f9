#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs)]

use proptest::prelude::*;

use super::*;

/// Numbers that look like chance and are the same in each run.
struct Dice(u64);

impl Dice {
    /// From 0 to 1, all alike.
    #[expect(clippy::cast_precision_loss, reason = "32 bits are exact")]
    fn even(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 32) as f64 / (1_u64 << 32) as f64
    }

    /// Normal: mean 0, standard deviation 1.
    fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.even()).ln()).sqrt() * (std::f64::consts::TAU * self.even()).cos()
    }

    /// How many of a thousand series of so many values have a change.
    fn false_ones(&mut self, length: usize, mut next: impl FnMut(&mut Self) -> f64) -> usize {
        let series = (0..1_000).map(|_| (0..length).map(|_| next(self)).collect::<Vec<f64>>());
        series.filter(|values| !changes(values).is_empty()).count()
    }
}

#[test]
fn noise_has_a_change_in_less_than_one_series_of_a_hundred() {
    let mut dice = Dice(88_172_645_463_325_252);
    for length in [8, 20, 60] {
        type Throw = fn(&mut Dice) -> f64;
        let kinds: [(&str, Throw); 7] = [
            ("normal", Dice::normal),
            ("even", Dice::even),
            ("waiting times", |dice| -(1.0 - dice.even()).ln()),
            ("long tail", |dice| dice.normal().exp()),
            ("heads or tails", |dice| dice.even().round()),
            ("rare events", |dice| f64::from(dice.even() < 0.1)),
            ("dice", |dice| (dice.even() * 6.0).floor()),
        ];
        for (kind, next) in kinds {
            let found = dice.false_ones(length, next);
            assert!(found < 10, "{found} of 1000 series of {length} values: {kind}");
        }
    }
}

#[test]
fn noise_that_follows_itself_has_one_in_less_than_two_of_a_hundred() {
    let mut dice = Dice(99_172_645_463_325_252);
    for length in [20, 60] {
        let mut last = 0.0;
        let found = dice.false_ones(length, |dice| {
            last = 0.5 * last + dice.normal();
            last
        });
        assert!(found < 20, "{found} of 1000 series of {length} values");
    }
}

#[test]
fn a_step_behind_noise_is_found_where_it_is_in_nine_of_ten() {
    let mut dice = Dice(5_172_645_463_325_252);
    for (size, length, behind) in [(4.0, 60, 30), (5.0, 60, 6), (6.0, 40, 5), (5.0, 20, 10)] {
        let found = (0..500).filter(|_| {
            let level = |index: usize| if index < length - behind { 10.0 } else { 10.0 + size };
            let values: Vec<f64> = (0..length).map(|index| level(index) + dice.normal()).collect();
            let near = |change: &Change| change.at.start.abs_diff(length - behind) <= 2;
            changes(&values).iter().any(near)
        });
        let found = found.count();
        assert!(found >= 450, "{found} of 500: size {size}, the last {behind} of {length}");
    }
}

#[test]
fn up_and_down_again_are_two_and_a_slope_between_levels_is_one() {
    let pulse: Vec<f64> = (0..40).map(|index| if (20..28).contains(&index) { 9.0 } else { 2.0 }).collect();
    assert_eq!(changes(&pulse), [Change { at: 20..20, from: 2.0, to: 9.0 }, Change { at: 28..28, from: 9.0, to: 2.0 }]);
    // As a rate over five minutes shows a step, with a value each minute.
    let smooth: Vec<f64> = (0..40_u32).map(|index| f64::from(index.clamp(19, 24) - 19) * 20.0).collect();
    let [only] = changes(&smooth).try_into().unwrap();
    let Change { at, from, to } = only;
    assert!((17..=21).contains(&at.start) && (21..=26).contains(&at.end), "{at:?}");
    assert_eq!((from, to), (0.0, 100.0));
    let stairs: Vec<f64> = (0..60_u32).map(|index| f64::from(index / 20) * 5.0).collect();
    assert_eq!(changes(&stairs).iter().map(|change| change.at.start).collect::<Vec<_>>(), [20, 40]);
}

proptest! {
    #[test]
    fn a_clear_step_is_found_wherever_it_is(
        noise in prop::collection::vec(-1.0..1.0_f64, 40..=60),
        place in 0.15..0.85_f64,
        size in prop_oneof![-500.0..-8.0_f64, 8.0..500.0_f64],
        level in -1e6..1e6_f64,
    ) {
        #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "small")]
        let start = (place * noise.len() as f64) as usize;
        let step = |(index, noise): (usize, &f64)| level + noise + if index < start { 0.0 } else { size };
        let values: Vec<f64> = noise.iter().enumerate().map(step).collect();
        let found = changes(&values);
        prop_assert!(found.iter().any(|change| change.at.start.abs_diff(start) <= 1), "{start}: {found:?}");
    }

    #[test]
    fn a_ramp_a_spike_and_a_season_are_no_changes(
        noise in prop::collection::vec(-1.0..1.0_f64, 30..=60),
        slope in prop_oneof![-50.0..-0.3_f64, 0.3..50.0_f64],
        spike in 0..30_usize,
        period in 6..12_u32,
    ) {
        let with = |shape: &dyn Fn(u32) -> f64| -> Vec<f64> { (0..).zip(&noise).map(|(index, noise)| noise + shape(index)).collect() };
        prop_assert_eq!(changes(&with(&|index| slope * f64::from(index))), []);
        prop_assert_eq!(changes(&with(&|index| if index as usize == spike { 500.0 } else { 0.0 })), []);
        let season = with(&|index| 20.0 * (std::f64::consts::TAU * f64::from(index) / f64::from(period)).sin());
        prop_assert_eq!(changes(&season), []);
    }

    #[test]
    fn any_values_have_at_most_three_in_order(values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 0..70)) {
        let found = changes(&values);
        prop_assert!(found.len() <= 3);
        prop_assert!(found.windows(2).all(|pair| pair[0].at.end < pair[1].at.start));
        prop_assert!(found.iter().all(|change| change.at.start <= change.at.end && change.at.end < values.len()));
        prop_assert!(found.iter().all(|change| change.from.is_finite() && change.to.is_finite()));
    }
}
