//! The results of calls.

use marple_core::Unseen;
use marple_tools::{CallOutcome, CallStatus};
use serde::{Deserialize, Serialize};

use super::{Phase, Run};
use crate::ToolCall;
use crate::context::{Fold, Vocabulary};
use crate::prompts::{Note, Prompts};

/// No single result has more tokens than this in the conversation, nor than an eighth of the window.
const LONGEST: u32 = 6_000;
/// Fewer tokens say nothing: then older ones have to go.
const LEAST: u32 = 200;

/// A call that waits for its result, or has it already.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Slot {
    pub(super) call: ToolCall,
    /// Names it among the calls that were made.
    pub(super) key: String,
    /// The result, where the call needs not be made.
    pub(super) said: Option<String>,
    /// What stands for that result when it is folded.
    pub(super) fold: Option<Fold>,
}

impl Run {
    /// Calls ended.
    pub(super) fn looked(&mut self, mut outcomes: Vec<(String, CallOutcome)>, prompts: &Prompts) {
        let Phase::Tools { slots } = &mut self.phase else { return };
        let mut slots = std::mem::take(slots);
        let most = self.longest(&slots, &outcomes);
        for slot in slots.iter_mut().filter(|slot| slot.said.is_none()) {
            self.calls = self.calls.saturating_add(1);
            let outcome = match outcomes.iter().position(|(id, _)| *id == slot.call.id) {
                Some(index) => outcomes.swap_remove(index).1,
                None => out_of_time(&slot.call, prompts),
            };
            let text = shortened(&outcome, most, self.limits.vocabulary, prompts);
            slot.said = Some(self.fence.around(&text));
            slot.fold = Some(fold(&outcome, prompts));
            self.remember(slot, outcome);
        }
        self.append(slots);
        self.ask(prompts);
    }

    /// Adds results to the conversation.
    pub(super) fn append(&mut self, slots: Vec<Slot>) {
        for Slot { call, said, fold, .. } in slots {
            self.transcript.result(call.id, said.unwrap_or_default(), fold);
        }
    }

    fn remember(&mut self, slot: &Slot, outcome: CallOutcome) {
        let cut_short = outcome.status == CallStatus::Cancelled;
        if let Some(seen) = self.seen.get_mut(&slot.key) {
            seen.evidence = outcome.evidence;
            seen.again = cut_short || outcome.unseen.is_some();
        }
        let unseen = outcome
            .unseen
            .or_else(|| cut_short.then(|| Unseen { what: slot.call.name.clone(), why: outcome.text.clone() }));
        match unseen {
            Some(unseen) => drop(self.unseen.insert(slot.key.clone(), unseen)),
            None => drop(self.unseen.remove(&slot.key)),
        }
    }

    /// The most tokens that a result may have, so that all of this turn's are seen beside what can't be folded: a result
    /// that is folded before it was read is none. Those that need less leave theirs to the others.
    fn longest(&self, slots: &[Slot], outcomes: &[(String, CallOutcome)]) -> u32 {
        let most = LONGEST.min(self.limits.context_window / 8);
        let free = self.room().saturating_sub(self.transcript.least(self.offered_tokens()));
        // The fences, and what stands for the middle.
        let mut free = free / 10 * 9;
        let waits = |id: &str| slots.iter().any(|slot| slot.said.is_none() && slot.call.id == id);
        let mut sizes: Vec<u32> = outcomes
            .iter()
            .filter(|(id, _)| waits(id))
            .map(|(_, outcome)| self.limits.vocabulary.tokens(&outcome.text).min(most))
            .collect();
        sizes.sort_unstable();
        let mut left = u32::try_from(sizes.len()).unwrap_or(u32::MAX);
        for size in sizes {
            let share = free / left.max(1);
            if size > share {
                return share.clamp(LEAST, most);
            }
            free -= size;
            left -= 1;
        }
        most
    }
}

/// The text for the model, without its middle where it has more tokens than this.
fn shortened(outcome: &CallOutcome, most: u32, vocabulary: Vocabulary, prompts: &Prompts) -> String {
    let text = outcome.text.as_str();
    let Some(kept) = vocabulary.letters(text, most) else { return text.to_owned() };
    let letters = text.chars().count();
    let (head, tail) = (kept * 2 / 3, kept / 3);
    let start: String = text.chars().take(head).collect();
    let end: String = text.chars().skip(letters.saturating_sub(tail)).collect();
    let left = letters.saturating_sub(head).saturating_sub(tail);
    let note = prompts.note(&Note::Shortened { left, evidence: outcome.evidence });
    format!("{start}\n{note}\n{end}")
}

fn fold(outcome: &CallOutcome, prompts: &Prompts) -> Fold {
    let title = match outcome.evidence {
        Some(_) => outcome.title.clone(),
        None => format!("{}: {}", outcome.title, outcome.text.lines().next().unwrap_or_default()),
    };
    let title: String = title.chars().take(200).collect();
    Fold {
        line: prompts.note(&Note::Folded { evidence: outcome.evidence, title: &title }),
        evidence: outcome.evidence,
        folded: false,
    }
}

fn out_of_time(call: &ToolCall, prompts: &Prompts) -> CallOutcome {
    let text = prompts.note(&Note::OutOfTime {});
    CallOutcome {
        status: CallStatus::Cancelled,
        evidence: None,
        title: call.name.clone(),
        empty: false,
        unseen: Some(Unseen { what: call.name.clone(), why: "the time was over before it answered".to_owned() }),
        text,
    }
}
