//! One question under way.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use marple_agent::Message;
use marple_core::{ApprovalId, ConversationId};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{ChatEvent, Listener};

/// How long a question is gone on with while nobody listens: a client that was cut off comes back within it.
const ALONE: Duration = Duration::from_secs(30);

/// The messages before what was said: the instructions and the case.
const OPENING: usize = 2;

/// The most events that are kept; a run's budgets end it long before.
const EVENTS: usize = 2_000;

/// Names one question under way.
pub type TalkId = marple_core::InvestigationId;

/// One question under way, or answered a while ago. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Talk(Arc<Inner>);

pub(super) struct Inner {
    pub(super) id: TalkId,
    pub(super) conversation: ConversationId,
    events: Mutex<Vec<Arc<ChatEvent>>>,
    /// How many there are.
    told: watch::Sender<usize>,
    listeners: AtomicUsize,
    /// Changes with them.
    heard: watch::Sender<usize>,
    pub(super) cancel: CancellationToken,
    /// What the client told of the conversation before, and the question.
    before: (Vec<Value>, String),
    /// What the model was given and said so far.
    messages: Mutex<Vec<Message>>,
    /// Calls that wait for a person's word.
    asking: AtomicUsize,
}

impl Talk {
    pub(super) fn new(conversation: ConversationId, before: (Vec<Value>, String), cancel: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            id: TalkId::new(),
            conversation,
            events: Mutex::default(),
            told: watch::Sender::new(0),
            listeners: AtomicUsize::new(0),
            heard: watch::Sender::new(0),
            cancel,
            before,
            messages: Mutex::default(),
            asking: AtomicUsize::new(0),
        }))
    }

    /// Its name.
    pub fn id(&self) -> TalkId {
        self.0.id
    }

    /// The conversation that it belongs to.
    pub fn conversation(&self) -> ConversationId {
        self.0.conversation
    }

    /// What the client told of the conversation before this question, and the question.
    pub fn before(&self) -> (&[Value], &str) {
        (&self.0.before.0, &self.0.before.1)
    }

    /// What the model was given and said so far, after its instructions and the case.
    pub(super) fn messages(&self) -> Vec<Message> {
        self.0.messages.lock().unwrap_or_else(PoisonError::into_inner).iter().skip(OPENING).cloned().collect()
    }

    pub(super) fn note(&self, messages: Vec<Message>) {
        *self.0.messages.lock().unwrap_or_else(PoisonError::into_inner) = messages;
    }

    /// The number of the event that asks for a person's word on this call.
    pub fn asked(&self, approval: ApprovalId) -> Option<usize> {
        let asks = |event: &Arc<ChatEvent>| matches!(event.as_ref(), ChatEvent::ApprovalRequired { approval: row, .. } if row.id == approval);
        self.lock().iter().position(asks).map(|place| place + 1)
    }

    /// One more call waits for a person's word, or one fewer: meanwhile nobody needs to listen.
    pub(super) fn asks(&self, waits: bool) {
        if waits {
            self.0.asking.fetch_add(1, Ordering::SeqCst);
        } else {
            self.0.asking.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Listens to the events after the first `after`.
    pub fn listen(&self, after: usize) -> Listener {
        let listeners = self.0.listeners.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.heard.send_replace(listeners);
        Listener::new(self.clone(), self.0.told.subscribe(), after)
    }

    /// Whether its last event has come.
    pub fn ended(&self) -> bool {
        self.lock().last().is_some_and(|event| event.is_last())
    }

    /// Adds an event. Those beyond the bound are left out, but for the last.
    pub(super) fn tell(&self, event: ChatEvent) {
        let mut events = self.lock();
        if events.last().is_some_and(|last| last.is_last()) {
            return;
        }
        if events.len() >= EVENTS && !event.is_last() {
            metrics::counter!("marple_chat_events_dropped_total").increment(1);
            return;
        }
        events.push(Arc::new(event));
        self.0.told.send_replace(events.len());
    }

    /// The event of this number, from 1.
    pub(super) fn event(&self, number: usize) -> Option<Arc<ChatEvent>> {
        self.lock().get(number.checked_sub(1)?).cloned()
    }

    /// A listener has gone.
    pub(super) fn left(&self) {
        let listeners = self.0.listeners.fetch_sub(1, Ordering::SeqCst) - 1;
        self.0.heard.send_replace(listeners);
    }

    /// Ends once nobody has listened for a while.
    pub(super) async fn abandoned(&self) {
        let mut heard = self.0.heard.subscribe();
        loop {
            if heard.wait_for(|listeners| *listeners == 0).await.is_err() {
                return;
            }
            let back = tokio::time::timeout(ALONE, heard.wait_for(|listeners| *listeners > 0)).await;
            if back.is_err() && self.0.asking.load(Ordering::SeqCst) == 0 {
                return;
            }
        }
    }

    pub(super) fn cancel(&self) -> &CancellationToken {
        &self.0.cancel
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<ChatEvent>>> {
        self.0.events.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn talk() -> Talk {
        Talk::new(ConversationId::new(), (Vec::new(), "Why?".to_owned()), CancellationToken::new())
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_nobody_hears_is_given_up_and_one_that_is_heard_again_is_not() {
        let talk = talk();
        let listener = talk.listen(0);
        let given_up = talk.abandoned();
        tokio::pin!(given_up);
        assert!(tokio::time::timeout(ALONE * 4, &mut given_up).await.is_err(), "somebody listens");
        drop(listener);
        assert!(tokio::time::timeout(ALONE / 2, &mut given_up).await.is_err(), "the client may come back");
        let listener = talk.listen(0);
        assert!(tokio::time::timeout(ALONE * 4, &mut given_up).await.is_err(), "it has come back");
        drop(listener);
        assert!(tokio::time::timeout(ALONE * 2, &mut given_up).await.is_ok());
    }

    #[tokio::test]
    async fn events_are_heard_in_order_from_any_of_them_on_and_nothing_after_the_last() {
        let talk = talk();
        let mut early = talk.listen(0);
        let said = |text: &str| ChatEvent::Said { content: text.to_owned(), reasoning: String::new() };
        talk.tell(said("one"));
        talk.tell(said("two"));
        talk.tell(ChatEvent::Failed("over".to_owned()));
        talk.tell(said("too late"));
        let mut late = talk.listen(1);
        let mut heard = Vec::new();
        while let Some((number, event)) = early.next().await {
            heard.push((number, event.as_ref().clone()));
        }
        let last = ChatEvent::Failed("over".to_owned());
        assert_eq!(heard, [(1, said("one")), (2, said("two")), (3, last)]);
        assert_eq!(late.next().await.map(|(number, _)| number), Some(2));
        assert!(talk.ended());
    }
}
