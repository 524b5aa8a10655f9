//! How a toolset stands after its probes.

use std::time::Duration;

use super::{Off, Offer};

/// How long a toolset that works is believed to.
const WORKING: Duration = Duration::from_mins(5);

/// How soon one that doesn't is tried again; each further time the pause is twice as long.
const FAILING: Duration = Duration::from_secs(15);

/// Failures in a row after which a toolset that worked is off: a backend's restart is not its end, and an
/// investigation that begins in between should have its tools.
const FORGIVEN: u32 = 3;

/// How a toolset stands.
#[derive(Clone, Default)]
pub(super) struct Standing {
    offer: Option<Offer>,
    failures: u32,
    why: Option<String>,
}

impl Standing {
    /// How it stands after one more probe.
    #[must_use]
    pub(super) fn after(self, probed: Result<Offer, Off>) -> Self {
        match probed {
            Ok(offer) => Self { offer: Some(offer), failures: 0, why: None },
            Err(Off(why)) => {
                let failures = self.failures.saturating_add(1);
                Self { offer: self.offer.filter(|_| failures < FORGIVEN), failures, why: Some(why) }
            }
        }
    }

    /// What it offers; nothing while it is off.
    pub(super) const fn offer(&self) -> Option<&Offer> {
        self.offer.as_ref()
    }

    /// Why the last probe failed, where it did.
    pub(super) fn why(&self) -> Option<&str> {
        self.why.as_deref()
    }

    /// Whether it was probed at all.
    pub(super) const fn is_known(&self) -> bool {
        self.offer.is_some() || self.why.is_some()
    }

    /// How long until the next probe.
    pub(super) fn pause(&self) -> Duration {
        match self.failures {
            0 => WORKING,
            failures => FAILING.saturating_mul(1 << (failures - 1).min(8)).min(WORKING),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(standing: Standing) -> Standing {
        standing.after(Err(Off("away".to_owned())))
    }

    #[test]
    fn one_that_never_worked_is_off_at_its_first_failure() {
        let standing = failed(Standing::default());
        assert_eq!((standing.offer().is_none(), standing.why()), (true, Some("away")));
    }

    #[test]
    fn one_that_worked_is_off_after_three_failures_in_a_row_and_on_again_at_once() {
        let mut standing = Standing::default().after(Ok(Offer::default()));
        let mut on = Vec::new();
        for _ in 0..3 {
            standing = failed(standing);
            on.push(standing.offer().is_some());
        }
        assert_eq!(on, [true, true, false]);
        let standing = standing.after(Ok(Offer::default()));
        assert_eq!((standing.offer().is_some(), standing.why(), standing.pause()), (true, None, WORKING));
    }

    #[test]
    fn the_pause_grows_with_each_failure_up_to_that_of_one_that_works() {
        let mut standing = Standing::default();
        let pauses: Vec<u64> = (0..12)
            .map(|_| {
                standing = failed(standing.clone());
                standing.pause().as_secs()
            })
            .collect();
        assert_eq!(pauses, [15, 30, 60, 120, 240, 300, 300, 300, 300, 300, 300, 300]);
    }
}
