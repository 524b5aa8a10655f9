//! Answers a question with the tools, the gate and the budget of investigations.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::{Case, Exchange, Mode, Outcome, Progress, Run, SaveError, Told};
use marple_core::{ApprovalId, ConversationId, IncidentId};
use marple_tools::gate::Approve;
use marple_tools::toolset::Listing;
use marple_tools::{EvidenceError, Look};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use super::ask::{Asking, actor};
use super::{Answered, ChatEvent, Talk, TalkId};
use crate::account::Account;
use crate::approve::People;
use crate::clock::Clock;
use crate::dispatch::{Investigated, Once, Tooling, Topic, known_case};
use crate::render;
use crate::store::{Store, StoreError};

/// Questions that are answered at a time; each may hold some MiB of evidence.
const AT_ONCE: usize = 8;

/// Questions whose events are kept, the latest.
const KEPT: usize = 256;

/// How long the events of an answered question are kept for a client that comes back.
const REMEMBERED: Duration = Duration::from_mins(5);

/// Earlier exchanges of a conversation that are read.
const EARLIER: u32 = 20;

/// A question can't be taken, or not be answered. Trying again helps where it says so.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// Others are being answered.
    #[error("{AT_ONCE} questions are being answered already; ask again in a minute")]
    Busy,
    /// There is no such incident.
    #[error("there is no incident {0}")]
    NoIncident(IncidentId),
    /// It was ended before it was answered.
    #[error("marple is shutting down, or its configuration has changed: ask again in a moment")]
    Ended,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What was seen could not be kept.
    #[error(transparent)]
    Evidence(#[from] EvidenceError),
}

/// What a person asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The question.
    pub text: String,
    /// What was asked and answered before, as the client tells it; where it tells nothing, the store knows it by the
    /// conversation.
    pub earlier: Vec<Exchange>,
    /// The same as the client told it, to be given back with the answer.
    pub before: Vec<Value>,
    /// The conversation that it goes on with; else it begins one.
    pub conversation: Option<ConversationId>,
    /// The incident that it is about.
    pub incident: Option<IncidentId>,
}

/// Answers questions. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Chat {
    once: Arc<Once>,
    model: Option<String>,
    account: Account,
    people: Option<Arc<People>>,
    store: Arc<dyn Store>,
    clock: Clock,
    room: Arc<Semaphore>,
    talks: Arc<Mutex<HashMap<TalkId, Remembered>>>,
    since: Instant,
    stop: CancellationToken,
}

/// Tells who listens that nothing comes any more, whatever became of the answer.
struct Ends(Talk);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.tell(ChatEvent::Failed("the answer broke off; ask again".to_owned()));
    }
}

struct Remembered {
    talk: Talk,
    since: Instant,
}

impl Chat {
    /// Answers with what `once` looks at and asks, until `stop`. `model` is the name of the model that it asks.
    pub fn new(
        once: Once,
        model: Option<String>,
        account: Account,
        people: Option<Arc<People>>,
        store: Arc<dyn Store>,
        clock: Clock,
        stop: CancellationToken,
    ) -> Self {
        let room = Arc::new(Semaphore::new(AT_ONCE));
        Self {
            once: Arc::new(once),
            model,
            account,
            people,
            store,
            clock,
            room,
            talks: Arc::default(),
            since: Instant::now(),
            stop,
        }
    }

    /// The name of the model that answers; none where the rules do.
    pub fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// The toolsets that it may look with, and which of them are on.
    pub fn toolsets(&self) -> Vec<Listing> {
        self.once.tooling.toolsets.list()
    }

    /// How long it has been there.
    pub fn uptime(&self) -> Duration {
        self.since.elapsed()
    }

    /// The tokens that the model can take, and those of one answer.
    pub fn limits(&self) -> Option<(u32, u32)> {
        let limits = self.once.investigator.as_ref()?.limits();
        Some((limits.context_window, limits.max_output))
    }

    /// Begins to answer a question. It ends by itself when nobody has listened for half a minute.
    pub fn begin(&self, question: Question) -> Result<Talk, ChatError> {
        let permit = Arc::clone(&self.room).try_acquire_owned().map_err(|_| ChatError::Busy)?;
        let conversation = question.conversation.unwrap_or_else(ConversationId::new);
        let before = (question.before.clone(), question.text.clone());
        let talk = Talk::new(conversation, before, self.stop.child_token());
        self.remember(&talk);
        tokio::spawn(self.clone().answered(question, talk.clone(), permit));
        Ok(talk)
    }

    /// A question that was begun a while ago.
    pub fn find(&self, id: TalkId) -> Option<Talk> {
        self.lock().get(&id).map(|remembered| remembered.talk.clone())
    }

    /// The question under way in which a person is asked for a call.
    pub fn find_asking(&self, approval: ApprovalId) -> Option<Talk> {
        self.lock().values().map(|remembered| &remembered.talk).find(|talk| talk.asked(approval).is_some()).cloned()
    }

    /// What a question is answered with: its calls are recorded under its conversation, and people are asked through it.
    fn tooling(&self, talk: &Talk) -> Tooling {
        let mut tooling = self.once.tooling.clone();
        tooling.actor = Some(actor(talk.conversation()));
        tooling.approve = self.people.clone().map(|people| {
            let asks: Arc<dyn Approve> = Arc::new(Asking { people, talk: talk.clone() });
            asks
        });
        tooling
    }

    async fn answered(self, question: Question, talk: Talk, permit: OwnedSemaphorePermit) {
        let cancel = talk.cancel().clone();
        let _ends = Ends(talk.clone());
        let outcome = tokio::select! {
            outcome = self.answer(question, &talk) => outcome,
            () = talk.abandoned() => {
                cancel.cancel();
                metrics::counter!("marple_chat_abandoned_total").increment(1);
                talk.tell(ChatEvent::Failed("it was given up: nobody listened any more".to_owned()));
                return;
            }
        };
        drop(permit);
        match outcome {
            Ok(answered) => {
                metrics::counter!("marple_chat_answers_total").increment(1);
                talk.tell(ChatEvent::Answered(Box::new(answered)));
            }
            Err(error) => {
                tracing::warn!(%error, "a question was not answered");
                talk.tell(ChatEvent::Failed(error.to_string()));
            }
        }
    }

    async fn answer(&self, question: Question, talk: &Talk) -> Result<Answered, ChatError> {
        let now = self.clock.now();
        let conversation = talk.conversation();
        let earlier = if question.earlier.is_empty() && question.conversation.is_some() {
            self.store.exchanges(conversation, EARLIER).await?
        } else {
            question.earlier
        };
        let asked = self.once.tooling.redact.redact(&question.text);
        let telling = Telling::new(talk.clone());
        let (outcome, without_model) = if let Some(id) = question.incident {
            self.about(id, &asked, earlier, now, &telling).await?
        } else {
            let topic = Topic::Question { question: asked.clone(), earlier };
            let once = Once { tooling: self.tooling(talk), ..self.once.as_ref().clone() };
            let Investigated { view, outcome } = once.investigate(topic, now, talk.cancel(), &telling).await?;
            (outcome, render::terminal(&view, WIDTH, false))
        };
        if talk.cancel().is_cancelled() {
            return Err(ChatError::Ended);
        }
        let text = match &outcome.answer {
            Some(answer) => answer.clone(),
            None if outcome.ending.is_of_model() => outcome.conclusion.summary.clone(),
            None => format!("```text\n{}\n```", without_model.trim_end()),
        };
        let exchange = Exchange { question: asked, answer: text.clone() };
        self.store.exchange_keep(conversation, question.incident, &exchange, self.clock.now()).await?;
        let messages = talk.messages();
        Ok(Answered { text, conversation, ending: outcome.ending, usage: outcome.usage, messages })
    }

    /// Answers a question about an incident, with its evidence; gives what is said without a model, too.
    async fn about(
        &self,
        id: IncidentId,
        question: &str,
        earlier: Vec<Exchange>,
        now: Timestamp,
        telling: &Telling,
    ) -> Result<(Outcome, String), ChatError> {
        let incident = self.store.incident(id).await?.ok_or(ChatError::NoIncident(id))?;
        let mut known = known_case(self.store.as_ref(), &incident, &self.once.cluster_name).await?;
        let said = format!("{}\n{}", known.rules.summary, known.rules.impact);
        let Some(investigator) = &self.once.investigator else {
            return Ok((Outcome::without_model(&known.rules), said));
        };
        let (toolbox, unseen) = self.tooling(&telling.talk).toolbox(&self.store.evidence(id)).await;
        known.rules.unseen.extend(unseen);
        let look = Look { incident_start: Some(incident.starts_at), now, cancel: telling.talk.cancel().clone() };
        let case = Case { question: Some(question.to_owned()), earlier, mode: Mode::Answer, ..known };
        let investigator = investigator.clone().with_purse(self.account.of(id));
        let outcome = investigator.investigate(case, None, &toolbox, &look, telling).await;
        Ok((outcome, said))
    }

    fn remember(&self, talk: &Talk) {
        let mut talks = self.lock();
        talks.retain(|_, remembered| !remembered.talk.ended() || remembered.since.elapsed() < REMEMBERED);
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

/// Columns of an answer that the rules give.
const WIDTH: usize = 100;

/// Tells a talk what an investigation does.
struct Telling {
    talk: Talk,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    content: String,
    reasoning: String,
    folded: usize,
}

impl Telling {
    fn new(talk: Talk) -> Self {
        Self { talk, state: Mutex::default() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Progress for Telling {
    async fn save(&self, run: &Run) -> Result<(), SaveError> {
        self.talk.note(run.conversation());
        let folded = run.folded();
        if folded > std::mem::replace(&mut self.lock().folded, folded) {
            self.talk.tell(ChatEvent::Folded(folded));
        }
        self.talk.tell(ChatEvent::Counted(run.usage()));
        Ok(())
    }

    async fn told(&self, told: Told) {
        match told {
            Told::Text(text) => self.lock().content.push_str(&text),
            Told::Thinking(text) => self.lock().reasoning.push_str(&text),
            Told::Restarted => {
                let mut state = self.lock();
                state.content.clear();
                state.reasoning.clear();
            }
            Told::CallStarted(call) => {
                let (content, reasoning) = {
                    let mut state = self.lock();
                    (std::mem::take(&mut state.content), std::mem::take(&mut state.reasoning))
                };
                if !content.trim().is_empty() || !reasoning.trim().is_empty() {
                    self.talk.tell(ChatEvent::Said { content, reasoning });
                }
                self.talk.tell(ChatEvent::CallStarted(call));
            }
            Told::CallEnded { call, outcome } => {
                metrics::counter!("marple_tool_calls_total", "tool" => call.name.clone()).increment(1);
                self.talk.tell(ChatEvent::CallEnded { call, outcome });
            }
            Told::Fault(_) | Told::Ended(_) => {}
        }
    }
}
