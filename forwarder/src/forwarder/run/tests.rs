#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use serde_json::json;

use super::*;
use crate::config::Scope;
use crate::deliver::Pump;
use crate::object::Object;
use crate::{Deliver, DeliverError, ForwarderConfig};

/// More conditions than may wait for delivery.
const MANY: usize = 10_000;

/// A runner that is away until it is back, and notes which conditions it was told of.
#[derive(Default)]
struct Runner {
    back: AtomicBool,
    told: Mutex<Vec<String>>,
}

#[async_trait]
impl Deliver for Runner {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        if !self.back.load(Ordering::Relaxed) {
            return Err(DeliverError::Unreachable("away".into()));
        }
        let name = |signal: Signal| signal.subject.unwrap().name;
        self.told.lock().unwrap().extend(signals.into_iter().map(name));
        Ok(())
    }
}

impl Runner {
    /// Waits until so many signals have come, and gives them.
    async fn has(&self, count: usize) -> Vec<String> {
        let came = async {
            while self.told.lock().unwrap().len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_hours(1), came).await;
        let told = self.told.lock().unwrap().clone();
        assert!(in_time.is_ok(), "{} of {count} have come", told.len());
        told
    }
}

/// A pod whose container can't be made.
fn broken(number: usize) -> Observation {
    let pod = json!({
        "metadata": {"name": format!("cart-{number}"), "namespace": "shop", "uid": format!("u{number}")},
        "status": {"phase": "Pending", "containerStatuses": [
            {"name": "app", "state": {"waiting": {"reason": "CreateContainerConfigError", "message": "no"}}}]}});
    Observation::Seen(Object::Pod(serde_json::from_value(pod).unwrap()), Scope::Cluster)
}

fn names(signals: &[String]) -> BTreeSet<&str> {
    signals.iter().map(String::as_str).collect()
}

#[tokio::test(start_paused = true)]
async fn however_many_conditions_hold_all_are_told_and_told_again_by_each_resync() {
    let (runner, outbox, cancel) = (Arc::new(Runner::default()), Arc::new(Outbox::new()), CancellationToken::new());
    let picture = Picture::new("test", ForwarderConfig::default());
    let (phase, _opened) = watch::channel(Phase::Surroundings);
    let mut run = Run::new(picture, outbox.clone(), Duration::from_mins(10), phase);
    let (sender, observations) = mpsc::channel(1);
    let mut tasks = JoinSet::new();
    let (pump, pumping) = (Pump::new(outbox.clone(), runner.clone()), cancel.clone());
    tasks.spawn(async move {
        pump.run(pumping).await;
        "delivery"
    });
    let stop = cancel.clone();
    let judging = tokio::spawn(async move { run.judge(observations, &mut tasks, &stop).await });
    let observing = tokio::spawn(async move {
        for number in 0..MANY {
            sender.send(broken(number)).await.unwrap();
        }
        sender
    });

    tokio::time::sleep(Duration::from_mins(5)).await;
    assert!(!observing.is_finished(), "the watches wait while the runner is away");
    assert!(!outbox.has_room());
    runner.back.store(true, Ordering::Relaxed);
    let told = runner.has(MANY).await;
    assert_eq!((told.len(), names(&told).len()), (MANY, MANY), "each once");
    let _sender = observing.await.unwrap();
    let told = runner.has(2 * MANY).await.split_off(MANY);
    assert_eq!((told.len(), names(&told).len()), (MANY, MANY), "each once again");
    runner.has(3 * MANY).await;

    cancel.cancel();
    judging.await.unwrap().unwrap();
}

/// A Job that failed then.
fn failed(at: Timestamp) -> Observation {
    let job = json!({
        "metadata": {"name": "nightly", "namespace": "shop", "uid": "j1"},
        "status": {"conditions": [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded",
            "lastTransitionTime": at}]}});
    Observation::Seen(Object::Job(serde_json::from_value(job).unwrap()), Scope::Cluster)
}

/// A runner that takes signals, and says what it holds only when it is asked again.
struct Late {
    holds: Signal,
    asked: AtomicBool,
    taken: Mutex<Vec<Signal>>,
}

#[async_trait]
impl Deliver for Late {
    async fn deliver(&self, signals: Vec<Signal>) -> Result<(), DeliverError> {
        self.taken.lock().unwrap().extend(signals);
        Ok(())
    }
}

#[async_trait]
impl Known for Late {
    async fn firing(&self) -> Result<Vec<Signal>, KnownError> {
        if !self.asked.swap(true, Ordering::Relaxed) {
            return Err(KnownError::away("away"));
        }
        assert_eq!(*self.taken.lock().unwrap(), [], "nothing is told before that is known");
        Ok(vec![self.holds.clone()])
    }

    async fn told(&self, _: Timestamp) -> Result<Vec<Telling>, KnownError> {
        Ok(Vec::new())
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_told_before_the_runner_has_said_what_it_holds_and_that_goes_on_as_it_was_told() {
    let at = Timestamp::from_second(Timestamp::now().as_second() - 9).unwrap();
    let told = Picture::new("test", ForwarderConfig::default()).take(failed(at), Timestamp::now());
    let [mut holds] = <[Signal; 1]>::try_from(told).unwrap();
    holds.starts_at = holds.starts_at.checked_add(Duration::from_millis(451)).unwrap();
    let runner = Arc::new(Late { holds: holds.clone(), asked: AtomicBool::default(), taken: Mutex::default() });
    let (outbox, cancel) = (Arc::new(Outbox::new()), CancellationToken::new());
    let (phase, _opened) = watch::channel(Phase::Surroundings);
    let picture = Picture::new("test", ForwarderConfig::default());
    let mut run = Run::new(picture, outbox.clone(), Duration::from_hours(10), phase);
    run.known = Some(runner.clone());
    run.know_first(&cancel).await;
    let (sender, observations) = mpsc::channel(1);
    let mut tasks = JoinSet::new();
    let (pump, pumping) = (Pump::new(outbox, runner.clone()), cancel.clone());
    tasks.spawn(async move {
        pump.run(pumping).await;
        "delivery"
    });
    let stop = cancel.clone();
    let judging = tokio::spawn(async move { run.judge(observations, &mut tasks, &stop).await });
    sender.send(failed(at)).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(*runner.taken.lock().unwrap(), [holds]);
    cancel.cancel();
    judging.await.unwrap().unwrap();
}
