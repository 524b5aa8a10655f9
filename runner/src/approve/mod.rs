//! Asks people whether a call may be made, and waits for their word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use marple_core::{ApprovalId, Secret, hex};
use marple_tools::gate::{Approval, Approve, ApproveError, Request};
use marple_tools::{Preview, Redact};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::signature::Key;
use crate::store::{ApprovalRow, ApprovalState, Approvals, StoreError, Verdict};

/// How many questions may wait at a time: more than people answer, and each holds an investigation.
const WAITING: usize = 64;

/// Why a person's word did not count. Trying again helps where the store was away.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such question.
    #[error("there is no approval {0}")]
    Missing(ApprovalId),
    /// It names no question that was asked here.
    #[error("{0:?} is no ticket of a question: send back the `tool_call_id` of `pending_approvals` as it was")]
    Forged(String),
    /// It waits no more.
    #[error("approval {id} waits no more: it is {}; nothing was done", word(*.state))]
    Over {
        /// Which.
        id: ApprovalId,
        /// What became of it.
        state: ApprovalState,
    },
    /// It could not be kept.
    #[error(transparent)]
    Store(#[from] StoreError),
}

const fn word(state: ApprovalState) -> &'static str {
    match state {
        ApprovalState::Waiting => "waiting",
        ApprovalState::Approved => "approved already",
        ApprovalState::Denied => "denied already",
        ApprovalState::Expired => "expired, for nobody answered in time",
        ApprovalState::Withdrawn => "withdrawn, for who asked is gone",
    }
}

/// What the key of questions is told apart by from other uses of the token.
const PURPOSE: &str = "marple: questions to people, 1";

/// Questions to people: each is kept, shown over the API, and answered at most once.
///
/// Who waits for an answer is known in memory. A restart takes nothing from a question: whoever asked goes on from its last
/// saved step and asks the very same again, which is answered then, once, by what was said meanwhile. What nobody waits for
/// since the start is over.
pub struct People {
    store: Arc<dyn Approvals>,
    redact: Arc<dyn Redact>,
    wait: Duration,
    clock: Clock,
    key: Key,
    /// When it began: who asked before may still come back.
    since: Timestamp,
    waiting: Mutex<HashMap<ApprovalId, oneshot::Sender<Verdict>>>,
}

/// A question that was put to people.
pub struct Asked<'a> {
    /// It, as it is kept.
    pub row: ApprovalRow,
    answer: Option<oneshot::Receiver<Verdict>>,
    place: Place<'a>,
}

/// A question's place among those that wait; left when whoever asked goes.
struct Place<'a> {
    people: &'a People,
    id: ApprovalId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.people.take(self.id);
    }
}

impl People {
    /// People who are waited for so long, and whose tickets are signed by this token.
    pub fn new(
        store: Arc<dyn Approvals>,
        redact: Arc<dyn Redact>,
        wait: Duration,
        token: &Secret,
        clock: Clock,
    ) -> Self {
        let key = Key::of(token, PURPOSE);
        Self { store, redact, wait, clock, key, since: clock.now(), waiting: Mutex::default() }
    }

    /// Names a question to a client that decides on it later: its id, signed with all that it is about and its end.
    pub fn ticket(&self, row: &ApprovalRow) -> String {
        format!("{}.{}", row.id, self.key.sign(&signed(row).each_ref().map(String::as_str)))
    }

    /// The question that a ticket names.
    pub async fn of_ticket(&self, ticket: &str) -> Result<ApprovalRow, DecideError> {
        let forged = || DecideError::Forged(ticket.chars().take(80).collect());
        let (id, signature) = ticket.split_once('.').ok_or_else(forged)?;
        let id: ApprovalId = id.parse().map_err(|_| forged())?;
        let row = self.store.approval(id).await?.ok_or(DecideError::Missing(id))?;
        let genuine = self.key.signed(&signed(&row).each_ref().map(String::as_str), signature);
        if genuine { Ok(row) } else { Err(forged()) }
    }

    /// The same, where it waits for a person's word.
    pub async fn waiting(&self, ticket: &str) -> Result<ApprovalRow, DecideError> {
        let row = self.standing(self.of_ticket(ticket).await?);
        match row.state {
            ApprovalState::Waiting => Ok(row),
            state => Err(DecideError::Over { id: row.id, state }),
        }
    }

    /// The latest questions, as they stand now.
    pub async fn questions(&self, limit: u32) -> Result<Vec<ApprovalRow>, StoreError> {
        let rows = self.store.approvals(limit).await?;
        Ok(rows.into_iter().map(|row| self.standing(row)).collect())
    }

    /// Keeps a person's word and tells it to whoever waits for it. Only the first one counts.
    pub async fn decide(&self, id: ApprovalId, verdict: Verdict) -> Result<ApprovalRow, DecideError> {
        let over = async || match self.store.approval(id).await? {
            Some(row) => Err(DecideError::Over { id, state: self.standing(row).state }),
            None => Err(DecideError::Missing(id)),
        };
        let Some(waits) = self.take(id) else { return self.decide_beforehand(id, &verdict).await };
        match self.store.approval_decide(id, &verdict, self.clock.now()).await {
            Ok(()) => {}
            Err(StoreError::Missing { .. }) => return over().await,
            Err(error) => {
                // It can be said again while it is still waited for.
                self.lock().insert(id, waits);
                return Err(error.into());
            }
        }
        if waits.send(verdict).is_err() {
            return Err(DecideError::Over { id, state: ApprovalState::Withdrawn });
        }
        self.store.approval(id).await?.ok_or(DecideError::Missing(id))
    }

    /// Keeps the word on a question from before the start, whose asker has not come back yet.
    async fn decide_beforehand(&self, id: ApprovalId, verdict: &Verdict) -> Result<ApprovalRow, DecideError> {
        let row = self.store.approval(id).await?.ok_or(DecideError::Missing(id))?;
        let row = self.standing(row);
        if row.state != ApprovalState::Waiting {
            return Err(DecideError::Over { id, state: row.state });
        }
        match self.store.approval_decide(id, verdict, self.clock.now()).await {
            Ok(()) => self.store.approval(id).await?.ok_or(DecideError::Missing(id)),
            Err(StoreError::Missing { .. }) => Err(DecideError::Over { id, state: ApprovalState::Expired }),
            Err(error) => Err(error.into()),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ApprovalId, oneshot::Sender<Verdict>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, id: ApprovalId) -> Option<oneshot::Sender<Verdict>> {
        self.lock().remove(&id)
    }

    /// What became of a question that nobody answered.
    fn standing(&self, row: ApprovalRow) -> ApprovalRow {
        let state = match row.state {
            ApprovalState::Waiting if row.expires_at <= self.clock.now() => ApprovalState::Expired,
            ApprovalState::Waiting if row.asked_at >= self.since && !self.lock().contains_key(&row.id) => {
                ApprovalState::Withdrawn
            }
            other => other,
        };
        ApprovalRow { state, ..row }
    }

    fn row(&self, id: ApprovalId, request: &Request, now: Timestamp) -> ApprovalRow {
        let wait = SignedDuration::try_from(self.wait).unwrap_or(SignedDuration::MAX);
        let arguments = self.redact.redact(&request.arguments.to_string());
        let preview = request.preview.clone().unwrap_or_else(|| Preview {
            title: format!("call {}", request.tool),
            object: None,
            diff: "What would change can't be told beforehand.".to_owned(),
            basis: String::new(),
        });
        let digest = digest(request, &preview);
        ApprovalRow {
            id,
            digest,
            state: ApprovalState::Waiting,
            title: preview.title,
            object: preview.object,
            diff: preview.diff,
            actor: request.actor.clone(),
            tool: request.tool.clone(),
            effect: request.effect,
            arguments: serde_json::from_str(&arguments).unwrap_or(Value::String(arguments)),
            asked_at: now,
            expires_at: now.checked_add(wait).unwrap_or(Timestamp::MAX),
            decided_at: None,
            decided_by: None,
            why: None,
        }
    }
}

/// What a ticket is signed with.
fn signed(row: &ApprovalRow) -> [String; 3] {
    [row.id.to_string(), row.digest.clone(), row.expires_at.as_second().to_string()]
}

/// All that a question is about: who asks the same again means the same question.
fn digest(request: &Request, preview: &Preview) -> String {
    let Request { actor, tool, arguments, .. } = request;
    let change = if preview.basis.is_empty() { &preview.diff } else { &preview.basis };
    hex(&Sha256::digest(json!([actor, tool, arguments, change]).to_string()))
}

impl People {
    /// Puts a question to people, or goes on with the same one from before a restart.
    pub async fn ask(&self, request: &Request) -> Result<Asked<'_>, ApproveError> {
        let failed = |error: StoreError| ApproveError(error.to_string());
        let fresh = self.row(ApprovalId::new(), request, self.clock.now());
        let before = self.store.approval_open(&fresh.digest, self.clock.now()).await.map_err(failed)?;
        // One that somebody of this process waits for is another's.
        let before = before.filter(|row| row.asked_at < self.since && !self.lock().contains_key(&row.id));
        let known = before.is_some();
        let row = before.unwrap_or(fresh);
        if row.state != ApprovalState::Waiting {
            return Ok(Asked { answer: None, place: Place { people: self, id: row.id }, row });
        }
        let (sender, answer) = oneshot::channel();
        {
            let mut waiting = self.lock();
            if waiting.len() >= WAITING {
                return Err(ApproveError(format!("{WAITING} other questions wait for an answer")));
            }
            waiting.insert(row.id, sender);
        }
        let place = Place { people: self, id: row.id };
        if !known {
            self.store.approval_ask(&row).await.map_err(failed)?;
            metrics::counter!("marple_approvals_total", "outcome" => "asked").increment(1);
        }
        tracing::warn!(approval = %row.id, title = row.title, actor = row.actor, "a person must approve a call: GET /api/approvals");
        Ok(Asked { row, answer: Some(answer), place })
    }
}

impl Asked<'_> {
    /// Whether it waits for an answer, which was not given before a restart.
    pub const fn waits(&self) -> bool {
        self.answer.is_some()
    }

    /// Waits for the answer, and takes it: no other call is made by it.
    pub async fn answer(self) -> Result<Approval, ApproveError> {
        let Self { row, answer, place } = self;
        let people = place.people;
        let verdict = match answer {
            Some(answer) => people.heard(&row, answer).await?,
            None => Verdict {
                approved: row.state == ApprovalState::Approved,
                by: row.decided_by.clone().unwrap_or_default(),
                why: row.why.clone(),
            },
        };
        let used = people.store.approval_use(row.id, people.clock.now()).await;
        if !used.map_err(|error| ApproveError(error.to_string()))? {
            return Err(ApproveError("the answer was used for another call already".to_owned()));
        }
        let Verdict { approved, by, why } = verdict;
        metrics::counter!("marple_approvals_total", "outcome" => if approved { "approved" } else { "denied" })
            .increment(1);
        Ok(if approved { Approval::Approved { by } } else { Approval::Denied { by, why } })
    }
}

impl People {
    async fn heard(&self, row: &ApprovalRow, answer: oneshot::Receiver<Verdict>) -> Result<Verdict, ApproveError> {
        let left = Duration::try_from(row.expires_at.duration_since(self.clock.now())).unwrap_or_default();
        let Ok(answer) = tokio::time::timeout(left.min(self.wait), answer).await else {
            metrics::counter!("marple_approvals_total", "outcome" => "expired").increment(1);
            let waited = marple_core::Period::from(self.wait);
            return Err(ApproveError(format!("nobody answered in {waited}")));
        };
        answer.map_err(|_| ApproveError("the question was withdrawn".to_owned()))
    }
}

#[async_trait]
impl Approve for People {
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError> {
        self.ask(request).await?.answer().await
    }
}

#[cfg(test)]
mod tests;
