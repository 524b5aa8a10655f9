#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use marple_core::ObjectRef;
use tokio::time::Instant;

use super::*;
use crate::change::Entry;
use crate::deliver::DeliverError;
use crate::known::KnownError;

/// A runner that gives these answers in turn, then takes all.
#[derive(Default)]
struct Runner {
    answers: Mutex<VecDeque<DeliverError>>,
    /// How often it doesn't say what it holds.
    silent: Mutex<u32>,
    got: Mutex<Vec<Vec<String>>>,
}

#[async_trait]
impl Chronicle for Runner {
    async fn record(&self, batch: Batch) -> Result<(), DeliverError> {
        if let Some(error) = self.answers.lock().unwrap().pop_front() {
            return Err(error);
        }
        assert_eq!(batch.cluster, "test");
        self.got.lock().unwrap().push(batch.entries.into_iter().map(|entry| entry.object.name).collect());
        Ok(())
    }

    async fn kept(&self, _: &str, _: &str) -> Result<Kept, KnownError> {
        let mut silent = self.silent.lock().unwrap();
        if *silent > 0 {
            *silent -= 1;
            return Err(KnownError::away("away"));
        }
        Ok(Kept { listed_at: Some(Timestamp::UNIX_EPOCH), ..Kept::default() })
    }
}

fn recorder(runner: &Arc<Runner>) -> Recorder {
    Recorder { chronicle: runner.clone(), cluster: "test".to_owned(), cancel: CancellationToken::new() }
}

fn answering(answers: impl IntoIterator<Item = DeliverError>) -> Arc<Runner> {
    Arc::new(Runner { answers: Mutex::new(answers.into_iter().collect()), ..Runner::default() })
}

fn batch(names: impl IntoIterator<Item = usize>) -> Batch {
    let entry = |name: usize| Entry {
        object: ObjectRef::namespaced("ConfigMap", "shop", name.to_string()),
        changes: Vec::new(),
        state: None,
    };
    Batch { entries: names.into_iter().map(entry).collect(), ..Batch::of("test") }
}

/// Delivers these, in order, to the end.
async fn deliver(runner: &Arc<Runner>, batches: Vec<Batch>) -> Vec<Vec<String>> {
    let (sender, waiting) = mpsc::channel(WAITING);
    for batch in batches {
        sender.send(batch).await.unwrap();
    }
    drop(sender);
    recorder(runner).deliver(waiting).await;
    runner.got.lock().unwrap().clone()
}

#[tokio::test(start_paused = true)]
async fn what_fails_is_tried_again_until_it_is_kept_and_nothing_overtakes_it() {
    let start = Instant::now();
    let away = || DeliverError::Unreachable("refused".into());
    let runner = answering([away(), away(), DeliverError::Busy { retry_after: Some(Duration::from_secs(7)) }]);
    let got = deliver(&runner, vec![batch([1]), batch([2])]).await;
    assert_eq!(got, [["1", "2"]]);
    let took = start.elapsed();
    assert!(took >= Duration::from_millis(500 + 1_000 + 7_000), "{took:?}");
    assert!(took <= Duration::from_secs(10), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_is_dropped_and_what_comes_after_is_not() {
    let runner = answering([DeliverError::Refused("400".to_owned())]);
    let got = deliver(&runner, vec![batch(0..BATCH), batch([100])]).await;
    assert_eq!(got, [["100"]]);
}

#[tokio::test(start_paused = true)]
async fn many_are_delivered_in_bounded_posts() {
    let runner = answering([]);
    let got = deliver(&runner, vec![batch(0..3), batch(3..=2 * BATCH), batch([999])]).await;
    assert_eq!(got.iter().map(Vec::len).collect::<Vec<_>>(), [BATCH, BATCH, 1, 1]);
    let all: Vec<String> = (0..=2 * BATCH).chain([999]).map(|name| name.to_string()).collect();
    assert_eq!(got.concat(), all);
}

#[tokio::test(start_paused = true)]
async fn a_runner_is_asked_until_it_says_what_it_holds() {
    let runner = Arc::new(Runner { silent: Mutex::new(3), ..Runner::default() });
    let family = Family::named("ConfigMap").unwrap();
    let kept = recorder(&runner).kept(&family).await.unwrap();
    assert_eq!(kept.listed_at, Some(Timestamp::UNIX_EPOCH));
    let stopped = recorder(&Arc::new(Runner { silent: Mutex::new(u32::MAX), ..Runner::default() }));
    stopped.cancel.cancel();
    assert_eq!(stopped.kept(&family).await, None);
}
