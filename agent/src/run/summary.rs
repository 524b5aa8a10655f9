//! The model's own summary, where folding leaves too little room for looks.

use super::settle::cut_at_word;
use super::{Phase, Run};
use crate::model::Finish;
use crate::prompts::{Note, Prompts};
use crate::{Message, ModelAnswer, ModelRequest};

/// After so many summaries only a conclusion is possible.
const SUMMARIES: u32 = 3;
/// Words that a summary may have for a hundred tokens of its room.
const WORDS: u32 = 65;

impl Run {
    /// Whether what can't be folded fills three quarters of the room, and a summary would empty a quarter of it.
    pub(super) fn crowded(&self) -> bool {
        let room = self.room();
        self.forced.is_none()
            && self.summaries < SUMMARIES
            && self.transcript.least(self.offered_tokens()) > room / 4 * 3
            && self.transcript.summable() > (room / 4).max(self.of_summary() * 2)
            && self.near_end().is_none()
            && self.transcript.size(self.offered_tokens()) <= room
    }

    /// Asks the model to sum up what came before its last answer.
    pub(super) fn sum_up(&mut self, prompts: &Prompts) {
        self.summaries += 1;
        let note = prompts.note(&Note::SumUp { words: self.of_summary() * WORDS / 100 });
        let reckoned = self.transcript.size(self.offered_tokens().saturating_add(self.limits.vocabulary.tokens(&note)));
        self.phase = Phase::Summary { reckoned, note };
    }

    /// The model summed up, or did not: then the run concludes from what it has.
    pub(super) fn summed_up(&mut self, answer: &ModelAnswer, prompts: &Prompts) {
        let summary = answer.content.trim();
        if summary.is_empty() || answer.finish == Finish::Filtered {
            self.summaries = SUMMARIES;
            return self.ask(prompts);
        }
        let most = self.of_summary().saturating_mul(3) / 2;
        let vocabulary = self.limits.vocabulary;
        let summary =
            vocabulary.letters(summary, most).map_or_else(|| summary.to_owned(), |kept| cut_at_word(summary, kept));
        let results: Vec<&str> = self.transcript.old_results().collect();
        let mut left = self.of_summary();
        let shown: Vec<&str> = results
            .iter()
            .copied()
            .take_while(|line| {
                let cost = vocabulary.tokens(line);
                let fits = cost <= left;
                left = left.saturating_sub(cost);
                fits
            })
            .collect();
        let more = results.len() - shown.len();
        let hypotheses = &self.hypotheses;
        let told = prompts.note(&Note::Summary { summary: &summary, hypotheses, results: &shown, more });
        self.transcript.sum_up(told);
        self.ask(prompts);
    }

    pub(super) fn request_for_summary(&self, note: &str) -> ModelRequest {
        let mut messages = self.transcript.messages();
        match messages.last_mut() {
            Some(Message::User { content } | Message::Tool { content, .. }) => {
                content.push_str("\n\n");
                content.push_str(note);
            }
            _ => messages.push(Message::User { content: note.to_owned() }),
        }
        let max_output = self.output().min(self.of_summary().saturating_mul(2));
        // The tools stay offered, so that prompt caches hit.
        ModelRequest { messages, tools: self.offered(), may_call: false, max_output }
    }

    /// Tokens that a summary should have.
    fn of_summary(&self) -> u32 {
        (self.room() / 10).min(1_500)
    }
}
