//! Answers a question with the tools, the gate and the budget of investigations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use marple_agent::{Case, Ending, Exchange, Mode, Outcome};
use marple_core::{ApprovalId, ConversationId, EvidenceOrigin, IncidentId, Verdict};
use marple_tools::gate::Approve;
use marple_tools::toolset::Listing;
use marple_tools::{EvidenceDraft, EvidenceError, EvidenceLog as _, Look, MemoryEvidence};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::ask::{Asking, NotAsking, actor};
use super::place::Place;
use super::talk::About;
use super::telling::Telling;
use super::{
    Answered, Answerer, Answerers, Asks, ChatError, ChatEvent, ConversationEvidence, Failure, Listener, Question, Seen,
    Talk, TalkId,
};
use crate::account::Account;
use crate::approve::People;
use crate::clock::Clock;
use crate::dispatch::{Investigated, Once, Tooling, Topic, known_case};
use crate::render;
use crate::store::Store;

/// Questions that are answered at a time; each may hold some MiB of evidence. One that waits for a person is none of them.
pub(super) const AT_ONCE: usize = 8;

/// Questions whose events are kept, the latest.
const KEPT: usize = 256;

/// How long the events of an answered question are kept for a client that comes back.
const REMEMBERED: Duration = Duration::from_mins(5);

/// Earlier exchanges of a conversation that are read.
const EARLIER: u32 = 20;

/// How long a question whose call was approved may wait for a place, beside what a person is waited for.
const PLACE: Duration = Duration::from_mins(10);

/// Columns of an answer that the rules give.
const WIDTH: usize = 100;

/// Answers questions. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Chat {
    once: Arc<Once>,
    models: Answerers,
    account: Account,
    people: Option<Arc<People>>,
    store: Arc<dyn Store>,
    clock: Clock,
    evidence: ConversationEvidence,
    room: Arc<Semaphore>,
    talks: Arc<Mutex<HashMap<TalkId, Remembered>>>,
    since: Instant,
    stop: CancellationToken,
}

/// A question that can be answered, and has its place.
pub struct Prepared {
    chat: Chat,
    question: Question,
    answerer: Option<Answerer>,
    place: Place,
}

struct Remembered {
    talk: Talk,
    since: Instant,
}

/// Tells who listens that nothing comes any more, whatever became of the answer.
struct Ends(Talk);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.tell(ChatEvent::Failed(Failure::of("the answer broke off; ask again")));
    }
}

impl Chat {
    /// Answers with what `once` looks at, asking `models`, until `stop`.
    pub fn new(
        once: Once,
        models: Answerers,
        account: Account,
        people: Option<Arc<People>>,
        store: Arc<dyn Store>,
        clock: Clock,
        stop: CancellationToken,
    ) -> Self {
        let models = models.with_purse(&account.of_nothing());
        Self {
            once: Arc::new(once),
            models,
            account,
            people,
            store,
            clock,
            evidence: ConversationEvidence::default(),
            room: Arc::new(Semaphore::new(AT_ONCE)),
            talks: Arc::default(),
            since: Instant::now(),
            stop,
        }
    }

    /// The same, going on with the evidence of these conversations.
    #[must_use]
    pub fn with_evidence(self, evidence: ConversationEvidence) -> Self {
        Self { evidence, ..self }
    }

    /// What was looked at in conversations.
    pub fn evidence(&self) -> &ConversationEvidence {
        &self.evidence
    }

    /// The models that answer.
    pub fn models(&self) -> &Answerers {
        &self.models
    }

    /// The toolsets that it may look with, and which of them are on.
    pub fn toolsets(&self) -> Vec<Listing> {
        self.once.tooling.toolsets.list()
    }

    /// How long it has been there.
    pub fn uptime(&self) -> Duration {
        self.since.elapsed()
    }

    /// Checks a question and takes its place. Nothing is done until it is begun.
    pub async fn prepare(&self, question: Question) -> Result<Prepared, ChatError> {
        let answerer = self.models.choose(question.model.as_deref())?.cloned();
        if let Some(id) = question.incident {
            self.store.incident(id).await?.ok_or(ChatError::NoIncident(id))?;
        }
        let place = Place::take(&self.room).ok_or(ChatError::Busy)?;
        Ok(Prepared { chat: self.clone(), question, answerer, place })
    }

    /// Begins to answer a question, whose client hears it from its beginning.
    pub async fn begin(&self, question: Question) -> Result<(Talk, Listener), ChatError> {
        Ok(self.prepare(question).await?.begin())
    }

    /// A question that was begun a while ago.
    pub fn find(&self, id: TalkId) -> Option<Talk> {
        self.lock().get(&id).map(|remembered| remembered.talk.clone())
    }

    /// The question under way in which its client is asked for a call.
    pub fn find_asking(&self, approval: ApprovalId) -> Option<Talk> {
        self.lock().values().map(|remembered| &remembered.talk).find(|talk| talk.asked(approval).is_some()).cloned()
    }

    /// Keeps a question for who comes back to it, until a while after its end.
    fn remember(&self, talk: &Talk) {
        let mut talks = self.lock();
        if talks.len() >= KEPT {
            let oldest = talks.iter().filter(|(_, one)| one.talk.ended()).min_by_key(|(_, one)| one.since);
            if let Some(id) = oldest.map(|(id, _)| *id) {
                talks.remove(&id);
            }
        }
        talks.insert(talk.id(), Remembered { talk: talk.clone(), since: Instant::now() });
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<TalkId, Remembered>> {
        self.talks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Prepared {
    /// Begins to answer it. It ends by itself when its client has gone.
    pub fn begin(self) -> (Talk, Listener) {
        let Self { chat, question, answerer, place } = self;
        let limits = answerer.as_ref().map(|one| one.investigator.limits());
        let about = About {
            conversation: question.conversation.unwrap_or_else(ConversationId::new),
            before: question.before.clone(),
            question: question.text.clone(),
            hearing: question.hearing,
            model: answerer.as_ref().map(|one| one.name.clone()),
            limits: limits.map(|limits| (limits.context_window, limits.max_output)),
        };
        let talk = Talk::new(about, chat.stop.child_token());
        if talk.goes_on() {
            chat.remember(&talk);
        }
        let listener = talk.listen(0);
        let answering = Answering { chat, answerer, talk: talk.clone(), place: Arc::new(place) };
        tokio::spawn(answering.run(question));
        (talk, listener)
    }
}

/// A question while it is answered.
struct Answering {
    chat: Chat,
    answerer: Option<Answerer>,
    talk: Talk,
    place: Arc<Place>,
}

impl Answering {
    async fn run(self, question: Question) {
        let (chat, talk) = (self.chat.clone(), self.talk.clone());
        Box::pin(self.told(question)).await;
        if talk.goes_on() {
            tokio::select! {
                () = tokio::time::sleep(REMEMBERED) => {}
                () = chat.stop.cancelled() => {}
            }
            chat.lock().remove(&talk.id());
        }
    }

    async fn told(self, question: Question) {
        let talk = self.talk.clone();
        let _ends = Ends(talk.clone());
        let outcome = tokio::select! {
            outcome = self.answer(question) => outcome,
            () = talk.abandoned() => {
                talk.cancel().cancel();
                metrics::counter!("marple_chat_abandoned_total").increment(1);
                talk.tell(ChatEvent::Failed(Failure::of("it was given up: nobody listened any more")));
                return;
            }
        };
        // Others need not wait for who hears this.
        drop(self);
        match outcome {
            Ok(answered) => {
                metrics::counter!("marple_chat_answers_total").increment(1);
                talk.tell(ChatEvent::Answered(Box::new(answered)));
            }
            Err(error) => {
                tracing::warn!(%error, "a question was not answered");
                talk.tell(ChatEvent::Failed((&error).into()));
            }
        }
    }

    async fn answer(&self, question: Question) -> Result<Answered, ChatError> {
        let (chat, talk) = (&self.chat, &self.talk);
        let now = chat.clock.now();
        let conversation = talk.conversation();
        let question = question.redacted(chat.once.tooling.redact.as_ref());
        let earlier = if question.earlier.is_empty() && question.conversation.is_some() {
            chat.store.exchanges(conversation, EARLIER).await?
        } else {
            question.earlier.clone()
        };
        let telling = Telling::new(talk.clone());
        let (outcome, without_model) = if let Some(id) = question.incident {
            self.about(id, question.words(), earlier, now, &telling).await?
        } else {
            let log = chat.evidence.open(conversation, &earlier);
            keep(&log, &question.seen, now).await?;
            let topic = Topic::Question { question: question.words(), earlier };
            let once = Once {
                tooling: self.tooling(),
                investigator: self.answerer.as_ref().map(|one| one.investigator.clone()),
                ..chat.once.as_ref().clone()
            };
            let Investigated { view, outcome } = once.investigate_in(log, topic, now, talk.cancel(), &telling).await?;
            (outcome, render::terminal(&view, WIDTH, false))
        };
        if talk.cancel().is_cancelled() {
            return Err(ChatError::Ended);
        }
        if let Some(error) = unanswered(&outcome) {
            return Err(error);
        }
        let text = match &outcome.answer {
            Some(answer) => answer.clone(),
            None if outcome.ending.is_of_model() => outcome.conclusion.summary.clone(),
            None => format!("```text\n{}\n```", without_model.trim_end()),
        };
        let exchange = Exchange { question: question.text, answer: text.clone() };
        chat.store.exchange_keep(conversation, question.incident, &exchange, chat.clock.now()).await?;
        let messages = talk.messages();
        Ok(Answered { text, conversation, ending: outcome.ending, usage: outcome.usage, messages })
    }

    /// Answers a question about an incident, with its evidence; gives what is said without a model, too.
    async fn about(
        &self,
        id: IncidentId,
        question: String,
        earlier: Vec<Exchange>,
        now: Timestamp,
        telling: &Telling,
    ) -> Result<(Outcome, String), ChatError> {
        let chat = &self.chat;
        let incident = chat.store.incident(id).await?.ok_or(ChatError::NoIncident(id))?;
        let mut known = known_case(chat.store.as_ref(), &incident, &chat.once.cluster_name).await?;
        let said = format!("{}\n{}", known.rules.summary, known.rules.impact);
        let Some(Answerer { investigator, .. }) = &self.answerer else {
            return Ok((Outcome::without_model(&known.rules), said));
        };
        let (toolbox, unseen) = self.tooling().toolbox(&chat.store.evidence(id)).await;
        known.rules.unseen.extend(unseen);
        let look = Look { incident_start: Some(incident.starts_at), now, cancel: self.talk.cancel().clone() };
        let case = Case { question: Some(question), earlier, mode: Mode::Answer, ..known };
        let investigator = investigator.clone().with_purse(chat.account.of(id));
        let outcome = investigator.investigate(case, None, &toolbox, &look, telling).await;
        Ok((outcome, said))
    }

    /// What it is answered with: its calls are recorded under its conversation, and people are asked through it.
    fn tooling(&self) -> Tooling {
        let mut tooling = self.chat.once.tooling.clone();
        tooling.actor = Some(actor(self.talk.conversation()));
        // People are waited for as long as `people` says; then others may have all places.
        tooling.patience += PLACE;
        tooling.approve = self.chat.people.clone().map(|people| -> Arc<dyn Approve> {
            let (talk, place) = (self.talk.clone(), Arc::clone(&self.place));
            match talk.asks_whom() {
                Asks::Nobody => Arc::new(NotAsking),
                Asks::Others | Asks::Client => Arc::new(Asking { people, talk, place }),
            }
        });
        tooling
    }
}

/// Why there is no answer, where a model failed and the rules know nothing either.
fn unanswered(outcome: &Outcome) -> Option<ChatError> {
    let Ending::ModelUnavailable { why, limited } = &outcome.ending else { return None };
    let nothing =
        outcome.conclusion.verdict == Verdict::Inconclusive && outcome.conclusion.citations().next().is_none();
    nothing.then(|| ChatError::Model { why: why.clone(), limited: *limited })
}

/// Keeps what a client has looked at itself among the evidence of its conversation.
async fn keep(log: &MemoryEvidence, seen: &[Seen], now: Timestamp) -> Result<(), EvidenceError> {
    for Seen { title, content } in seen {
        let draft = EvidenceDraft {
            origin: EvidenceOrigin::Look,
            title: format!("{} (as the client tells it)", render::one_line(title)),
            object: None,
            taken_at: now,
            content: content.clone(),
            view: None,
        };
        log.keep(draft).await?;
    }
    Ok(())
}
