//! Settings of delivery.

use std::num::NonZeroUsize;

use marple_core::Period;
use schemars::JsonSchema;
use serde::Deserialize;

/// How messages are delivered, and when they are given up.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliveryConfig {
    /// How many deliveries to one receiver may be under way at once.
    pub concurrency: NonZeroUsize,
    /// How long one delivery may take, waiting for its turn at the receiver included.
    pub deadline: Period,
    /// The pause after a first failure; it doubles with each further one, and varies by up to its own length.
    pub first_pause: Period,
    /// The longest pause, before it varies; also the pause while credentials or settings are refused.
    pub longest_pause: Period,
    /// After so long without success a message is given up: `marple_outbox_dead_total` counts it, and it can be resent.
    pub give_up_after: Period,
}

impl Default for DeliveryConfig {
    fn default() -> Self {
        Self {
            concurrency: NonZeroUsize::new(8).unwrap_or(NonZeroUsize::MIN),
            deadline: Period::minutes(2),
            first_pause: Period::seconds(1),
            longest_pause: Period::minutes(5),
            give_up_after: Period::hours(24),
        }
    }
}

impl DeliveryConfig {
    /// What is wrong with the settings, if anything: the setting, and the fix.
    pub fn fault(&self) -> Option<(&'static str, String)> {
        let zero = |period: Period| period.duration().is_zero();
        if zero(self.deadline) {
            return Some(("delivery.deadline", "write a time above 0, as 2m".to_owned()));
        }
        if zero(self.first_pause) || self.longest_pause < self.first_pause {
            let fault = "it must be above 0, and `longest_pause` no less than it".to_owned();
            return Some(("delivery.first_pause", fault));
        }
        zero(self.give_up_after).then(|| ("delivery.give_up_after", "write a time above 0, as 24h".to_owned()))
    }
}
