//! Whether and what the model is asked next: the budgets, and what fits.

use std::sync::Arc;
use std::time::Duration;

use super::{Forced, Phase, Run};
use crate::prompts::{Note, Prompts};
use crate::{Ending, Limit, Mode, ModelError, ModelLimits, ModelRequest, ToolOffer, conclude};

/// Requests that are kept for the conclusion: one to conclude, one to mend it.
const KEPT_TURNS: u32 = 2;
/// What an answer is reckoned to have, for the cost that is not known beforehand.
const USUAL_ANSWER: u32 = 1_500;
/// Room for what counts differ by, beside a hundredth of the window.
const MARGIN: u32 = 64;
/// How often a server may say that a request is too long before it is believed to be the window.
const TOO_LONG: u32 = 4;

impl Run {
    /// Asks the model next, or ends where no budget is left for it.
    pub(super) fn ask(&mut self, prompts: &Prompts) {
        let fits = self.transcript.fit(self.offered_tokens(), self.room());
        if self.crowded() {
            return self.sum_up(prompts);
        }
        if self.forced.is_none() {
            let near = if fits { self.near_end() } else { Some(Limit::PromptTokens) };
            if let Some(limit) = near {
                self.force(format!("the budget of {limit} nears its end"), Some(limit), prompts);
            }
        }
        if self.forced.is_some()
            && let Err(ending) = self.last_room()
        {
            return self.end(ending);
        }
        self.phase = Phase::Model { reckoned: self.transcript.size(self.offered_tokens()) };
    }

    /// From now on only a conclusion is possible.
    pub(super) fn force(&mut self, why: String, limit: Option<Limit>, prompts: &Prompts) {
        self.transcript.say(prompts.note(&Note::ConcludeNow { mode: self.mode, why: &why }));
        self.forced = Some(Forced { why, limit });
        self.misses = 0;
    }

    /// The model's answer was of no use; it has been told why.
    pub(super) fn missed(&mut self, why: &str, prompts: &Prompts) {
        self.misses += 1;
        match &self.forced {
            Some(Forced { limit, .. }) if self.misses >= 2 => {
                let ending = match limit {
                    Some(limit) => Ending::BudgetSpent { limit: *limit },
                    None => Ending::Unusable { why: why.to_owned() },
                };
                return self.end(ending);
            }
            None if self.misses >= 3 => {
                self.force(format!("three answers in a row were of no use, the last because {why}"), None, prompts);
            }
            _ => {}
        }
        self.ask(prompts);
    }

    /// The model gave no answer.
    pub(super) fn failed(&mut self, error: &ModelError, prompts: &Prompts) {
        let (Phase::Model { reckoned } | Phase::Summary { reckoned, .. }) = self.phase else { return };
        if matches!(error, ModelError::ContextLength(_)) && self.too_long < TOO_LONG {
            self.too_long += 1;
            let room = reckoned / 4 * 3;
            self.limits.context_window = room.saturating_add(self.output()).saturating_add(self.margin());
            if self.transcript.fit(self.offered_tokens(), room) {
                return self.ask(prompts);
            }
        }
        if matches!(error, ModelError::BrokenOff(_)) {
            self.account_unanswered();
        }
        let why = error.to_string();
        self.end(match error {
            ModelError::Stopped(_) | ModelError::BrokenOff(_) => Ending::Stopped { why },
            _ => Ending::ModelUnavailable { why, limited: error.is_limited() },
        });
    }

    /// A step's time is over.
    pub(super) fn time_passed(&mut self, prompts: &Prompts) {
        if !matches!(self.phase, Phase::Model { .. } | Phase::Summary { .. }) {
            return;
        }
        if self.clock.spent() >= self.budget.duration.duration() {
            self.account_unanswered();
            self.end(Ending::BudgetSpent { limit: Limit::Time });
        } else if self.forced.is_none() && self.clock.spent() >= self.soft() {
            self.account_unanswered();
            self.ask(prompts);
        }
    }

    /// The request that is waited for.
    pub(super) fn request(&self) -> ModelRequest {
        if let Phase::Summary { note, .. } = &self.phase {
            return self.request_for_summary(note);
        }
        ModelRequest {
            messages: self.transcript.messages(),
            tools: self.offered(),
            may_call: self.mode == Mode::Conclude || self.forced.is_none(),
            max_output: self.output(),
        }
    }

    /// The time that the step may take.
    pub(super) fn left(&self) -> Duration {
        let until = match self.forced {
            Some(_) => self.budget.duration.duration(),
            None => self.soft(),
        };
        until.saturating_sub(self.clock.spent())
    }

    /// When the conclusion is forced: a fifth of the time is kept for it.
    fn soft(&self) -> Duration {
        self.budget.duration.duration() / 5 * 4
    }

    pub(super) fn offered(&self) -> Arc<[ToolOffer]> {
        match (&self.forced, self.mode) {
            (Some(_), Mode::Conclude) => Arc::new([conclude::offer()]),
            _ => Arc::clone(&self.offers),
        }
    }

    pub(super) fn offered_tokens(&self) -> u32 {
        match (&self.forced, self.mode) {
            (Some(_), Mode::Conclude) => self.limits.vocabulary.offers(&self.offered()),
            _ => self.offers_tokens,
        }
    }

    pub(super) fn output(&self) -> u32 {
        output(&self.limits)
    }

    fn margin(&self) -> u32 {
        margin(&self.limits)
    }

    /// Tokens that a request may have.
    pub(super) fn room(&self) -> u32 {
        room(&self.limits)
    }

    /// The budget that would not bear this request and a last one.
    pub(super) fn near_end(&self) -> Option<Limit> {
        let next = u64::from(self.transcript.size(self.offered_tokens()));
        let two = next.saturating_mul(2);
        if self.turns.saturating_add(KEPT_TURNS) >= self.budget.turns.get() {
            Some(Limit::Turns)
        } else if self.calls >= self.budget.tool_calls {
            Some(Limit::ToolCalls)
        } else if self.usage.prompt.saturating_add(two) > self.budget.prompt_tokens {
            Some(Limit::PromptTokens)
        } else if self.cost_with(two, 2) > self.allowed_cost() {
            Some(Limit::Cost)
        } else if self.clock.spent() >= self.soft() {
            Some(Limit::Time)
        } else {
            None
        }
    }

    /// Makes the last request fit what is left, or says what is spent.
    fn last_room(&mut self) -> Result<(), Ending> {
        let spent = |limit| Err(Ending::BudgetSpent { limit });
        if self.turns >= self.budget.turns.get() {
            return spent(Limit::Turns);
        }
        if self.clock.spent() >= self.budget.duration.duration() {
            return spent(Limit::Time);
        }
        let left = self.budget.prompt_tokens.saturating_sub(self.usage.prompt);
        let left = u32::try_from(left).unwrap_or(u32::MAX);
        let (others, room) = (self.offered_tokens(), self.room());
        if !self.transcript.fit(others, room.min(left)) {
            let size = self.transcript.size(others);
            if size > room {
                let window = self.limits.context_window;
                let why = format!(
                    "the case has {size} tokens and the model takes {room} of its {window} as a request; configure a model with a larger context_window"
                );
                return Err(Ending::ModelUnavailable { why, limited: false });
            }
            return spent(Limit::PromptTokens);
        }
        if self.cost_with(u64::from(self.transcript.size(others)), 1) > self.allowed_cost() {
            return spent(Limit::Cost);
        }
        Ok(())
    }

    /// The cost so far and that of so many more prompt tokens and usual answers.
    fn cost_with(&self, prompt: u64, answers: u64) -> u64 {
        let answer = u64::from(self.output().min(USUAL_ANSWER));
        self.usage.cost.saturating_add(self.limits.prices.cost(prompt, 0, answer.saturating_mul(answers)))
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a float is clamped as it is cast")]
    fn allowed_cost(&self) -> u64 {
        (self.budget.cost * 1e6) as u64
    }
}

/// The longest answer: never more than a quarter of the window.
fn output(limits: &ModelLimits) -> u32 {
    limits.max_output.min(limits.context_window / 4)
}

fn margin(limits: &ModelLimits) -> u32 {
    (limits.context_window / 100).saturating_add(MARGIN)
}

/// Tokens that a request may have.
pub(super) fn room(limits: &ModelLimits) -> u32 {
    limits.context_window.saturating_sub(output(limits)).saturating_sub(margin(limits))
}
