//! When conditions ended last.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::ConditionKey;

/// How long an end is remembered: no object tells a start that is older than its last end by more.
const KEPT: Duration = Duration::from_hours(24);

/// From this many on, old ends are dropped. An end costs about 200 bytes.
const SWEPT_FROM: usize = 1024;

/// The most that are remembered, 3 MiB of them: of more, the older half is dropped.
const MOST: usize = 16 * 1024;

/// When conditions ended last. A condition that comes back may tell the start that it had before (an event counts on, a
/// pod never was ready between, an object was deleted and made again): under that start it would be taken for a
/// repetition.
#[derive(Debug)]
pub(super) struct Ended {
    ends: BTreeMap<ConditionKey, Timestamp>,
    /// How many there may be until old ones are dropped: twice what the last sweep left.
    sweep_at: usize,
}

impl Default for Ended {
    fn default() -> Self {
        Self { ends: BTreeMap::new(), sweep_at: SWEPT_FROM }
    }
}

impl Ended {
    pub(super) fn at(&self, key: &ConditionKey) -> Option<Timestamp> {
        self.ends.get(key).copied()
    }

    pub(super) fn note(&mut self, key: ConditionKey, at: Timestamp, now: Timestamp) {
        if self.ends.len() >= self.sweep_at {
            self.sweep(now);
        }
        self.ends.insert(key, at);
    }

    fn sweep(&mut self, now: Timestamp) {
        let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.ends.retain(|_, at| *at > oldest);
        if self.ends.len() >= MOST {
            let mut times: Vec<Timestamp> = self.ends.values().copied().collect();
            times.sort_unstable();
            let middle = times.get(times.len() / 2).copied().unwrap_or(now);
            self.ends.retain(|_, at| *at > middle);
        }
        self.sweep_at = (2 * self.ends.len()).clamp(SWEPT_FROM, MOST);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::object::{Kind, ObjectKey};

    #[test]
    fn a_storm_of_ends_is_remembered_up_to_the_bound_and_its_newest_stay() {
        let mut ended = Ended::default();
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let key = |number: usize| ConditionKey::first_of(ObjectKey::new(Kind::Pod, "shop", &format!("cart-{number}")));
        let at = |number: usize| start + SignedDuration::from_millis(i64::try_from(number).unwrap());
        for number in 0..3 * MOST {
            ended.note(key(number), at(number), at(number));
            assert!(ended.ends.len() <= MOST, "{} are remembered", ended.ends.len());
        }
        let last = 3 * MOST - 1;
        assert_eq!(ended.at(&key(last)), Some(at(last)));
        assert_eq!(ended.at(&key(0)), None);
    }
}
