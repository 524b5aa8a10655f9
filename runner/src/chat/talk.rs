//! One question under way.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use marple_agent::{Message, ToolCall};
use marple_core::{ApprovalId, ConversationId};
use serde_json::Value;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Asks, ChatEvent, Hearing, Listener};

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

struct Inner {
    id: TalkId,
    about: About,
    events: Mutex<Vec<Arc<ChatEvent>>>,
    told: watch::Sender<Tally>,
    presence: watch::Sender<Presence>,
    cancel: CancellationToken,
    /// What the model was given and said so far.
    messages: Mutex<Vec<Message>>,
}

/// What is known of a question from its beginning.
pub(super) struct About {
    pub(super) conversation: ConversationId,
    /// What the client told of the conversation before.
    pub(super) before: Vec<Value>,
    /// The question, as it was asked.
    pub(super) question: String,
    pub(super) hearing: Hearing,
    /// The name of the model that answers.
    pub(super) model: Option<String>,
    /// The tokens that it can take, and those of one answer.
    pub(super) limits: Option<(u32, u32)>,
}

/// How far a question has come.
#[derive(Clone, Copy, Default)]
pub(super) struct Tally {
    pub(super) events: usize,
    pub(super) ended: bool,
}

/// Who is there.
#[derive(Clone, Copy, Default)]
struct Presence {
    listeners: usize,
    /// Calls that wait for a person's word.
    asking: usize,
    /// Whether one ever did.
    asked: bool,
}

impl Talk {
    pub(super) fn new(about: About, cancel: CancellationToken) -> Self {
        Self(Arc::new(Inner {
            id: TalkId::new(),
            about,
            events: Mutex::default(),
            told: watch::Sender::new(Tally::default()),
            presence: watch::Sender::new(Presence::default()),
            cancel,
            messages: Mutex::default(),
        }))
    }

    /// Its name.
    pub fn id(&self) -> TalkId {
        self.0.id
    }

    /// The conversation that it belongs to.
    pub fn conversation(&self) -> ConversationId {
        self.0.about.conversation
    }

    /// What the client told of the conversation before this question, and the question.
    pub fn before(&self) -> (&[Value], &str) {
        (&self.0.about.before, &self.0.about.question)
    }

    /// The name of the model that answers; none where the rules do.
    pub fn model(&self) -> Option<&str> {
        self.0.about.model.as_deref()
    }

    /// The tokens that the model can take, and those of one answer.
    pub fn limits(&self) -> Option<(u32, u32)> {
        self.0.about.limits
    }

    /// Who is asked for calls that need a person's word.
    pub(super) fn asks_whom(&self) -> Asks {
        self.0.about.hearing.asks
    }

    /// Whether what its client hears ends where a call waits for its word.
    pub fn asks_its_client(&self) -> bool {
        self.asks_whom() == Asks::Client
    }

    /// Whether it is gone on with after its client has gone, be it by its events or by a word on a call.
    pub(super) fn goes_on(&self) -> bool {
        self.0.about.hearing.comes_back || self.asks_its_client()
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

    /// The events up to the one of this number.
    pub fn events(&self, number: usize) -> Vec<Arc<ChatEvent>> {
        self.lock().iter().take(number).cloned().collect()
    }

    /// The call of this tool with these arguments that has not ended; of several that are the same, the first that nobody was
    /// asked for.
    pub(super) fn open_call(&self, tool: &str, arguments: &Value) -> Option<ToolCall> {
        let mut open: Vec<ToolCall> = Vec::new();
        for event in self.lock().iter() {
            match event.as_ref() {
                ChatEvent::CallStarted(call) if call.name == tool && arguments.as_object() == Some(&call.arguments) => {
                    open.push(call.clone());
                }
                ChatEvent::ApprovalRequired { call: Some(call), .. } => open.retain(|one| one.id != call.id),
                ChatEvent::CallEnded { call, .. } => open.retain(|one| one.id != call.id),
                _ => {}
            }
        }
        open.into_iter().next()
    }

    /// One more call waits for a person's word, or one fewer.
    pub(super) fn asks(&self, waits: bool) {
        self.0.presence.send_modify(|presence| {
            presence.asking = if waits { presence.asking + 1 } else { presence.asking.saturating_sub(1) };
            presence.asked = true;
        });
    }

    /// Listens to the events after the first `after`.
    pub fn listen(&self, after: usize) -> Listener {
        self.0.presence.send_modify(|presence| presence.listeners += 1);
        Listener::new(self.clone(), self.0.told.subscribe(), after)
    }

    /// How many events there are.
    pub fn told(&self) -> usize {
        self.0.told.borrow().events
    }

    /// Whether its last event has come.
    pub fn ended(&self) -> bool {
        self.0.told.borrow().ended
    }

    /// Adds an event. Those beyond the bound are left out, but for the last and those that somebody must answer.
    pub(super) fn tell(&self, event: ChatEvent) {
        let mut events = self.lock();
        if events.last().is_some_and(|last| last.is_last()) {
            return;
        }
        let needed = event.is_last() || matches!(event, ChatEvent::ApprovalRequired { .. });
        if events.len() >= EVENTS && !needed {
            metrics::counter!("marple_chat_events_dropped_total").increment(1);
            return;
        }
        let ended = event.is_last();
        events.push(Arc::new(event));
        self.0.told.send_replace(Tally { events: events.len(), ended });
    }

    /// The event of this number, from 1.
    pub(super) fn event(&self, number: usize) -> Option<Arc<ChatEvent>> {
        self.lock().get(number.checked_sub(1)?).cloned()
    }

    /// A listener has gone.
    pub(super) fn left(&self) {
        self.0.presence.send_modify(|presence| presence.listeners = presence.listeners.saturating_sub(1));
    }

    /// Whether nobody listens, and no word of its client is waited for.
    fn alone(&self, presence: Presence) -> bool {
        let comes = self.asks_its_client() && presence.asking > 0;
        presence.listeners == 0 && !comes
    }

    /// Ends once nobody listens, where its client may come back once it hasn't for a while. It may where it can go on with
    /// the events, or was asked for its word.
    pub(super) async fn abandoned(&self) {
        let mut seen = self.0.presence.subscribe();
        loop {
            let Ok(presence) = seen.wait_for(|presence| self.alone(*presence)).await.map(|presence| *presence) else {
                return;
            };
            let comes_back = self.0.about.hearing.comes_back || self.asks_its_client() && presence.asked;
            let within = if comes_back { ALONE } else { Duration::ZERO };
            let back = tokio::time::timeout(within, seen.wait_for(|presence| !self.alone(*presence))).await;
            if back.is_err() {
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
    use super::super::Failure;
    use super::*;

    fn talk(hearing: Hearing) -> Talk {
        let about = About {
            conversation: ConversationId::new(),
            before: Vec::new(),
            question: "Why?".to_owned(),
            hearing,
            model: None,
            limits: None,
        };
        Talk::new(about, CancellationToken::new())
    }

    const COMES_BACK: Hearing = Hearing { comes_back: true, asks: Asks::Nobody };

    fn said(text: &str) -> ChatEvent {
        ChatEvent::Said { content: text.to_owned(), reasoning: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_question_that_nobody_hears_is_given_up_and_one_that_is_heard_again_is_not() {
        let talk = talk(COMES_BACK);
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

    #[tokio::test(start_paused = true)]
    async fn a_question_whose_client_can_not_come_back_is_given_up_with_it() {
        for asks in [Asks::Nobody, Asks::Others, Asks::Client] {
            let talk = talk(Hearing { comes_back: false, asks });
            let listener = talk.listen(0);
            let given_up = talk.abandoned();
            tokio::pin!(given_up);
            assert!(tokio::time::timeout(ALONE * 4, &mut given_up).await.is_err(), "{asks:?}: somebody listens");
            drop(listener);
            assert!(tokio::time::timeout(Duration::from_millis(1), given_up).await.is_ok(), "{asks:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_is_asked_for_its_word_is_waited_for() {
        let talk = talk(Hearing { comes_back: false, asks: Asks::Client });
        let listener = talk.listen(0);
        talk.asks(true);
        drop(listener);
        let given_up = talk.abandoned();
        tokio::pin!(given_up);
        assert!(tokio::time::timeout(ALONE * 9, &mut given_up).await.is_err(), "it was asked");
        talk.asks(false);
        assert!(tokio::time::timeout(ALONE / 2, &mut given_up).await.is_err(), "it was answered by another");
        assert!(tokio::time::timeout(ALONE, given_up).await.is_ok());
    }

    #[tokio::test]
    async fn events_are_heard_in_order_from_any_of_them_on_and_nothing_after_the_last() {
        let talk = talk(COMES_BACK);
        let mut early = talk.listen(0);
        talk.tell(said("one"));
        talk.tell(said("two"));
        talk.tell(ChatEvent::Failed(Failure::of("over")));
        talk.tell(said("too late"));
        let mut late = talk.listen(1);
        let mut heard = Vec::new();
        while let Some((number, event)) = early.next().await {
            heard.push((number, event.as_ref().clone()));
        }
        let last = ChatEvent::Failed(Failure::of("over"));
        assert_eq!(heard, [(1, said("one")), (2, said("two")), (3, last)]);
        assert_eq!(late.next().await.map(|(number, _)| number), Some(2));
        assert!(talk.ended());
    }

    #[test]
    fn of_calls_under_way_at_once_each_is_found_by_its_arguments_and_once() {
        let talk = talk(COMES_BACK);
        let call = |id: &str, replicas: u32| ToolCall {
            id: id.to_owned(),
            name: "scale".to_owned(),
            arguments: serde_json::Map::from_iter([("replicas".to_owned(), replicas.into())]),
        };
        for call in [call("a", 1), call("b", 2), call("c", 2)] {
            talk.tell(ChatEvent::CallStarted(call));
        }
        let open = |replicas: u32| talk.open_call("scale", &serde_json::json!({ "replicas": replicas }));
        assert_eq!((open(1), open(2), open(3)), (Some(call("a", 1)), Some(call("b", 2)), None));
        talk.tell(ChatEvent::CallEnded { call: call("b", 2), outcome: outcome() });
        assert_eq!(open(2), Some(call("c", 2)), "the other has ended");
    }

    fn outcome() -> marple_tools::CallOutcome {
        marple_tools::CallOutcome {
            status: marple_tools::CallStatus::Ok,
            evidence: None,
            title: String::new(),
            text: String::new(),
            empty: true,
            unseen: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_heard_the_last_event_or_more_hears_nothing_at_once_and_holds_nothing() {
        let talk = talk(COMES_BACK);
        let mut early = talk.listen(7);
        talk.tell(said("one"));
        let waits = tokio::time::timeout(ALONE, early.next()).await;
        assert!(waits.is_err(), "it is not over");
        talk.tell(ChatEvent::Failed(Failure::of("over")));
        assert!(tokio::time::timeout(ALONE, early.next()).await.is_ok_and(|heard| heard.is_none()));
        for after in [2, 3, usize::MAX - 1] {
            let mut late = talk.listen(after);
            assert!(tokio::time::timeout(ALONE, late.next()).await.is_ok_and(|heard| heard.is_none()), "{after}");
        }
        drop(early);
        assert_eq!(Arc::strong_count(&talk.0), 1);
    }
}
