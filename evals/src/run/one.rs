//! One trial: the recording is read, served, investigated, and gone again.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::RunOptions;
use crate::bundle::Bundle;
use crate::case::SuiteCase;
use crate::investigator::{Answer, Attempt, AttemptError, Entry, Investigator, Speaker, Staged};
use crate::judge::Judge;
use crate::replay::{RealPrometheus, Replay, ReplayOptions};
use crate::score::statistics::rounded;
use crate::trial::{End, Key, Trial, TrialFolder, VERSION};

/// How long the servers of a recording may take to end: then its memory is freed.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

/// What an investigator that heeds its deadline is given beyond it.
const SLACK: Duration = Duration::from_secs(5);

/// A trial that is to be made.
#[derive(Clone)]
pub(super) struct Work {
    pub(super) case: Arc<SuiteCase>,
    investigator: Arc<dyn Investigator>,
    number: u32,
    key: Key,
    deadline: Duration,
    prometheus: Option<PathBuf>,
    /// Whose turn it is to read a recording, which takes more memory for a moment than the recording itself.
    reading: Arc<Semaphore>,
}

impl Work {
    pub(super) fn new(
        case: &SuiteCase,
        investigator: &Arc<dyn Investigator>,
        number: u32,
        options: &RunOptions,
        reading: &Arc<Semaphore>,
    ) -> Self {
        Self {
            key: Key::of(case, investigator.identity(), number),
            case: Arc::new(case.clone()),
            investigator: Arc::clone(investigator),
            number,
            deadline: options.deadline,
            prometheus: options.prometheus.clone(),
            reading: Arc::clone(reading),
        }
    }

    /// The kind of the investigator.
    pub(super) fn kind(&self) -> String {
        self.investigator.identity().kind.clone()
    }

    /// The trial, where it was made before.
    pub(super) fn kept(&self, folder: &TrialFolder) -> Option<Trial> {
        folder.find(&self.case.id, &self.kind(), self.number, &self.key)
    }

    /// The answer in words that this judge has not judged, and the key of its judgement.
    pub(super) fn to_judge(&self, trial: &Trial, judge: &Judge) -> Option<(String, String)> {
        let Some(Answer::Prose(text)) = trial.attempt().map(|attempt| &attempt.answer) else { return None };
        let key = judge.key(&self.case.case, text);
        let fits = trial.judgement.is_some() && trial.judged.as_ref() == Some(&key);
        (!fits).then(|| (text.clone(), key))
    }

    /// Makes it. Never fails: whatever happens is what it came to.
    pub(super) async fn run(&self, cancel: &CancellationToken) -> Trial {
        let began = Instant::now();
        // Dropped, an investigation ends what it started.
        let attempt = tokio::time::timeout(self.deadline + SLACK, self.attempt(cancel)).await;
        let attempt = attempt
            .unwrap_or_else(|_| Err(AttemptError::new(format!("no answer came in {} s", self.deadline.as_secs()))));
        self.ended(attempt, began.elapsed())
    }

    /// A trial whose task ended by itself.
    pub(super) fn crashed(&self, why: &str) -> Trial {
        self.ended(Err(AttemptError::new(format!("the investigator crashed: {why}"))), Duration::ZERO)
    }

    fn ended(&self, attempt: Result<Attempt, AttemptError>, took: Duration) -> Trial {
        let end = match attempt {
            Ok(attempt) => End::Answered(Box::new(attempt)),
            Err(AttemptError { why, transcript }) => End::Failed { why, transcript },
        };
        Trial {
            version: VERSION,
            key: self.key.clone(),
            case: self.case.id.clone(),
            investigator: self.investigator.identity().name.clone(),
            number: self.number,
            end,
            seconds: rounded(took.as_secs_f64()),
            judgement: None,
            judged: None,
        }
    }

    async fn attempt(&self, cancel: &CancellationToken) -> Result<Attempt, AttemptError> {
        let file = self.case.bundle.clone();
        let turn = self.reading.acquire().await;
        let bundle = tokio::task::spawn_blocking(move || Bundle::read(&file)).await.map_err(AttemptError::new)?;
        drop(turn);
        let bundle = Arc::new(bundle.map_err(AttemptError::new)?);
        let asked = self.case.case.ask.over(&bundle).map_err(AttemptError::new)?;
        let stop = cancel.child_token();
        // The same trial is given the same answers: which of two evaluates must not hang on how fast one starts.
        let prometheus = self.prometheus.clone().map(|program| RealPrometheus { program, first: false });
        let options = ReplayOptions { prometheus, ..ReplayOptions::default() };
        let replay = Replay::serve(bundle, options, stop.clone()).await.map_err(AttemptError::new)?;
        let folder = TempDir::with_prefix("marple-eval-").map_err(AttemptError::new)?;
        let kubeconfig = folder.path().join("kubeconfig");
        std::fs::write(&kubeconfig, replay.kubeconfig()).map_err(AttemptError::new)?;
        let staged = Staged {
            replay: &replay,
            asked: &asked,
            folder: folder.path(),
            kubeconfig,
            deadline: self.deadline,
            cancel: stop.clone(),
        };
        let mut attempt = self.investigator.investigate(&staged).await;
        drop(staged);
        let refused = replay.refused_writes();
        if !refused.is_empty() {
            let entry = Entry { by: Speaker::Marple, title: "refused to write".to_owned(), text: refused.join("\n") };
            match &mut attempt {
                Ok(Attempt { transcript, .. }) | Err(AttemptError { transcript, .. }) => transcript.push(entry),
            }
        }
        stop.cancel();
        // Connections that somebody holds open don't hold up the next trial; their server goes with them.
        tokio::time::timeout(ENDS_WITHIN, replay.ended()).await.ok();
        attempt
    }
}
