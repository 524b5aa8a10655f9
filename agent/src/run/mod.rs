//! The machine: takes an event, yields the next step. It has no clock and no client.

mod answer;
mod ask;
mod calls;
mod clock;
mod results;
mod seen;
mod settle;
mod step;
mod summary;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use marple_core::{Conclusion, Unseen};
use marple_tools::toolset::Instructions;
use serde::{Deserialize, Serialize};

use crate::case::Small;
use crate::context::{Fence, Transcript};
use crate::hypothesis::{self, Hypothesis};
use crate::prompts::{Brief, Detail, Prompts};
use crate::{Budget, Case, Ending, Limit, Message, Mode, ModelLimits, Outcome, ToolOffer, Usage, conclude, fallback};
use clock::Clock;
use results::Slot;
use seen::Seen;
pub use step::{Event, Step};

/// What an investigation begins with.
#[derive(Clone, Debug)]
pub struct Opening {
    /// What is to be investigated.
    pub case: Case,
    /// Small pieces of its evidence, which are shown whole.
    pub small: Vec<Small>,
    /// The tools, in the order in which they are offered each time; the tools to weigh and to conclude with are added.
    pub offers: Vec<ToolOffer>,
    /// What is told of how to use them.
    pub instructions: Vec<Instructions>,
    /// What the model can take.
    pub limits: ModelLimits,
    /// What may be spent.
    pub budget: Budget,
    /// Whether a fault that is concluded goes back once for the model to try and refute it.
    pub refutes: bool,
    /// Marks the fences around what tools return; must not be guessable from there.
    pub nonce: String,
    /// When it begins.
    pub at: Timestamp,
}

/// What is waited for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "phase")]
enum Phase {
    /// An answer to a request of so many tokens.
    Model { reckoned: u32 },
    /// The model's own summary of the conversation, in answer to a request of so many tokens that ends with this note.
    Summary { reckoned: u32, note: String },
    /// The results of these calls.
    Tools { slots: Vec<Slot> },
    /// The check of a conclusion, which came by this call or as words.
    Check { conclusion: Box<Conclusion>, call: Option<String> },
    /// The check of an answer in words.
    CheckAnswer { answer: String },
    /// Nothing.
    Done { outcome: Box<Outcome> },
}

/// Why only a conclusion is possible any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Forced {
    why: String,
    limit: Option<Limit>,
}

/// An investigation at one moment: all of its state, to be saved after each step and gone on with by any process.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Run {
    mode: Mode,
    rules: Conclusion,
    budget: Budget,
    limits: ModelLimits,
    offers: Arc<[ToolOffer]>,
    offers_tokens: u32,
    fence: Fence,
    transcript: Transcript,
    clock: Clock,
    phase: Phase,
    forced: Option<Forced>,
    /// Answers in a row that were of no use.
    misses: u32,
    /// How often the server said that a request is too long.
    too_long: u32,
    /// How often the model was asked to sum up.
    #[serde(default)]
    summaries: u32,
    /// The explanations that the model weighs.
    #[serde(default)]
    hypotheses: Vec<Hypothesis>,
    /// Whether a conclusion went back to the model.
    mended: bool,
    /// Whether a fault that is concluded goes back to be refuted, which it does once.
    #[serde(default)]
    refutes: bool,
    /// The best conclusion so far, which counts when no better comes.
    draft: Option<Box<Conclusion>>,
    /// The same for an answer in words.
    draft_answer: Option<String>,
    seen: BTreeMap<String, Seen>,
    /// What calls could not see, by call.
    unseen: BTreeMap<String, Unseen>,
    next_id: u32,
    usage: Usage,
    turns: u32,
    calls: u32,
}

impl Run {
    /// An investigation that has not asked anything yet.
    pub fn begin(opening: Opening, prompts: &Prompts) -> Self {
        let Opening { case, small, mut offers, instructions, limits, budget, refutes, nonce, at } = opening;
        if case.mode == Mode::Conclude {
            offers.push(hypothesis::offer());
            offers.push(conclude::offer());
        }
        let fence = Fence::new(&nonce);
        let vocabulary = limits.vocabulary;
        let offers_tokens = vocabulary.offers(&offers);
        let told = prompts.instructions(case.mode, &instructions);
        let free = ask::room(&limits).saturating_sub(offers_tokens).saturating_sub(vocabulary.tokens(&told));
        let case_told = told_within(&case, &small, |told| vocabulary.tokens(told) <= free / 2, &fence, at, prompts);
        let mut run = Self {
            mode: case.mode,
            offers_tokens,
            transcript: Transcript::new(told, case_told, vocabulary),
            rules: case.rules,
            budget,
            limits,
            offers: offers.into(),
            fence,
            clock: Clock::begin(at),
            phase: Phase::Model { reckoned: 0 },
            forced: None,
            misses: 0,
            too_long: 0,
            summaries: 0,
            hypotheses: Vec::new(),
            mended: false,
            refutes,
            draft: None,
            draft_answer: None,
            seen: BTreeMap::new(),
            unseen: BTreeMap::new(),
            next_id: 1,
            usage: Usage::default(),
            turns: 0,
            calls: 0,
        };
        run.ask(prompts);
        run
    }

    /// Takes an event and gives the next step. An event that isn't waited for changes nothing but the time.
    pub fn step(&mut self, event: Event, prompts: &Prompts) -> Step {
        self.clock.hear(&event);
        match event {
            Event::ModelAnswered { answer, .. } => self.answered(answer, prompts),
            Event::ModelFailed { error, .. } => self.failed(&error, prompts),
            Event::ToolsAnswered { outcomes, .. } => self.looked(outcomes, prompts),
            Event::Checked { checked, .. } => self.checked(*checked, prompts),
            Event::AnswerChecked { faults, .. } => self.answer_checked(&faults, prompts),
            Event::Tick { .. } => self.time_passed(prompts),
            Event::Resumed { .. } => {}
            Event::Cancelled => {
                self.account_unanswered();
                self.end(Ending::Cancelled);
            }
        }
        self.next()
    }

    /// The next step, once more: what to go on with from a saved state.
    pub fn next(&self) -> Step {
        match &self.phase {
            Phase::Model { .. } | Phase::Summary { .. } => {
                Step::CallModel { request: self.request(), within: self.left() }
            }
            Phase::Tools { slots } => Step::CallTools {
                calls: slots.iter().filter(|slot| slot.said.is_none()).map(|slot| slot.call.clone()).collect(),
                within: self.left(),
            },
            Phase::Check { conclusion, .. } => Step::Conclude { conclusion: conclusion.clone() },
            Phase::CheckAnswer { answer } => Step::CheckAnswer { answer: answer.clone() },
            Phase::Done { outcome } => Step::Done(outcome.clone()),
        }
    }

    /// The conversation so far: all that the model was given and said, with what is folded by now.
    pub fn conversation(&self) -> Vec<Message> {
        self.transcript.whole()
    }

    /// Has the results of all that hypotheses and the conclusion so far cite folded last.
    fn cite(&mut self) {
        let weighed = self.hypotheses.iter().flat_map(|one| one.supporting.iter().chain(&one.against)).copied();
        let concluded = self.draft.iter().flat_map(|draft| draft.citations()).map(|citation| citation.evidence);
        self.transcript.cite(weighed.chain(concluded).collect());
    }

    /// How many results are folded into their evidence's name now, so that the conversation fits the window.
    pub fn folded(&self) -> usize {
        self.transcript.folded()
    }

    /// Answers that the model gave so far.
    pub fn turns(&self) -> u32 {
        self.turns
    }

    /// Calls of tools that were made so far.
    pub fn calls(&self) -> u32 {
        self.calls
    }

    /// What the model used so far.
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// Ends it. A conclusion or answer that the model gave before goes before the rules', unless a person ended it.
    fn end(&mut self, ending: Ending) {
        if matches!(self.phase, Phase::Done { .. }) {
            return;
        }
        let draft = (self.draft.take(), self.draft_answer.take());
        let (conclusion, answer, ending) = match draft {
            (Some(draft), _) if ending != Ending::Cancelled => {
                (*draft, None, Ending::Forced { why: ending.to_string() })
            }
            (None, Some(answer)) if ending != Ending::Cancelled => {
                (self.rules.clone(), Some(answer), Ending::Forced { why: ending.to_string() })
            }
            _ => {
                let mut conclusion = fallback(&self.rules, &ending);
                self.add_unseen(&mut conclusion);
                hypothesis::leave_open(&self.hypotheses, &mut conclusion);
                (conclusion, None, ending)
            }
        };
        self.done(conclusion, answer, ending);
    }

    /// Ends it with what the model said.
    fn finish(&mut self, conclusion: Conclusion, answer: Option<String>) {
        let ending = match self.forced.take() {
            Some(Forced { why, .. }) => Ending::Forced { why },
            None => Ending::Concluded,
        };
        self.done(conclusion, answer, ending);
    }

    fn done(&mut self, conclusion: Conclusion, answer: Option<String>, ending: Ending) {
        let (usage, turns, calls) = (self.usage, self.turns, self.calls);
        let hypotheses = std::mem::take(&mut self.hypotheses);
        let outcome = Box::new(Outcome { conclusion, answer, ending, usage, turns, calls, hypotheses });
        self.phase = Phase::Done { outcome };
    }
}

/// The case, in as much detail as leaves the other half of what is free for looks.
fn told_within(
    case: &Case,
    small: &[Small],
    fits: impl Fn(&str) -> bool,
    fence: &Fence,
    at: Timestamp,
    prompts: &Prompts,
) -> String {
    let mut told = String::new();
    for detail in Detail::LEVELS {
        told = prompts.case(&Brief::of(case, small, detail, fence.name(), at));
        if fits(&told) {
            break;
        }
    }
    told
}

#[cfg(test)]
mod tests;
