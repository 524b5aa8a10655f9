//! When conditions ended last.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::ConditionKey;
use crate::object::ObjectKey;

/// How long an end is remembered: no object tells a start that is older than its last end by more.
pub(super) const KEPT: Duration = Duration::from_hours(24);

/// From this many on, old ends are dropped. An end costs about 210 bytes.
const SWEPT_FROM: usize = 1024;

/// The most that are remembered, 3 MiB of them: of more, the older half is dropped.
const MOST: usize = 16 * 1024;

/// When conditions ended last. A condition that comes back may tell the start that it had before (an event counts on, a
/// pod never was ready between, an object was deleted and made again): under that start it would be taken for a
/// repetition. When it was told is kept too: what comes and goes is told no oftener than its rate limit allows.
#[derive(Debug)]
pub(super) struct Ended {
    ends: BTreeMap<ConditionKey, End>,
    /// How many there may be until old ones are dropped: twice what the last sweep left.
    sweep_at: usize,
}

/// The end of a condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct End {
    /// When it ended.
    pub(super) at: Timestamp,
    /// When it had been told; nothing where its object is another by now.
    pub(super) told: Option<Timestamp>,
}

impl Default for Ended {
    fn default() -> Self {
        Self { ends: BTreeMap::new(), sweep_at: SWEPT_FROM }
    }
}

impl Ended {
    pub(super) fn of(&self, key: &ConditionKey) -> Option<End> {
        self.ends.get(key).copied()
    }

    /// The object is gone: one of the same name is another, and what it shows is news.
    pub(super) fn forget(&mut self, subject: &ObjectKey) {
        let first = ConditionKey::first_of(subject.clone());
        for (_, end) in self.ends.range_mut(first..).take_while(|(key, _)| key.subject == *subject) {
            end.told = None;
        }
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn note(&mut self, key: ConditionKey, end: End, now: Timestamp) {
        if self.ends.len() >= self.sweep_at {
            self.sweep(now);
        }
        self.ends.insert(key, end);
    }

    fn sweep(&mut self, now: Timestamp) {
        let oldest = now.checked_sub(KEPT).unwrap_or(Timestamp::MIN);
        self.ends.retain(|_, end| end.at > oldest);
        if self.ends.len() >= MOST {
            let mut times: Vec<Timestamp> = self.ends.values().map(|end| end.at).collect();
            times.sort_unstable();
            let middle = times.get(times.len() / 2).copied().unwrap_or(now);
            self.ends.retain(|_, end| end.at > middle);
        }
        self.sweep_at = (2 * self.ends.len()).clamp(SWEPT_FROM, MOST);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;
    use crate::object::Kind;

    #[test]
    fn a_storm_of_ends_is_remembered_up_to_the_bound_and_its_newest_stay() {
        let mut ended = Ended::default();
        let start = Timestamp::from_second(1_800_000_000).unwrap();
        let key = |number: usize| ConditionKey::first_of(ObjectKey::new(Kind::Pod, "shop", &format!("cart-{number}")));
        let at = |number: usize| start + SignedDuration::from_millis(i64::try_from(number).unwrap());
        for number in 0..3 * MOST {
            ended.note(key(number), End { at: at(number), told: None }, at(number));
            assert!(ended.ends.len() <= MOST, "{} are remembered", ended.ends.len());
        }
        let last = 3 * MOST - 1;
        assert_eq!(ended.of(&key(last)).map(|end| end.at), Some(at(last)));
        assert_eq!(ended.of(&key(0)), None);
    }
}
