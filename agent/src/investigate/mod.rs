//! The driver: carries out the steps of a [`Run`], each await raced against cancellation and time.

mod ask;
mod clock;
mod look;
mod small;
mod span;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use marple_core::{EvidenceId, InvestigationId};
use marple_tools::{Look, Toolbox};
use tracing::Instrument as _;

use crate::case::Small;
use crate::citation::{check, check_answer, cited_in};
use crate::run::{Event, Opening, Run, Step};
use crate::{
    Budget, Case, Model, ModelError, ModelLimits, ModelRequest, Outcome, Progress, Prompts, Purse, Stopped, Told,
    ToolOffer, Unbounded, Usage,
};
use clock::Clock;
pub use span::{FINISH_REASONS, SPANS};

/// A store that takes longer than this to keep a state is left behind; the next step saves all of it again.
const SAVE: Duration = Duration::from_secs(10);

/// Investigates with one model.
#[derive(Clone)]
pub struct Investigator {
    model: Arc<dyn Model>,
    prompts: Prompts,
    budget: Budget,
    purse: Arc<dyn Purse>,
    refutes: bool,
}

impl Investigator {
    /// An investigator that asks this model and spends at most this for each case.
    pub fn new(model: Arc<dyn Model>, prompts: Prompts, budget: Budget) -> Self {
        Self { model, prompts, budget, purse: Arc::new(Unbounded), refutes: false }
    }

    /// The same, spending from what others spend from too.
    #[must_use]
    pub fn with_purse(mut self, purse: Arc<dyn Purse>) -> Self {
        self.purse = purse;
        self
    }

    /// The same, but a fault that is concluded goes back once for the model to try and refute it.
    #[must_use]
    pub const fn refuting(mut self, refutes: bool) -> Self {
        self.refutes = refutes;
        self
    }

    /// What the model can take, and what it costs.
    pub fn limits(&self) -> ModelLimits {
        self.model.limits()
    }

    /// Investigates a case from its beginning, or goes on from a saved state.
    ///
    /// Never fails: whatever happens becomes an outcome, at the latest when the budget's time is over. `look.cancel`
    /// ends it; the state that was saved last then still goes on where it was, so that what a shutdown cancels is
    /// taken up by the next start.
    pub async fn investigate(
        &self,
        case: Case,
        saved: Option<Run>,
        toolbox: &Toolbox,
        look: &Look,
        progress: &dyn Progress,
    ) -> Outcome {
        // Reading the vocabulary takes a quarter of a second, once a process: not on a thread that serves.
        let vocabulary = self.model.limits().vocabulary;
        if tokio::task::spawn_blocking(move || vocabulary.tokens("")).await.is_err() {
            tracing::warn!("the vocabulary for counting tokens was not read ahead");
        }
        let span = span::investigation(self.model.as_ref(), case.incident.as_ref());
        let outcome = self.steps(case, saved, toolbox, look, progress).instrument(span.clone()).await;
        span::ended(&span, &outcome);
        outcome
    }

    async fn steps(
        &self,
        case: Case,
        saved: Option<Run>,
        toolbox: &Toolbox,
        look: &Look,
        progress: &dyn Progress,
    ) -> Outcome {
        let clock = Clock::from(look.now);
        let earlier: BTreeSet<EvidenceId> = case.earlier.iter().flat_map(|one| cited_in(&one.answer)).collect();
        let (mut run, mut step) = if let Some(mut run) = saved {
            let step = run.step(Event::Resumed { at: clock.now() }, &self.prompts);
            (run, step)
        } else {
            let small = small::small(&case, toolbox.evidence().as_ref()).await;
            let opening = self.opening(case, small, toolbox, look).await;
            let run = Run::begin(opening, &self.prompts);
            save(&run, progress).await;
            let step = run.next();
            (run, step)
        };
        loop {
            let event = match step {
                Step::CallModel { request, within } => self.ask(request, within, look, progress, &clock).await,
                Step::CallTools { calls, within } => look::look(toolbox, calls, within, look, progress, &clock).await,
                Step::Conclude { conclusion } => {
                    let checking = check(*conclusion, toolbox.evidence().as_ref());
                    let checked = checked(checking, |checked| &checked.faults, look, progress).await;
                    let event = |checked| Event::Checked { checked: Box::new(checked), at: clock.now() };
                    checked.map_or(Event::Cancelled, event)
                }
                Step::CheckAnswer { answer } => {
                    let checking = check_answer(&answer, &earlier, toolbox.evidence().as_ref());
                    let faults = checked(checking, |faults| faults, look, progress).await;
                    faults.map_or(Event::Cancelled, |faults| Event::AnswerChecked { faults, at: clock.now() })
                }
                Step::Done(outcome) => {
                    progress.told(Told::Ended(outcome.ending.clone())).await;
                    return *outcome;
                }
            };
            let cancelled = event == Event::Cancelled;
            let before = run.usage();
            step = run.step(event, &self.prompts);
            let spent = run.usage().since(before);
            if spent != Usage::default() {
                self.purse.spend(spent).await;
            }
            if !cancelled {
                save(&run, progress).await;
            }
        }
    }

    /// Asks the model, where there is money left and nobody has stopped it.
    async fn ask(
        &self,
        request: ModelRequest,
        within: Duration,
        look: &Look,
        progress: &dyn Progress,
        clock: &Clock,
    ) -> Event {
        let failed = |error| Event::ModelFailed { error, at: clock.now() };
        if let Err(Stopped(why)) = self.purse.left().await {
            return failed(ModelError::Stopped(why));
        }
        let span = span::request(self.model.as_ref(), &request);
        let asked = ask::ask(self.model.as_ref(), request, within, look, progress, clock).instrument(span.clone());
        let event = tokio::select! {
            event = asked => event,
            Stopped(why) = self.purse.stopped() => failed(ModelError::BrokenOff(why)),
        };
        span::answered(&span, &event);
        event
    }

    async fn opening(&self, case: Case, small: Vec<Small>, toolbox: &Toolbox, look: &Look) -> Opening {
        // Where nothing is left, that is told before the first request.
        let left = self.purse.left().await.unwrap_or_default();
        let offers = toolbox.specs().into_iter().map(|spec| ToolOffer {
            name: spec.name.to_string(),
            description: spec.description.to_string(),
            parameters: spec.parameters.clone(),
        });
        Opening {
            case,
            small,
            offers: offers.collect(),
            instructions: toolbox.instructions().to_vec(),
            limits: self.model.limits(),
            budget: left.bound(&self.budget),
            refutes: self.refutes,
            nonce: InvestigationId::new().short(),
            at: look.now,
        }
    }
}

/// Waits for a check, unless it is cancelled first, and tells of its faults.
async fn checked<T>(
    checking: impl Future<Output = T>,
    faults: impl Fn(&T) -> &Vec<String>,
    look: &Look,
    progress: &dyn Progress,
) -> Option<T> {
    let checked = look.cancel.run_until_cancelled(checking).await?;
    for fault in faults(&checked) {
        progress.told(Told::Fault(fault.clone())).await;
    }
    Some(checked)
}

/// Saves the state. When that fails the investigation goes on: its answer is worth more than its resumption.
async fn save(run: &Run, progress: &dyn Progress) {
    match tokio::time::timeout(SAVE, progress.save(run)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "an investigation goes on without its state saved"),
        Err(_) => tracing::warn!("an investigation goes on without its state saved: the store took too long"),
    }
}
