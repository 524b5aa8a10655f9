//! Keeps to what Slack allows a channel: about one message a second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Gives turns, one an interval. Messages to the channel go before those to threads: in a storm people first want to
/// know what is broken.
#[derive(Debug)]
pub(super) struct Pace {
    interval: Duration,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    next: Instant,
    urgent: usize,
}

/// Somebody urgent waits, until this is dropped.
struct Waiting<'a>(&'a Pace);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.urgent = state.urgent.saturating_sub(1);
    }
}

impl Pace {
    pub(super) fn new(interval: Duration) -> Self {
        Self { interval, state: Mutex::new(State { next: Instant::now(), urgent: 0 }) }
    }

    /// Waits for a turn.
    pub(super) async fn turn(&self, urgent: bool) {
        let _waiting = urgent.then(|| {
            self.lock().urgent += 1;
            Waiting(self)
        });
        while let Some(wait) = self.take(urgent) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Nobody has a turn for so long.
    pub(super) fn pause(&self, length: Duration) {
        let mut state = self.lock();
        state.next = state.next.max(Instant::now() + length);
    }

    /// Takes the turn, or says how long to wait before asking again.
    fn take(&self, urgent: bool) -> Option<Duration> {
        let mut state = self.lock();
        let now = Instant::now();
        let wait = state.next.saturating_duration_since(now);
        if wait.is_zero() && (urgent || state.urgent == 0) {
            state.next = now + self.interval;
            return None;
        }
        // Whoever gives way asks again once the urgent one has surely had its turn.
        Some(wait.max(self.interval.min(Duration::from_millis(50))).max(Duration::from_millis(1)))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // Two plain fields: a panic elsewhere can't have left them half written.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn turns_are_an_interval_apart_and_the_urgent_go_first() {
        let interval = Duration::from_millis(60);
        let pace = Arc::new(Pace::new(interval));
        let start = Instant::now();
        pace.turn(false).await;
        let (said, mut order) = tokio::sync::mpsc::channel(3);
        for (urgent, name) in [(false, "thread"), (true, "channel"), (true, "channel")] {
            let (pace, said) = (Arc::clone(&pace), said.clone());
            tokio::spawn(async move {
                pace.turn(urgent).await;
                said.send((name, start.elapsed())).await
            });
        }
        for (expected, turns) in [("channel", 1), ("channel", 2), ("thread", 3)] {
            let Some((name, at)) = order.recv().await else { break };
            assert_eq!(name, expected);
            assert!(at >= interval * turns, "{name} after {at:?}");
        }
    }
}
