#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use marple_core::SignalStatus::{Firing, Resolved};
use tokio::sync::Notify;

use super::*;
use crate::deliver::fixture::signal;

/// A runner that gives these answers in turn, then takes all; and refuses whatever holds signal 13.
#[derive(Default)]
struct Runner {
    answers: Mutex<VecDeque<DeliverError>>,
    got: Mutex<Vec<Vec<u64>>>,
    came: Notify,
}

#[async_trait]
impl Deliver for Runner {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        let numbers: Vec<u64> = signals.iter().map(|signal| signal.fingerprint.bits()).collect();
        self.came.notify_one();
        if numbers.contains(&13) {
            return Err(DeliverError::Refused("13".to_owned()));
        }
        if let Some(error) = self.answers.lock().unwrap().pop_front() {
            return Err(error);
        }
        self.got.lock().unwrap().push(numbers);
        Ok(())
    }
}

impl Runner {
    fn answering(answers: impl IntoIterator<Item = DeliverError>) -> Arc<Self> {
        Arc::new(Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() })
    }

    /// Waits until these were taken, in any batches.
    async fn took(&self, numbers: &[u64]) {
        let taken = async {
            while self.got.lock().unwrap().concat() != numbers {
                self.came.notified().await;
                tokio::task::yield_now().await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_hours(1), taken).await;
        assert!(in_time.is_ok(), "took {:?}", self.got.lock().unwrap());
    }
}

fn unreachable() -> DeliverError {
    DeliverError::Unreachable("refused".into())
}

fn start(runner: &Arc<Runner>, outbox: &Arc<Outbox>) -> CancellationToken {
    let cancel = CancellationToken::new();
    tokio::spawn(Pump::new(outbox.clone(), runner.clone()).run(cancel.clone()));
    cancel
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_until_it_is_taken_slower_each_time() {
    let start_of_test = tokio::time::Instant::now();
    let (runner, outbox) = (Runner::answering([unreachable(), unreachable(), unreachable()]), Arc::new(Outbox::new()));
    outbox.put([signal(1, Firing), signal(2, Firing)]);
    let _cancel = start(&runner, &outbox).drop_guard();
    runner.took(&[1, 2]).await;
    let least = Duration::from_millis(500 + 1000 + 2000);
    let took = start_of_test.elapsed();
    assert!(took >= least && took <= 2 * least, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_busy_runner_is_left_alone_for_as_long_as_it_asks() {
    let start_of_test = tokio::time::Instant::now();
    let busy = DeliverError::Busy { retry_after: Some(Duration::from_secs(7)) };
    let (runner, outbox) = (Runner::answering([busy]), Arc::new(Outbox::new()));
    outbox.put([signal(1, Firing)]);
    let _cancel = start(&runner, &outbox).drop_guard();
    runner.took(&[1]).await;
    assert_eq!(start_of_test.elapsed(), Duration::from_secs(7));
}

#[tokio::test(start_paused = true)]
async fn of_a_refused_batch_all_but_the_refused_signal_arrive() {
    let (runner, outbox) = (Runner::answering([]), Arc::new(Outbox::new()));
    outbox.put((10..17).map(|number| signal(number, Firing)));
    let _cancel = start(&runner, &outbox).drop_guard();
    runner.took(&[10, 11, 12, 14, 15, 16]).await;
}

#[tokio::test(start_paused = true)]
async fn what_waits_at_the_end_is_tried_once_more() {
    let (runner, outbox) = (Runner::answering([unreachable()]), Arc::new(Outbox::new()));
    outbox.put([signal(1, Firing)]);
    let cancel = CancellationToken::new();
    let running = tokio::spawn(Pump::new(outbox.clone(), runner.clone()).run(cancel.clone()));
    runner.came.notified().await;
    outbox.put([signal(1, Resolved), signal(2, Firing)]);
    cancel.cancel();
    running.await.unwrap();
    assert_eq!(runner.got.lock().unwrap().concat(), [1, 2]);
}
