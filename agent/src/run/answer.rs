//! What the model answered, and what becomes of it.

use marple_core::Verdict;

use super::{Phase, Run};
use crate::citation::Checked;
use crate::model::Finish;
use crate::prompts::{Note, Prompts};
use crate::{Message, Mode, ModelAnswer, Usage, conclude};

/// So much of a refusal is told, in characters.
const OF_REFUSAL: usize = 200;
/// So much of a cut answer stays in the conversation, in characters.
const OF_CUT: usize = 600;

impl Run {
    /// The model answered.
    pub(super) fn answered(&mut self, answer: ModelAnswer, prompts: &Prompts) {
        let (reckoned, sums_up) = match self.phase {
            Phase::Model { reckoned } => (reckoned, false),
            Phase::Summary { reckoned, .. } => (reckoned, true),
            _ => return,
        };
        self.turns += 1;
        self.account(&answer, reckoned);
        if sums_up {
            return self.summed_up(&answer, prompts);
        }
        match answer.finish {
            Finish::Length => self.cut(&answer, prompts),
            Finish::Filtered => self.withheld(&answer, prompts),
            Finish::Complete if answer.calls.is_empty() => self.words(answer.content, prompts),
            Finish::Complete => self.called(answer, prompts),
        }
    }

    /// What it used, by the server's count or else by ours.
    fn account(&mut self, answer: &ModelAnswer, reckoned: u32) {
        let vocabulary = self.limits.vocabulary;
        let usage = answer.usage.unwrap_or_else(|| {
            let calls = answer.calls.iter().map(|call| u64::from(vocabulary.tokens(&call.arguments)));
            let completion = calls.fold(u64::from(vocabulary.tokens(&answer.content)), u64::saturating_add);
            Usage { prompt: u64::from(reckoned), completion, ..Usage::default() }
        });
        self.transcript.learn(reckoned, usage.prompt);
        // Of several models each has its prices.
        let prices = answer.by.as_ref().map_or(&self.limits.prices, |by| &by.prices);
        self.usage.add(usage.priced(prices));
        self.usage.add(answer.lost);
    }

    /// What an answer cites was looked up. What isn't so goes back once; after that it is told with the answer.
    pub(super) fn answer_checked(&mut self, faults: &[String], prompts: &Prompts) {
        let Phase::CheckAnswer { answer } = &mut self.phase else { return };
        let answer = std::mem::take(answer);
        let room = self.turns < self.budget.turns.get();
        if faults.is_empty() {
            self.finish(self.rules.clone(), Some(answer));
        } else if room && !self.mended && self.forced.is_none() {
            self.mended = true;
            self.draft_answer = Some(prompts.note(&Note::Unverified { answer: &answer, faults }));
            self.transcript.answered(Message::assistant(answer, Vec::new()));
            self.transcript.say(prompts.note(&Note::MendAnswer { faults }));
            self.ask(prompts);
        } else {
            let told = prompts.note(&Note::Unverified { answer: &answer, faults });
            self.finish(self.rules.clone(), Some(told));
        }
    }

    /// What a request used whose answer is no longer waited for: at most providers what was sent is paid for all the same.
    pub(super) fn account_unanswered(&mut self) {
        if let Phase::Model { reckoned } | Phase::Summary { reckoned, .. } = self.phase {
            let usage = Usage { prompt: u64::from(reckoned), ..Usage::default() };
            self.usage.add(usage.priced(&self.limits.prices));
        }
    }

    /// Its end is missing: none of its calls is made.
    fn cut(&mut self, answer: &ModelAnswer, prompts: &Prompts) {
        let content = answer.content.trim();
        if self.mode == Mode::Answer && answer.calls.is_empty() && !content.is_empty() {
            self.draft_answer = Some(format!("{content} … (cut: the answer was longer than the model may write)"));
        }
        let kept = match content.char_indices().nth(OF_CUT) {
            Some((end, _)) => format!("{} …", content.get(..end).unwrap_or_default()),
            None => content.to_owned(),
        };
        self.transcript.answered(Message::assistant(kept, Vec::new()));
        self.transcript.say(prompts.note(&Note::Cut {}));
        self.missed("it was longer than the model may write", prompts);
    }

    /// The provider withheld it, or the model refused: none of its calls is made, and its words are no answer.
    fn withheld(&mut self, answer: &ModelAnswer, prompts: &Prompts) {
        let said: String = answer.content.trim().chars().take(OF_REFUSAL).collect();
        let why =
            if said.is_empty() { "the provider withheld it".to_owned() } else { format!("it was a refusal: {said}") };
        self.transcript.say(prompts.note(&Note::Withheld {}));
        self.missed(&why, prompts);
    }

    /// It made no call.
    fn words(&mut self, content: String, prompts: &Prompts) {
        if content.trim().is_empty() {
            self.transcript.say(prompts.note(&Note::SayOrLook { mode: self.mode }));
            return self.missed("it was empty", prompts);
        }
        if self.mode == Mode::Answer {
            self.phase = Phase::CheckAnswer { answer: content.trim().to_owned() };
            return;
        }
        let read = conclude::from_content(&content);
        self.transcript.answered(Message::assistant(content, Vec::new()));
        match read {
            Some(Ok(conclusion)) => self.phase = Phase::Check { conclusion: Box::new(conclusion), call: None },
            Some(Err(fault)) => {
                self.transcript.say(prompts.note(&Note::BadConclusion { fault: &fault }));
                self.missed(&fault, prompts);
            }
            None => {
                self.transcript.say(prompts.note(&Note::SayOrLook { mode: self.mode }));
                self.missed("it neither looked nor concluded", prompts);
            }
        }
    }

    /// The citations of a conclusion were looked up.
    pub(super) fn checked(&mut self, checked: Checked, prompts: &Prompts) {
        let Phase::Check { call, .. } = &mut self.phase else { return };
        let call = call.take();
        let Checked { conclusion, mut faults } = checked;
        faults.extend(self.contradiction(&conclusion));
        let room = self.turns < self.budget.turns.get();
        let settled = self.settled(conclusion);
        let note = if room && !faults.is_empty() && !self.mended {
            self.mended = true;
            Note::Mend { faults: &faults }
        } else if room && self.refutes && self.forced.is_none() && settled.verdict == Verdict::Fault {
            self.refutes = false;
            Note::Refute {}
        } else {
            return self.finish(settled, None);
        };
        let note = prompts.note(&note);
        self.draft = Some(Box::new(settled));
        self.cite();
        match call {
            Some(call) => self.transcript.result(call, note, None),
            None => self.transcript.say(note),
        }
        self.ask(prompts);
    }
}
