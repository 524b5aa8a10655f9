//! What the model answered, and what becomes of it.

use marple_core::Verdict;

use super::{Phase, Run};
use crate::citation::Checked;
use crate::context::tokens;
use crate::model::Finish;
use crate::prompts::{Note, Prompts};
use crate::{Message, Mode, ModelAnswer, Usage, conclude};

/// So much of a cut answer stays in the conversation, in characters.
const OF_CUT: usize = 600;

impl Run {
    /// The model answered.
    pub(super) fn answered(&mut self, answer: ModelAnswer, prompts: &Prompts) {
        let Phase::Model { reckoned } = self.phase else { return };
        self.turns += 1;
        self.account(&answer, reckoned);
        if answer.finish == Finish::Length {
            self.cut(&answer, prompts);
        } else if answer.calls.is_empty() {
            self.words(answer.content, prompts);
        } else {
            self.called(answer.content, answer.calls, prompts);
        }
    }

    /// What it used, by the server's count or else by ours.
    fn account(&mut self, answer: &ModelAnswer, reckoned: u32) {
        let usage = answer.usage.unwrap_or_else(|| {
            let calls = answer.calls.iter().map(|call| u64::from(tokens(&call.arguments)));
            let completion = calls.fold(u64::from(tokens(&answer.content)), u64::saturating_add);
            Usage { prompt: u64::from(reckoned), completion, ..Usage::default() }
        });
        self.transcript.learn(reckoned, usage.prompt);
        self.usage.add(usage.priced(&self.limits.prices));
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
        self.transcript.answered(Message::Assistant { content: kept, calls: Vec::new() });
        self.transcript.say(prompts.note(&Note::Cut {}));
        self.missed("it was longer than the model may write", prompts);
    }

    /// It made no call.
    fn words(&mut self, content: String, prompts: &Prompts) {
        if content.trim().is_empty() {
            self.transcript.say(prompts.note(&Note::SayOrLook { mode: self.mode }));
            return self.missed("it was empty", prompts);
        }
        if self.mode == Mode::Answer {
            return self.finish(self.rules.clone(), Some(content.trim().to_owned()));
        }
        let read = conclude::from_content(&content);
        self.transcript.answered(Message::Assistant { content, calls: Vec::new() });
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
        match call {
            Some(call) => self.transcript.result(call, note, None),
            None => self.transcript.say(note),
        }
        self.ask(prompts);
    }
}
