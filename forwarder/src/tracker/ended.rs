//! When conditions ended last.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::ConditionKey;
use crate::object::ObjectKey;

/// How long an end is remembered: no object tells a start that is older than its last end by more.
const KEPT: Duration = Duration::from_hours(24);

/// Above this many, old ends are dropped. An end costs about 200 bytes.
const SWEPT_FROM: usize = 1024;

/// When conditions ended last. A condition that comes back may tell the start that it had before (an event counts on, a
/// pod never was ready between): under that start it would be taken for a repetition.
#[derive(Debug, Default)]
pub(super) struct Ended(BTreeMap<ConditionKey, Timestamp>);

impl Ended {
    pub(super) fn at(&self, key: &ConditionKey) -> Option<Timestamp> {
        self.0.get(key).copied()
    }

    pub(super) fn note(&mut self, key: ConditionKey, at: Timestamp, now: Timestamp) {
        if self.0.len() >= SWEPT_FROM
            && let Ok(oldest) = now.checked_sub(KEPT)
        {
            self.0.retain(|_, at| *at > oldest);
        }
        self.0.insert(key, at);
    }

    pub(super) fn forget(&mut self, subject: &ObjectKey) {
        let first = ConditionKey::first_of(subject.clone());
        let keys: Vec<_> =
            self.0.range(first..).map(|(key, _)| key).take_while(|key| key.subject == *subject).cloned().collect();
        for key in keys {
            self.0.remove(&key);
        }
    }
}
