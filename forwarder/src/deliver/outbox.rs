//! Signals that wait for delivery: of each condition the newest state.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use marple_core::{Fingerprint, Signal, SignalStatus};
use metrics::{counter, gauge};
use tokio::sync::Notify;

use crate::metric;

/// The most conditions that wait: a signal takes about 1 KiB, so 8 MiB of the forwarder's 60.
const CAPACITY: usize = 8192;

/// Signals that wait for delivery. A newer state of a condition takes the place of the older, so that a runner that was
/// away for long gets what is, not all that was. When full, the longest waiting firing signal is dropped: the next resync
/// brings it again.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    signals: HashMap<Fingerprint, Signal>,
    order: VecDeque<Fingerprint>,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { waiting: Mutex::default(), filled: Notify::new(), capacity }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds the lock can leave it half changed.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts signals at the end, or in the place of what is told of the same condition.
    pub(crate) fn put(&self, signals: impl IntoIterator<Item = Signal>) {
        let mut waiting = self.waiting();
        for signal in signals {
            let fingerprint = signal.fingerprint;
            if waiting.signals.insert(fingerprint, signal).is_none() {
                waiting.order.push_back(fingerprint);
            }
            if waiting.signals.len() > self.capacity {
                waiting.drop_one();
            }
        }
        self.changed(&waiting);
    }

    /// Takes the longest waiting ones.
    pub(crate) fn take(&self, most: usize) -> Vec<Signal> {
        let mut waiting = self.waiting();
        let count = most.min(waiting.order.len());
        let first: Vec<Fingerprint> = waiting.order.drain(..count).collect();
        let signals = first.iter().filter_map(|fingerprint| waiting.signals.remove(fingerprint)).collect();
        self.changed(&waiting);
        signals
    }

    /// Puts back what could not be delivered, at the front; where a newer state waits by now, that stays.
    pub(crate) fn put_back(&self, signals: Vec<Signal>) {
        let mut guard = self.waiting();
        let waiting = &mut *guard;
        for signal in signals.into_iter().rev() {
            if let Entry::Vacant(place) = waiting.signals.entry(signal.fingerprint) {
                waiting.order.push_front(signal.fingerprint);
                place.insert(signal);
            }
            if waiting.signals.len() > self.capacity {
                waiting.drop_one();
            }
        }
        self.changed(waiting);
    }

    /// Waits until there is something to take.
    pub(crate) async fn filled(&self) {
        loop {
            let filled = self.filled.notified();
            if !self.waiting().order.is_empty() {
                return;
            }
            filled.await;
        }
    }

    #[allow(clippy::cast_precision_loss, reason = "the count is below the capacity")]
    fn changed(&self, waiting: &Waiting) {
        gauge!(metric::WAITING).set(waiting.order.len() as f64);
        if !waiting.order.is_empty() {
            self.filled.notify_one();
        }
    }
}

impl Waiting {
    fn drop_one(&mut self) {
        let firing = |fingerprint: &Fingerprint| {
            self.signals.get(fingerprint).is_some_and(|signal| signal.status == SignalStatus::Firing)
        };
        let at = self.order.iter().position(firing).unwrap_or(0);
        if let Some(signal) = self.order.remove(at).and_then(|fingerprint| self.signals.remove(&fingerprint)) {
            counter!(metric::DROPPED, "reason" => "full").increment(1);
            tracing::warn!(
                signal = signal.name,
                "the outbox is full: a signal is dropped until the next resync brings it again; is the runner up?"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deliver::fixture::signal;

    #[test]
    fn a_newer_state_takes_the_place_of_the_older() {
        let outbox = Outbox::new();
        outbox.put([signal(1, SignalStatus::Firing), signal(2, SignalStatus::Firing)]);
        outbox.put([signal(1, SignalStatus::Resolved)]);
        assert_eq!(outbox.take(10), [signal(1, SignalStatus::Resolved), signal(2, SignalStatus::Firing)]);
    }

    #[test]
    fn what_is_put_back_comes_first_but_never_over_a_newer_state() {
        let outbox = Outbox::new();
        outbox.put([signal(1, SignalStatus::Firing), signal(2, SignalStatus::Firing)]);
        let batch = outbox.take(2);
        outbox.put([signal(3, SignalStatus::Firing), signal(2, SignalStatus::Resolved)]);
        outbox.put_back(batch);
        assert_eq!(
            outbox.take(10),
            [signal(1, SignalStatus::Firing), signal(3, SignalStatus::Firing), signal(2, SignalStatus::Resolved)]
        );
    }

    #[test]
    fn when_full_what_a_resync_brings_again_is_dropped() {
        let outbox = Outbox::with_capacity(2);
        outbox.put([signal(1, SignalStatus::Resolved), signal(2, SignalStatus::Firing)]);
        outbox.put([signal(3, SignalStatus::Resolved)]);
        assert_eq!(outbox.take(10), [signal(1, SignalStatus::Resolved), signal(3, SignalStatus::Resolved)]);
    }
}
