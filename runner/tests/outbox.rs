//! Delivery, whatever happens on the way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod views;
mod watched;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{IncidentId, Period, Secret};
use marple_runner::outbox::{Deliveries, DeliveryConfig, ViewError, Views};
use marple_runner::render::View;
use marple_runner::sinks::{Attempt, ReceiptProgress, Sink, SinkError, SlackConfig, SlackSink, client};
use marple_runner::store::{Outbox, SqliteStore};
use marple_tests::slack::{Call, Fault, SlackDouble, SlackMessage};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use self::watched::Watched;

/// Incidents by their present revision, which their title tells.
#[derive(Default)]
struct Known(Mutex<BTreeMap<IncidentId, u64>>);

impl Known {
    fn set(&self, incident: IncidentId, revision: u64) {
        self.0.lock().unwrap().insert(incident, revision);
    }
}

#[async_trait]
impl Views for Known {
    async fn view(&self, incident: IncidentId) -> Result<View, ViewError> {
        let revision = *self.0.lock().unwrap().get(&incident).ok_or(ViewError::Gone(incident))?;
        // Two alerts and two remedies, so that there are messages in the thread too.
        let mut view = views::rules_only();
        view.members.push(views::member("TargetDown", "cart-1", "Target is down."));
        view.incident.id = incident;
        view.incident.revision = revision;
        view.incident.title = format!("Deployment shop/cart: revision {revision}");
        view.conclusion.as_mut().unwrap().remedies[1].title = format!("Roll back revision {revision}");
        Ok(view)
    }
}

/// A sink that does as the test says, and counts.
struct Scripted {
    answers: Mutex<Vec<Result<Value, SinkError>>>,
    gate: Semaphore,
    begun: AtomicUsize,
    attempts: Mutex<Vec<Attempt>>,
}

impl Scripted {
    fn new(answers: impl IntoIterator<Item = Result<Value, SinkError>>, open: usize) -> Arc<Self> {
        let mut answers: Vec<_> = answers.into_iter().collect();
        answers.reverse();
        Arc::new(Self {
            answers: Mutex::new(answers),
            gate: Semaphore::new(open),
            begun: AtomicUsize::new(0),
            attempts: Mutex::default(),
        })
    }
}

#[async_trait]
impl Sink for Scripted {
    fn kind(&self) -> &'static str {
        "scripted"
    }

    async fn deliver(
        &self,
        _: &View,
        _: Option<&Value>,
        attempt: &Attempt,
        _: &dyn ReceiptProgress,
    ) -> Result<Value, SinkError> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        self.gate.acquire().await.unwrap().forget();
        self.attempts.lock().unwrap().push(attempt.clone());
        self.answers.lock().unwrap().pop().unwrap_or_else(|| Ok(json!({ "done": true })))
    }
}

fn quick() -> DeliveryConfig {
    DeliveryConfig {
        concurrency: NonZeroUsize::new(4).unwrap(),
        deadline: Period::seconds(20),
        first_pause: Period::from(Duration::from_millis(2)),
        longest_pause: Period::from(Duration::from_millis(10)),
        give_up_after: Period::hours(24),
    }
}

struct Bench {
    outbox: Arc<Watched>,
    known: Arc<Known>,
    _folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
        Self { outbox: Arc::new(Watched::new(store)), known: Arc::default(), _folder: folder }
    }

    fn run(
        &self,
        sinks: &[(&str, Arc<dyn Sink>)],
        config: DeliveryConfig,
        cancel: &CancellationToken,
    ) -> JoinHandle<()> {
        let sinks = sinks.iter().map(|(name, sink)| ((*name).to_owned(), Arc::clone(sink))).collect();
        let (outbox, views): (Arc<dyn Outbox>, Arc<dyn Views>) = (self.outbox.clone(), self.known.clone());
        let deliveries = Deliveries::new(outbox, sinks, views, config);
        let cancel = cancel.clone();
        tokio::spawn(async move { deliveries.run(cancel).await.unwrap() })
    }

    async fn want(&self, incident: IncidentId, receiver: &str, revision: u64) {
        self.known.set(incident, revision);
        self.outbox.outbox_want(incident, &[receiver], revision, Timestamp::now()).await.unwrap();
    }
}

fn slack(double: &SlackDouble, timeout: Duration) -> Arc<dyn Sink> {
    let config = SlackConfig {
        token: Secret::new(&double.token),
        channel: double.channel.clone(),
        api_url: double.url.clone(),
        interval: Period::from(Duration::ZERO),
        timeout: Period::from(timeout),
    };
    Arc::new(SlackSink::new("team", &config, client().unwrap()))
}

fn retry(after: Option<Duration>) -> SinkError {
    SinkError::Retry { reason: "not now".to_owned(), after, maybe_sent: false }
}

#[tokio::test]
async fn a_message_is_tried_again_until_it_is_confirmed() {
    let bench = Bench::new().await;
    let sink = Scripted::new(
        [Err(retry(None)), Err(SinkError::Retry { reason: "lost".to_owned(), after: None, maybe_sent: true })],
        9,
    );
    let (cancel, incident) = (CancellationToken::new(), IncidentId::new());
    let task = bench.run(&[("team", sink.clone())], quick(), &cancel);
    bench.want(incident, "team", 7).await;
    let fate = bench.outbox.ended(incident, "team", 7).await;
    assert_eq!(fate.revisions, [7]);
    assert_eq!(fate.retries.iter().map(|(error, _)| error.as_str()).collect::<Vec<_>>(), ["not now", "lost"]);
    let attempts = sink.attempts.lock().unwrap().clone();
    let told: Vec<_> = attempts.iter().map(|attempt| (attempt.number, attempt.maybe_sent)).collect();
    assert_eq!(told, [(1, false), (2, false), (3, true)]);
    assert!(attempts.iter().all(|attempt| attempt.key == format!("{incident}.team.7")));
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn revisions_in_between_are_skipped() {
    let bench = Bench::new().await;
    let sink = Scripted::new([], 0);
    let (cancel, incident) = (CancellationToken::new(), IncidentId::new());
    let task = bench.run(&[("team", sink.clone())], quick(), &cancel);
    for revision in 1..=50 {
        bench.want(incident, "team", revision).await;
    }
    sink.gate.add_permits(100);
    let fate = bench.outbox.ended(incident, "team", 50).await;
    assert!(fate.revisions.len() <= 3, "{:?}", fate.revisions);
    assert_eq!(fate.revisions.last(), Some(&50));
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_hangs_holds_up_no_other() {
    let bench = Bench::new().await;
    let (hung, well) = (Scripted::new([], 0), Scripted::new([], 1_000));
    let cancel = CancellationToken::new();
    let incidents: Vec<IncidentId> = (0..200).map(|_| IncidentId::new()).collect();
    for incident in &incidents {
        bench.want(*incident, "hung", 1).await;
    }
    let task = bench.run(&[("hung", hung.clone()), ("well", well.clone())], quick(), &cancel);
    for incident in &incidents {
        bench.want(*incident, "well", 1).await;
    }
    for incident in &incidents {
        assert_eq!(bench.outbox.ended(*incident, "well", 1).await.confirmed, 1);
    }
    assert_eq!(hung.begun.load(Ordering::SeqCst), 4, "no more than the bound are begun");
    cancel.cancel();
    task.abort();
}

#[tokio::test]
async fn a_refused_message_is_given_up_at_once_and_told_again_when_there_is_news() {
    let bench = Bench::new().await;
    let sink = Scripted::new([Err(SinkError::Permanent { reason: "no such thing".to_owned() })], 9);
    let (cancel, incident) = (CancellationToken::new(), IncidentId::new());
    let task = bench.run(&[("team", sink.clone())], quick(), &cancel);
    bench.want(incident, "team", 1).await;
    let fate = bench.outbox.ended(incident, "team", 1).await;
    assert_eq!((fate.dead.as_deref(), fate.retries.len()), (Some("no such thing"), 0));
    assert_eq!(bench.outbox.outbox_dead(9).await.unwrap().len(), 1);
    bench.want(incident, "team", 2).await;
    bench.outbox.until(incident, "team", |fate| fate.confirmed == 2).await;
    assert_eq!(bench.outbox.outbox_dead(9).await.unwrap().len(), 0);
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_dead_letter_is_sent_again_when_an_operator_asks() {
    let bench = Bench::new().await;
    let sink = Scripted::new([Err(SinkError::Permanent { reason: "no such thing".to_owned() })], 9);
    let (cancel, incident) = (CancellationToken::new(), IncidentId::new());
    let task = bench.run(&[("team", sink.clone())], quick(), &cancel);
    bench.want(incident, "team", 1).await;
    bench.outbox.until(incident, "team", |fate| fate.dead.is_some()).await;
    let row = bench.outbox.outbox_dead(1).await.unwrap().remove(0);
    bench.outbox.outbox_resend(row.id, Timestamp::now()).await.unwrap();
    bench.outbox.until(incident, "team", |fate| fate.confirmed == 1).await;
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn what_does_not_get_through_in_the_time_given_is_given_up() {
    let bench = Bench::new().await;
    let sink = Scripted::new((0..1_000).map(|_| Err(retry(None))), 1_000);
    let (cancel, incident) = (CancellationToken::new(), IncidentId::new());
    let config = DeliveryConfig { give_up_after: Period::from(Duration::from_millis(60)), ..quick() };
    let task = bench.run(&[("team", sink.clone())], config, &cancel);
    bench.want(incident, "team", 1).await;
    let fate = bench.outbox.ended(incident, "team", 1).await;
    assert_eq!(fate.dead.as_deref(), Some("given up after 60ms of trying: not now"));
    assert!(fate.retries.len() > 1);
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_asks_to_be_left_alone_is() {
    let bench = Bench::new().await;
    let sink = Scripted::new([Err(retry(Some(Duration::from_millis(300))))], 9);
    let (cancel, first, second) = (CancellationToken::new(), IncidentId::new(), IncidentId::new());
    let task = bench.run(&[("team", sink.clone())], quick(), &cancel);
    bench.want(first, "team", 1).await;
    let fate = bench.outbox.until(first, "team", |fate| !fate.retries.is_empty()).await;
    let asked = std::time::Instant::now();
    assert!(fate.retries[0].1 > Duration::from_millis(200), "{:?}", fate.retries);
    // Another incident's message waits as well.
    bench.want(second, "team", 1).await;
    bench.outbox.ended(second, "team", 1).await;
    assert!(asked.elapsed() > Duration::from_millis(200), "{:?}", asked.elapsed());
    cancel.cancel();
    task.await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_is_gone_from_the_configuration_is_a_dead_letter_that_says_so() {
    let bench = Bench::new().await;
    let (cancel, incident) = (CancellationToken::new(), IncidentId::new());
    bench.want(incident, "old", 1).await;
    let task = bench.run(&[], quick(), &cancel);
    let fate = bench.outbox.ended(incident, "old", 1).await;
    assert!(fate.dead.unwrap().contains("no receiver \"old\" in the configuration"));
    cancel.cancel();
    task.await.unwrap();
}

/// What happens on the way.
#[derive(Clone, Debug)]
enum Step {
    /// An incident changes.
    News(usize),
    /// A request of Slack's fails.
    Fail(Option<Call>, Fault),
    /// The program dies, and starts again.
    Crash,
    /// So many requests are let through before the next step.
    Requests(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let call = prop_oneof![
        2 => Just(Some(Call::Post)),
        1 => Just(Some(Call::Update)),
        1 => Just(Some(Call::History)),
        1 => Just(Some(Call::Replies)),
        1 => Just(None),
    ];
    let fault = prop_oneof![
        2 => Just(Fault::LoseAnswer),
        2 => Just(Fault::DoThenStatus(502)),
        1 => Just(Fault::DoThenHang),
        1 => Just(Fault::Status(500)),
        1 => Just(Fault::TooMany(0)),
        1 => Just(Fault::Cut),
        1 => Just(Fault::Hang),
        1 => Just(Fault::Refuse("internal_error")),
        1 => Just(Fault::Refuse("ratelimited_not")),
    ];
    prop_oneof![
        3 => (0..3_usize).prop_map(Step::News),
        4 => (call, fault).prop_map(|(call, fault)| Step::Fail(call, fault)),
        2 => Just(Step::Crash),
        3 => (1..6_usize).prop_map(Step::Requests),
    ]
}

#[test]
fn no_message_is_lost_or_seen_twice_whatever_fails_in_whatever_order() {
    let mut runner = TestRunner::new(Config { cases: 64, failure_persistence: None, ..Config::default() });
    runner
        .run(&prop::collection::vec(step(), 1..14), |steps| {
            // One thread: Slack's double has taken in what it was sent before the sender's next step.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(play(steps))
        })
        .unwrap();
}

async fn play(steps: Vec<Step>) -> Result<(), TestCaseError> {
    let bench = Bench::new().await;
    let double = SlackDouble::start().await;
    let sink = slack(&double, Duration::from_millis(150));
    let (cancel, incidents) = (CancellationToken::new(), [IncidentId::new(), IncidentId::new(), IncidentId::new()]);
    let mut revisions = [0_u64; 3];
    let mut task = bench.run(&[("team", Arc::clone(&sink))], quick(), &cancel);
    for step in steps {
        match step {
            Step::News(which) => {
                revisions[which] += 1;
                bench.want(incidents[which], "team", revisions[which]).await;
            }
            Step::Fail(call, fault) => double.fail(call, fault),
            Step::Crash => {
                task.abort();
                assert!(task.await.is_err());
                task = bench.run(&[("team", Arc::clone(&sink))], quick(), &cancel);
            }
            Step::Requests(count) => double.requests(count, Duration::from_millis(40)).await,
        }
    }
    double.heal();
    for (incident, revision) in incidents.into_iter().zip(revisions).filter(|(_, revision)| *revision > 0) {
        let fate = bench.outbox.ended(incident, "team", revision).await;
        let of_incident = |part: &str| {
            let messages = double.messages().into_iter();
            let of = |message: &SlackMessage| {
                let payload = &message.metadata.as_ref().unwrap()["event_payload"];
                payload["incident"] == json!(incident) && payload["part"] == json!(part)
            };
            messages.filter(of).collect::<Vec<_>>()
        };
        for part in ["incident", "details", "alerts"] {
            let messages = of_incident(part);
            prop_assert!(messages.len() <= 1, "{part} is there {} times: {:#?}", messages.len(), fate);
            if fate.dead.is_none() {
                prop_assert_eq!(messages.len(), 1, "{} is lost", part);
            }
        }
        if fate.dead.is_none() {
            let said = &of_incident("incident")[0].text;
            prop_assert!(said.contains(&format!("revision {revision}:")), "{said} is not revision {revision}");
        }
        let refused = fate.dead.is_none_or(|reason| reason.contains("refused"));
        prop_assert!(refused, "given up, though nothing was refused");
    }
    prop_assert_eq!(double.violations(), Vec::<String>::new());
    cancel.cancel();
    task.await.unwrap();
    Ok(())
}
