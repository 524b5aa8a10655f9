//! The evidence of conversations: each has one log, whose ids go on from question to question.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use marple_agent::Exchange;
use marple_core::{ConversationId, EvidenceId};
use marple_tools::MemoryEvidence;

/// Conversations whose evidence is held, those that were gone on with last.
const CONVERSATIONS: usize = 256;

/// How much they hold together, compressed, in bytes. What is still being looked at is counted when the next question comes.
const ROOM: usize = 256 << 20;

/// A conversation that holds more begins anew with its next question: a log takes 64 MiB, and a question needs room.
const OF_ONE: usize = 48 << 20;

/// The highest id that is taken from what a client tells: what is beyond was never given.
const HIGHEST: u32 = 1_000_000;

/// The evidence of conversations, in memory. Cheap to clone; clones are the same.
#[derive(Clone, Default)]
pub struct ConversationEvidence(Arc<Mutex<Vec<Held>>>);

struct Held {
    conversation: ConversationId,
    log: Arc<MemoryEvidence>,
}

impl ConversationEvidence {
    /// The evidence of a conversation, to go on with. Where none is held any more, its ids begin after those that
    /// `earlier` answers cite: none means two things in one conversation.
    pub fn open(&self, conversation: ConversationId, earlier: &[Exchange]) -> Arc<MemoryEvidence> {
        let mut held = self.lock();
        let known = held.iter().position(|one| one.conversation == conversation).map(|place| held.remove(place).log);
        let log = match known {
            Some(log) if log.held() <= OF_ONE => log,
            Some(full) => Arc::new(MemoryEvidence::after(full.last())),
            None => Arc::new(MemoryEvidence::after(cited(earlier))),
        };
        held.push(Held { conversation, log: Arc::clone(&log) });
        let mut bytes: usize = held.iter().map(|one| one.log.held()).sum();
        // The oldest go, but not the one that is opened.
        while held.len() > CONVERSATIONS || bytes > ROOM && held.len() > 1 {
            bytes = bytes.saturating_sub(held.remove(0).log.held());
            metrics::counter!("marple_chat_evidence_dropped_total").increment(1);
        }
        log
    }

    /// The evidence of a conversation, where it is held.
    pub fn find(&self, conversation: ConversationId) -> Option<Arc<MemoryEvidence>> {
        self.lock().iter().find(|one| one.conversation == conversation).map(|one| Arc::clone(&one.log))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The highest id that answers cite.
fn cited(earlier: &[Exchange]) -> EvidenceId {
    let ids = earlier.iter().flat_map(|one| EvidenceId::named_in(&one.answer));
    ids.filter(|id| id.0 <= HIGHEST).max().unwrap_or(EvidenceId(0))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marple_core::EvidenceOrigin;
    use marple_tools::{EvidenceDraft, EvidenceLog as _};

    use super::*;

    fn draft(content: &str) -> EvidenceDraft {
        EvidenceDraft {
            origin: EvidenceOrigin::Look,
            title: "a look".to_owned(),
            object: None,
            taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
            content: content.to_owned(),
            view: None,
        }
    }

    fn answered(answer: &str) -> Exchange {
        Exchange { question: "Why?".to_owned(), answer: answer.to_owned() }
    }

    #[tokio::test]
    async fn ids_go_on_in_a_conversation_and_after_what_was_cited_where_it_is_not_held() {
        let evidence = ConversationEvidence::default();
        let conversation = ConversationId::new();
        let first = evidence.open(conversation, &[]).keep(draft("one")).await.unwrap();
        let again = evidence.open(conversation, &[answered("It is so [e1], and [e77] was made up.")]);
        assert_eq!((first, again.keep(draft("two")).await.unwrap()), (EvidenceId(1), EvidenceId(2)));
        assert_eq!(evidence.find(conversation).unwrap().get(EvidenceId(1)).await.unwrap().unwrap().content, "one");

        let elsewhere =
            evidence.open(ConversationId::new(), &[answered("So [e3, e12]."), answered("[e4] e9999999999")]);
        assert_eq!(elsewhere.keep(draft("three")).await.unwrap(), EvidenceId(13));
    }

    #[test]
    fn the_conversations_that_were_gone_on_with_last_are_held() {
        let evidence = ConversationEvidence::default();
        let first = ConversationId::new();
        let second = ConversationId::new();
        for conversation in [first, second, first] {
            evidence.open(conversation, &[]);
        }
        for _ in 1..CONVERSATIONS {
            evidence.open(ConversationId::new(), &[]);
        }
        assert_eq!((evidence.find(first).is_some(), evidence.find(second).is_some()), (true, false));
    }
}
