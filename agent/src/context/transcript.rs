//! The conversation as it is kept, and as it is sent.

use std::collections::BTreeSet;

use marple_core::EvidenceId;
use serde::{Deserialize, Serialize};

use super::Vocabulary;
use crate::Message;

/// Shorter results aren't worth folding.
const WORTH_FOLDING: u32 = 120;
/// The instructions and the case.
const HEAD: usize = 2;
/// What the scale may grow to, in thousandths: no tokenizer in use needs three times as many tokens.
const LARGEST_SCALE: u64 = 3_000;

/// What stands for a result when it is folded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Fold {
    /// The line.
    pub(crate) line: String,
    /// Where the whole is.
    #[serde(default)]
    pub(crate) evidence: Option<EvidenceId>,
    /// Whether it stands there now.
    pub(crate) folded: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    message: Message,
    /// What marple adds to the message's end: most servers want a call's result to be followed by nothing but the model.
    note: Option<String>,
    fold: Option<Fold>,
    tokens: u32,
    /// What it has once it is folded; as much where it can't be.
    #[serde(default)]
    least: u32,
}

/// The conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Transcript {
    entries: Vec<Entry>,
    /// How many entries after the case aren't sent any more: the note at the case's end stands for them.
    #[serde(default)]
    summed: usize,
    /// What is cited: its results are folded when nothing else helps.
    #[serde(default)]
    cited: BTreeSet<EvidenceId>,
    #[serde(default)]
    vocabulary: Vocabulary,
    /// How many tokens the server counts for a thousand of ours; never below a thousand.
    scale: u64,
}

impl Entry {
    fn new(message: Message, fold: Option<Fold>, vocabulary: Vocabulary) -> Self {
        let mut entry = Self { message, note: None, fold, tokens: 0, least: 0 };
        entry.count(vocabulary);
        entry
    }

    fn count(&mut self, vocabulary: Vocabulary) {
        self.tokens = vocabulary.message(&self.sent());
        self.least = match &self.fold {
            Some(fold) if !fold.folded && self.tokens > WORTH_FOLDING => {
                let note = self.note.as_deref().map_or(0, |note| vocabulary.tokens(note));
                self.tokens.min(vocabulary.tokens(&fold.line).saturating_add(note))
            }
            _ => self.tokens,
        };
    }

    fn is_of(&self, cited: &BTreeSet<EvidenceId>) -> bool {
        self.fold.as_ref().and_then(|fold| fold.evidence).is_some_and(|evidence| cited.contains(&evidence))
    }

    /// The message as it is sent.
    fn sent(&self) -> Message {
        let mut message = self.message.clone();
        if let Message::User { content } | Message::Tool { content, .. } = &mut message {
            if let Some(fold) = self.fold.as_ref().filter(|fold| fold.folded) {
                content.clone_from(&fold.line);
            }
            if let Some(note) = &self.note {
                content.push_str("\n\n");
                content.push_str(note);
            }
        }
        message
    }
}

impl Transcript {
    /// A conversation that begins with these.
    pub(crate) fn new(instructions: String, case: String, vocabulary: Vocabulary) -> Self {
        let entries = [Message::System { content: instructions }, Message::User { content: case }];
        let entries = entries.into_iter().map(|message| Entry::new(message, None, vocabulary)).collect();
        Self { entries, summed: 0, cited: BTreeSet::new(), vocabulary, scale: 1_000 }
    }

    /// From now on the results of these are folded last.
    pub(crate) fn cite(&mut self, cited: BTreeSet<EvidenceId>) {
        self.cited = cited;
    }

    /// What is sent: the instructions, the case, and what is not summed up.
    fn sent(&self) -> impl Iterator<Item = &Entry> {
        let (head, rest) = self.entries.split_at(HEAD.min(self.entries.len()));
        head.iter().chain(rest.iter().skip(self.summed))
    }

    /// Where the model's last answer stands.
    fn last_answer(&self) -> usize {
        self.entries.iter().rposition(|entry| matches!(entry.message, Message::Assistant { .. })).unwrap_or(0)
    }

    /// Tokens that a summary of all before the model's last answer would make room for, once what can be is folded.
    pub(crate) fn summable(&self) -> u32 {
        let old = self.entries.get(HEAD + self.summed..self.last_answer()).unwrap_or_default();
        self.scaled(old.iter().map(|entry| entry.least).fold(0, u32::saturating_add))
    }

    /// What stands for the folded results before the model's last answer, the latest first.
    pub(crate) fn old_results(&self) -> impl Iterator<Item = &str> {
        let old = self.entries.get(..self.last_answer()).unwrap_or_default();
        old.iter().rev().filter_map(|entry| entry.fold.as_ref().map(|fold| fold.line.as_str()))
    }

    /// Sends this summary instead of all before the model's last answer; it takes the place of an earlier one.
    pub(crate) fn sum_up(&mut self, summary: String) {
        self.summed = self.last_answer().saturating_sub(HEAD);
        if let Some(case) = self.entries.get_mut(HEAD - 1) {
            case.note = Some(summary);
            case.count(self.vocabulary);
        }
    }

    /// Adds what the model said. An answer without words or calls is left out: servers refuse to see it again.
    pub(crate) fn answered(&mut self, message: Message) {
        if let Message::Assistant { content, calls, .. } = &message
            && content.trim().is_empty()
            && calls.is_empty()
        {
            return;
        }
        self.entries.push(Entry::new(message, None, self.vocabulary));
    }

    /// Adds the result of a call.
    pub(crate) fn result(&mut self, call: String, content: String, fold: Option<Fold>) {
        self.entries.push(Entry::new(Message::Tool { call, content }, fold, self.vocabulary));
    }

    /// Says something: at the end of the last message where that is not the model's, else in one of its own.
    pub(crate) fn say(&mut self, text: String) {
        match self.entries.last_mut() {
            Some(last) if matches!(last.message, Message::User { .. } | Message::Tool { .. }) => {
                last.note = Some(last.note.take().map_or_else(|| text.clone(), |note| format!("{note}\n{text}")));
                last.count(self.vocabulary);
            }
            _ => self.entries.push(Entry::new(Message::User { content: text }, None, self.vocabulary)),
        }
    }

    /// The result of a call with what stands for it, where that or a summary stands there now.
    pub(crate) fn folded_result(&self, id: &str) -> Option<(&str, Fold)> {
        let summed = HEAD..HEAD + self.summed;
        self.entries.iter().enumerate().find_map(|(place, entry)| match (&entry.message, &entry.fold) {
            (Message::Tool { call, content }, Some(fold)) if call == id && (fold.folded || summed.contains(&place)) => {
                Some((content.as_str(), Fold { folded: false, ..fold.clone() }))
            }
            _ => None,
        })
    }

    /// How many results are folded now.
    pub(crate) fn folded(&self) -> usize {
        self.sent().filter(|entry| entry.fold.as_ref().is_some_and(|fold| fold.folded)).count()
    }

    /// Whether a call has this id already.
    pub(crate) fn has_call(&self, id: &str) -> bool {
        self.entries.iter().any(
            |entry| matches!(&entry.message, Message::Assistant { calls, .. } if calls.iter().any(|call| call.id == id)),
        )
    }

    /// The conversation as it was: with what is folded or summed up by now.
    pub(crate) fn whole(&self) -> Vec<Message> {
        let unfolded = |entry: &Entry| Entry { fold: None, ..entry.clone() }.sent();
        self.entries.iter().map(unfolded).collect()
    }

    /// The conversation as it is sent.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.sent().map(Entry::sent).collect()
    }

    /// Its tokens and `others`, as the server will count them.
    pub(crate) fn size(&self, others: u32) -> u32 {
        let sum = self.sent().map(|entry| entry.tokens).fold(others, u32::saturating_add);
        self.scaled(sum)
    }

    /// What `size` would be with all folded that can be, what is cited apart.
    pub(crate) fn least(&self, others: u32) -> u32 {
        let least = |entry: &Entry| if entry.is_of(&self.cited) { entry.tokens } else { entry.least };
        let sum = self.sent().map(least).fold(others, u32::saturating_add);
        self.scaled(sum)
    }

    fn scaled(&self, tokens: u32) -> u32 {
        u32::try_from(u64::from(tokens).saturating_mul(self.scale) / 1_000).unwrap_or(u32::MAX)
    }

    /// Learns from what the server counted for a request that was reckoned to have `reckoned` tokens.
    pub(crate) fn learn(&mut self, reckoned: u32, counted: u64) {
        if reckoned > 0 && counted > u64::from(reckoned) {
            let scale = self.scale.saturating_mul(counted).div_ceil(u64::from(reckoned));
            self.scale = scale.clamp(1_000, LARGEST_SCALE);
        }
    }

    /// Folds old results until the conversation and `others` have at most `most` tokens. Says whether they have.
    ///
    /// Once one has to be folded, more are, down to three quarters of `most`; then results of the last turn, and last of
    /// all what is cited, go only as far as needed.
    pub(crate) fn fit(&mut self, others: u32, most: u32) -> bool {
        if self.size(others) <= most {
            return true;
        }
        let last_answer = self.last_answer();
        let comfortable = most / 4 * 3;
        let (first, all) = (HEAD + self.summed, self.entries.len());
        let rounds =
            [(comfortable, first..last_answer, false), (most, last_answer..all, false), (most, first..all, true)];
        for (bound, range, of_cited) in rounds {
            for index in range {
                if self.size(others) <= bound {
                    break;
                }
                if let Some(entry) = self.entries.get_mut(index)
                    && (of_cited || !entry.is_of(&self.cited))
                {
                    entry.fold_now(self.vocabulary);
                }
            }
        }
        self.size(others) <= most
    }
}

impl Entry {
    fn fold_now(&mut self, vocabulary: Vocabulary) {
        if self.least == self.tokens {
            return;
        }
        if let Some(fold) = self.fold.as_mut() {
            fold.folded = true;
            self.count(vocabulary);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::ToolCall;

    fn long(call: &str, line: &str) -> (String, String, Option<Fold>) {
        (
            call.to_owned(),
            "word ".repeat(1_000),
            Some(Fold { line: line.to_owned(), evidence: number(call), folded: false }),
        )
    }

    fn number(call: &str) -> Option<EvidenceId> {
        call.get(1..).and_then(|number| number.parse().ok()).map(EvidenceId)
    }

    fn conversation() -> Transcript {
        let mut transcript = Transcript::new("instructions".to_owned(), "case".to_owned(), Vocabulary::default());
        for turn in 1..=3 {
            let id = format!("c{turn}");
            let calls = vec![ToolCall { id: id.clone(), name: "look".to_owned(), arguments: serde_json::Map::new() }];
            transcript.answered(Message::assistant("", calls));
            let (call, content, fold) = long(&id, &format!("[folded] {turn}"));
            transcript.result(call, content, fold);
        }
        transcript
    }

    fn folded(transcript: &Transcript) -> Vec<bool> {
        ["c1", "c2", "c3"].iter().map(|id| transcript.folded_result(id).is_some()).collect()
    }

    #[test]
    fn what_fits_stays_as_it_is() {
        let mut transcript = conversation();
        assert!(transcript.fit(0, 4_000));
        assert_eq!(folded(&transcript), [false, false, false]);
    }

    #[test]
    fn the_oldest_are_folded_first_and_several_at_once() {
        let mut transcript = conversation();
        assert!(transcript.fit(0, 2_900));
        assert_eq!(folded(&transcript), [true, false, false]);
        let mut transcript = conversation();
        assert!(transcript.fit(0, 2_500));
        assert_eq!(folded(&transcript), [true, true, false]);
    }

    #[test]
    fn results_of_the_last_turn_are_folded_only_when_nothing_else_helps() {
        let mut transcript = conversation();
        assert!(transcript.fit(0, 500));
        assert_eq!(folded(&transcript), [true, true, true]);
        assert!(!transcript.fit(0, 20));
    }

    #[test]
    fn what_is_cited_is_folded_last_of_all() {
        let cites = |most| {
            let mut transcript = conversation();
            transcript.cite(BTreeSet::from([EvidenceId(1)]));
            let fits = transcript.fit(0, most);
            (fits, folded(&transcript))
        };
        assert_eq!(cites(2_900), (true, vec![false, true, false]));
        assert_eq!(cites(1_500), (true, vec![false, true, true]));
        assert_eq!(cites(500), (true, vec![true, true, true]), "the run goes on");
    }

    #[test]
    fn a_note_after_a_result_stands_in_the_same_message_and_survives_folding() {
        let mut transcript = conversation();
        transcript.say("Conclude now.".to_owned());
        assert!(transcript.fit(0, 500));
        let last = transcript.messages().pop().unwrap();
        assert_eq!(last, Message::Tool { call: "c3".to_owned(), content: "[folded] 3\n\nConclude now.".to_owned() });
    }

    #[test]
    fn a_server_that_counts_more_makes_all_larger() {
        let mut transcript = conversation();
        let reckoned = transcript.size(0);
        transcript.learn(reckoned, u64::from(reckoned) * 3 / 2);
        assert!((transcript.size(0) - reckoned * 3 / 2) <= 2);
    }
}
