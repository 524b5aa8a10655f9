//! Signals that wait for delivery: of each condition the newest state.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use marple_core::{Fingerprint, Signal};
use metrics::gauge;
use tokio::sync::Notify;

use crate::metric;
use crate::until::until;

/// From how many conditions on nothing more is judged until some are delivered: a signal takes about 1 KiB, so 8 MiB of the
/// forwarder's 60.
const CAPACITY: usize = 8192;

/// Signals that wait for delivery. A newer state of a condition takes the place of the older, so that a runner that was
/// away for long gets what is, not all that was. None is dropped: who puts waits for [`Outbox::room`] first, and so no more
/// are beyond the capacity than one observation or one moment brings, at most one for each condition that is tracked.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    filled: Notify,
    emptied: Notify,
    capacity: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    signals: HashMap<Fingerprint, Signal>,
    order: VecDeque<Fingerprint>,
    /// Whether nothing may be taken yet.
    held: bool,
}

impl Outbox {
    pub(crate) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    fn with_capacity(capacity: usize) -> Self {
        Self { waiting: Mutex::default(), filled: Notify::new(), emptied: Notify::new(), capacity }
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
        }
        self.changed(&waiting);
    }

    /// Lets nothing be taken until [`Outbox::open`].
    pub(crate) fn hold(&self) {
        self.waiting().held = true;
    }

    /// Lets what waits be taken.
    pub(crate) fn open(&self) {
        let mut waiting = self.waiting();
        waiting.held = false;
        self.changed(&waiting);
    }

    /// Whether nothing may be taken yet.
    pub(crate) fn is_held(&self) -> bool {
        self.waiting().held
    }

    /// Takes the longest waiting ones.
    pub(crate) fn take(&self, most: usize) -> Vec<Signal> {
        let mut waiting = self.waiting();
        if waiting.held {
            return Vec::new();
        }
        let count = most.min(waiting.order.len());
        let first: Vec<Fingerprint> = waiting.order.drain(..count).collect();
        let signals = first.iter().filter_map(|fingerprint| waiting.signals.remove(fingerprint)).collect();
        self.changed(&waiting);
        drop(waiting);
        self.emptied.notify_waiters();
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
        }
        self.changed(waiting);
    }

    /// Waits until there is something to take.
    pub(crate) async fn filled(&self) {
        let may_be_taken = || {
            let waiting = self.waiting();
            !waiting.held && !waiting.order.is_empty()
        };
        until(&self.filled, may_be_taken).await;
    }

    /// Whether there is room for what is judged next.
    pub(crate) fn has_room(&self) -> bool {
        self.waiting().order.len() < self.capacity
    }

    /// Waits until there is room for what is judged next.
    pub(crate) async fn room(&self) {
        self.fewer_than(self.capacity).await;
    }

    /// Waits until fewer than so many wait, or than there is room for.
    pub(crate) async fn nearly_empty(&self, count: usize) {
        self.fewer_than(count.min(self.capacity)).await;
    }

    async fn fewer_than(&self, count: usize) {
        until(&self.emptied, || self.waiting().order.len() < count).await;
    }

    #[allow(clippy::cast_precision_loss, reason = "counts of signals are far below 2^52")]
    fn changed(&self, waiting: &Waiting) {
        gauge!(metric::WAITING).set(waiting.order.len() as f64);
        if !waiting.order.is_empty() {
            self.filled.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use marple_core::SignalStatus;

    use super::*;
    use crate::deliver::fixture::signal;

    #[test]
    fn a_newer_state_takes_the_place_of_the_older() {
        let outbox = Outbox::new();
        outbox.put([signal(1, SignalStatus::Firing), signal(2, SignalStatus::Firing)]);
        outbox.put([signal(1, SignalStatus::Resolved)]);
        assert_eq!(outbox.take(10), [signal(1, SignalStatus::Resolved), signal(2, SignalStatus::Firing)]);
    }

    #[tokio::test]
    async fn what_is_held_is_taken_once_it_is_opened_and_in_its_newest_state() {
        let outbox = Outbox::new();
        outbox.hold();
        outbox.put([signal(1, SignalStatus::Firing), signal(1, SignalStatus::Resolved)]);
        assert_eq!((outbox.take(10), outbox.is_held()), (vec![], true));
        let filled = outbox.filled();
        tokio::pin!(filled);
        assert!(futures::poll!(&mut filled).is_pending());
        outbox.open();
        filled.await;
        assert_eq!(outbox.take(10), [signal(1, SignalStatus::Resolved)]);
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

    #[tokio::test]
    async fn when_full_nothing_is_dropped_and_who_would_put_more_waits_for_room() {
        let outbox = Outbox::with_capacity(2);
        outbox.put([
            signal(1, SignalStatus::Resolved),
            signal(2, SignalStatus::Firing),
            signal(3, SignalStatus::Firing),
        ]);
        assert!(!outbox.has_room());
        let mut room = std::pin::pin!(outbox.room());
        assert!(futures::poll!(&mut room).is_pending());
        assert_eq!(outbox.take(1), [signal(1, SignalStatus::Resolved)]);
        assert!(futures::poll!(&mut room).is_pending(), "two are as many as may wait");
        assert_eq!(outbox.take(1), [signal(2, SignalStatus::Firing)]);
        room.await;
        assert_eq!(outbox.take(10), [signal(3, SignalStatus::Firing)]);
    }
}
