//! Has investigators investigate the cases of a suite, so many at a time; what has ended is kept and not done again.

mod one;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use futures::stream::{FuturesUnordered, StreamExt as _};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::case::SuiteCase;
use crate::investigator::Investigator;
use crate::judge::Judge;
use crate::trial::{Trial, TrialError, TrialFolder};
use one::Work;

/// How a run is made.
pub struct RunOptions {
    /// Trials that are under way at a time.
    pub jobs: NonZeroU32,
    /// The longest that one trial may take.
    pub deadline: Duration,
    /// Where trials are kept, and found again.
    pub folder: TrialFolder,
    /// Judges answers in words, where that is wanted.
    pub judge: Option<Judge>,
    /// A Prometheus program, for queries that a replay does not evaluate itself.
    pub prometheus: Option<PathBuf>,
}

/// Who is measured, and how often.
#[derive(Clone)]
pub struct Entrant {
    /// Who.
    pub investigator: Arc<dyn Investigator>,
    /// Trials of each case.
    pub trials: NonZeroU32,
}

/// A run did not come to its end. What had ended is kept.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// It was cancelled.
    #[error("the run was interrupted; what had ended is kept, and used again by the next run with the same --out")]
    Cancelled,
    /// A trial could not be kept.
    #[error(transparent)]
    Keep(#[from] TrialError),
}

/// Something that happened in a run.
#[derive(Clone, Copy, Debug)]
pub enum Happened<'a> {
    /// It begins: so many trials, of which so many were found.
    Begun {
        /// All.
        trials: usize,
        /// Those that had ended before.
        found: usize,
    },
    /// A trial has ended.
    Ended {
        /// Which, with what it came to.
        trial: &'a Trial,
        /// Its case.
        case: &'a SuiteCase,
    },
}

/// Runs all trials that were not kept before, and gives all of them, by case, investigator and number.
pub async fn run(
    cases: &[SuiteCase],
    entrants: &[Entrant],
    options: &RunOptions,
    tell: &(dyn Fn(Happened<'_>) + Send + Sync),
    cancel: &CancellationToken,
) -> Result<Vec<Trial>, RunError> {
    let mut trials = Vec::new();
    let mut todo = Vec::new();
    let reading = Arc::new(Semaphore::new(1));
    for case in cases {
        for entrant in entrants {
            for number in 1..=entrant.trials.get() {
                let work = Work::new(case, &entrant.investigator, number, options, &reading);
                match work.kept(&options.folder) {
                    Some(trial) => trials.push((work, trial)),
                    None => todo.push(work),
                }
            }
        }
    }
    let found = trials.len();
    tell(Happened::Begun { trials: found + todo.len(), found });
    // One that panics is a trial without an answer: each has a task of its own, and a place before it begins.
    let places = Arc::new(Semaphore::new(usize::try_from(options.jobs.get()).unwrap_or(1)));
    let mut running: FuturesUnordered<_> = todo
        .into_iter()
        .map(|work| {
            let (places, cancel, theirs) = (Arc::clone(&places), cancel.child_token(), work.clone());
            let task = AbortOnDropHandle::new(tokio::spawn(async move {
                let _place = places.acquire_owned().await;
                theirs.run(&cancel).await
            }));
            async move {
                let trial = task.await.unwrap_or_else(|error| work.crashed(&error.to_string()));
                (work, trial)
            }
        })
        .collect();
    loop {
        // What is under way ends with its task.
        let ended = cancel.run_until_cancelled(running.next()).await.ok_or(RunError::Cancelled)?;
        let Some((work, trial)) = ended else { break };
        options.folder.keep(&trial, &work.kind())?;
        tell(Happened::Ended { trial: &trial, case: &work.case });
        trials.push((work, trial));
    }
    drop(running);
    if let Some(judge) = &options.judge {
        judge_all(&mut trials, judge, options, cancel).await?;
    }
    let mut trials: Vec<Trial> = trials.into_iter().map(|(_, trial)| trial).collect();
    trials.sort_by(|a, b| (&a.case, &a.investigator, a.number).cmp(&(&b.case, &b.investigator, b.number)));
    Ok(trials)
}

/// Has each answer in words judged that was not yet. A judge that fails leaves its trial without a judgement.
async fn judge_all(
    trials: &mut [(Work, Trial)],
    judge: &Judge,
    options: &RunOptions,
    cancel: &CancellationToken,
) -> Result<(), RunError> {
    for (work, trial) in trials {
        let Some((text, key)) = work.to_judge(trial, judge) else { continue };
        // What was said of another question, cause or answer, or by another model, is no judgement of this one.
        (trial.judgement, trial.judged) = (None, None);
        let judged = cancel.run_until_cancelled(judge.judge(&work.case.case, &text)).await;
        match judged.ok_or(RunError::Cancelled)? {
            Ok(judgement) => {
                (trial.judgement, trial.judged) = (Some(judgement), Some(key));
                options.folder.keep(trial, &work.kind())?;
            }
            Err(error) => tracing::warn!(%error, case = trial.case, "an answer is not judged"),
        }
    }
    Ok(())
}
