//! Trials end whatever the investigator does, and what has ended is not done again.

use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use marple_agent::model::{Delta, ModelAnswer, ModelLimits, ModelRequest};
use marple_agent::{Model, ModelError, Prompts};
use tempfile::TempDir;
use tokio::sync::mpsc;

use super::*;
use crate::case::{BUNDLE_FILE, CASE_FILE, Suite};
use crate::demo_bundle;
use crate::investigator::{Answer, Attempt, AttemptError, Identity, Staged};

const CASE: &str = "title: t\nask: {incident: true}\nverdict: no_fault\ndifficulty: easy\n";

/// What a scripted investigator does.
#[derive(Clone, Copy)]
enum Does {
    Answers,
    Fails,
    Panics,
    Hangs,
}

struct Scripted {
    identity: Identity,
    does: Does,
    asked: AtomicU32,
    at_once: AtomicU32,
    most: AtomicU32,
}

impl Scripted {
    fn new(does: Does, digest: &str) -> Arc<Self> {
        let identity =
            Identity { kind: "rules".to_owned(), name: "rules".to_owned(), model: None, digest: digest.to_owned() };
        Arc::new(Self { identity, does, asked: 0.into(), at_once: 0.into(), most: 0.into() })
    }

    fn asked(&self) -> u32 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Investigator for Scripted {
    fn identity(&self) -> &Identity {
        &self.identity
    }

    async fn investigate(&self, staged: &Staged<'_>) -> Result<Attempt, AttemptError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(at_once, Ordering::SeqCst);
        assert!(std::fs::read_to_string(&staged.kubeconfig).unwrap().contains(staged.replay.kubernetes_url()));
        tokio::task::yield_now().await;
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        match self.does {
            Does::Answers => Ok(Attempt::of(Answer::Prose(format!("Nothing is broken at {}.", staged.now())))),
            Does::Fails => Err(AttemptError::new("the model is away")),
            Does::Panics => panic!("a fault of its own"),
            Does::Hangs => std::future::pending().await,
        }
    }
}

struct Ground {
    folder: TempDir,
    suite: Suite,
}

fn ground(ids: &[&str]) -> Ground {
    let folder = tempfile::tempdir().unwrap();
    let mut bundle = demo_bundle().unwrap();
    bundle.prometheus = None;
    bundle.kubernetes.resources.clear();
    for id in ids {
        let case = folder.path().join("suite").join(id);
        std::fs::create_dir_all(&case).unwrap();
        std::fs::write(case.join(CASE_FILE), CASE).unwrap();
        bundle.write(&case.join(BUNDLE_FILE)).unwrap();
    }
    let suite = Suite::open(&folder.path().join("suite"), None).unwrap();
    Ground { folder, suite }
}

impl Ground {
    fn options(&self, deadline: Duration) -> RunOptions {
        RunOptions {
            jobs: NonZeroU32::MIN,
            deadline,
            folder: TrialFolder::open(&self.folder.path().join("trials")).unwrap(),
            judge: None,
            prometheus: None,
        }
    }

    async fn run(&self, investigator: &Arc<Scripted>, trials: u32) -> Vec<Trial> {
        let options = self.options(Duration::from_mins(1));
        let entrants = [Entrant { investigator: investigator.clone(), trials: NonZeroU32::new(trials).unwrap() }];
        run(&self.suite.cases, &entrants, &options, &|_| {}, &CancellationToken::new()).await.unwrap()
    }
}

#[tokio::test]
async fn each_case_is_tried_as_often_as_wanted_one_at_a_time() {
    let ground = ground(&["amber-quay", "coral-reed"]);
    let investigator = Scripted::new(Does::Answers, "1");
    let trials = ground.run(&investigator, 2).await;
    let told: Vec<_> = trials.iter().map(|trial| (trial.case.as_str(), trial.number, trial.failure())).collect();
    let wanted = [("amber-quay", 1, None), ("amber-quay", 2, None), ("coral-reed", 1, None), ("coral-reed", 2, None)];
    assert_eq!(told, wanted);
    assert_eq!((investigator.asked(), investigator.most.load(Ordering::SeqCst)), (4, 1));
}

#[tokio::test]
async fn what_has_ended_is_used_again_until_something_that_it_hangs_on_changes() {
    let mut ground = ground(&["amber-quay"]);
    let first = Scripted::new(Does::Answers, "1");
    let trials = ground.run(&first, 1).await;
    let again = Scripted::new(Does::Answers, "1");
    assert_eq!(ground.run(&again, 1).await, trials);
    assert_eq!(again.asked(), 0);
    // What is right to say is scored anew and asks for nothing.
    ground.suite.cases[0].case.hops = 3;
    ground.run(&again, 1).await;
    assert_eq!(again.asked(), 0);
    let other = Scripted::new(Does::Answers, "2");
    ground.run(&other, 1).await;
    assert_eq!(other.asked(), 1, "it is another program");
    ground.suite.cases[0].digest = "another recording".to_owned();
    ground.run(&again, 1).await;
    assert_eq!(again.asked(), 1, "it is another recording");
    ground.run(&again, 2).await;
    assert_eq!(again.asked(), 2, "one trial more is wanted");
}

/// Judges each answer the same, and counts them.
#[derive(Default)]
struct Judging(AtomicU32);

#[async_trait]
impl Model for Judging {
    fn name(&self) -> &'static str {
        "judging"
    }

    fn limits(&self) -> ModelLimits {
        ModelLimits { context_window: 8_000, max_output: 1_000, ..ModelLimits::default() }
    }

    async fn complete(&self, _: ModelRequest, _: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let content = r#"{"verdict": "no_fault", "must": [true]}"#.to_owned();
        Ok(ModelAnswer { content, ..ModelAnswer::default() })
    }
}

#[tokio::test]
async fn an_answer_is_judged_anew_where_what_is_asked_of_it_is_another() {
    let mut ground = ground(&["amber-quay"]);
    let must = |means: &str| serde_json::from_value(serde_json::json!([{"means": means, "any": ["x"]}])).unwrap();
    ground.suite.cases[0].case.must = must("that all is well");
    let model = Arc::new(Judging::default());
    let mut options = ground.options(Duration::from_mins(1));
    options.judge = Some(Judge::new(model.clone(), Prompts::embedded()));
    let entrants = [Entrant { investigator: Scripted::new(Does::Answers, "1"), trials: NonZeroU32::MIN }];
    let mut judged = Vec::new();
    for (means, hops) in [("that all is well", 1), ("that all is well", 2), ("that it was a drill", 2)] {
        (ground.suite.cases[0].case.must, ground.suite.cases[0].case.hops) = (must(means), hops);
        let trials = run(&ground.suite.cases, &entrants, &options, &|_| {}, &CancellationToken::new()).await.unwrap();
        assert!(trials[0].judgement.is_some());
        judged.push(model.0.load(Ordering::SeqCst));
    }
    assert_eq!(judged, [1, 1, 2]);
}

#[tokio::test]
async fn a_trial_that_failed_is_told_with_its_reason_and_tried_again() {
    let ground = ground(&["amber-quay"]);
    let away = Scripted::new(Does::Fails, "1");
    assert_eq!(ground.run(&away, 1).await[0].failure(), Some("the model is away"));
    let back = Scripted::new(Does::Answers, "1");
    assert_eq!(ground.run(&back, 1).await[0].failure(), None);
    assert_eq!(back.asked(), 1);
}

#[tokio::test]
async fn a_crash_is_a_failed_trial_and_not_the_end() {
    let ground = ground(&["amber-quay", "coral-reed"]);
    let trials = ground.run(&Scripted::new(Does::Panics, "1"), 1).await;
    assert_eq!(trials.len(), 2);
    for trial in trials {
        let why = trial.failure().unwrap();
        assert!(why.starts_with("the investigator crashed") && why.contains("a fault of its own"), "{why}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_never_answers_is_ended_at_the_deadline() {
    let ground = ground(&["amber-quay"]);
    let options = ground.options(Duration::from_secs(30));
    let entrants = [Entrant { investigator: Scripted::new(Does::Hangs, "1"), trials: NonZeroU32::MIN }];
    let trials = run(&ground.suite.cases, &entrants, &options, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(trials[0].failure(), Some("no answer came in 30 s"));
}

#[tokio::test]
async fn a_bundle_that_cannot_be_read_is_a_failed_trial() {
    let ground = ground(&["amber-quay"]);
    std::fs::write(&ground.suite.cases[0].bundle, "no bundle").unwrap();
    let trials = ground.run(&Scripted::new(Does::Answers, "1"), 1).await;
    assert!(trials[0].failure().unwrap().contains("incident.bundle: this is no bundle"), "{:?}", trials[0]);
}

#[tokio::test]
async fn a_cancelled_run_ends_and_keeps_what_had_ended() {
    let ground = ground(&["amber-quay", "coral-reed"]);
    let (options, cancel) = (ground.options(Duration::from_mins(1)), CancellationToken::new());
    let answers = Scripted::new(Does::Answers, "1");
    let entrants = [Entrant { investigator: answers.clone(), trials: NonZeroU32::MIN }];
    let stop = |happened: Happened<'_>| {
        if matches!(happened, Happened::Ended { .. }) {
            cancel.cancel();
        }
    };
    let ended = run(&ground.suite.cases, &entrants, &options, &stop, &cancel).await;
    assert!(matches!(ended, Err(RunError::Cancelled)), "{ended:?}");
    let again = Scripted::new(Does::Answers, "1");
    assert_eq!(ground.run(&again, 1).await.len(), 2);
    assert_eq!(again.asked(), 1);
}
