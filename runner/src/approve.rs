//! Asks people whether a call may be made, and waits for their word.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use marple_core::ApprovalId;
use marple_tools::gate::{Approval, Approve, ApproveError, Request};
use marple_tools::{Preview, Redact};
use serde_json::Value;
use tokio::sync::oneshot;

use crate::clock::Clock;
use crate::store::{ApprovalRow, ApprovalState, Approvals, StoreError, Verdict};

/// How many questions may wait at a time: more than people answer, and each holds an investigation.
const WAITING: usize = 64;

/// Why a person's word did not count. Trying again helps where the store was away.
#[derive(Debug, thiserror::Error)]
pub enum DecideError {
    /// There is no such question.
    #[error("there is no approval {0}")]
    Missing(ApprovalId),
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

/// Questions to people: each is kept, shown over the API, and answered at most once.
///
/// Who waits for an answer is known in memory alone, so that none is carried out that nobody waits for: after a restart
/// what was asked before is over, and is asked anew.
pub struct People {
    store: Arc<dyn Approvals>,
    redact: Arc<dyn Redact>,
    wait: Duration,
    clock: Clock,
    waiting: Mutex<HashMap<ApprovalId, oneshot::Sender<Verdict>>>,
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
    /// People who are waited for so long.
    pub fn new(store: Arc<dyn Approvals>, redact: Arc<dyn Redact>, wait: Duration, clock: Clock) -> Self {
        Self { store, redact, wait, clock, waiting: Mutex::default() }
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
        let Some(waits) = self.take(id) else { return over().await };
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
            ApprovalState::Waiting if !self.lock().contains_key(&row.id) => ApprovalState::Withdrawn,
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
        });
        ApprovalRow {
            id,
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

#[async_trait]
impl Approve for People {
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError> {
        let id = ApprovalId::new();
        let (sender, answer) = oneshot::channel();
        {
            let mut waiting = self.lock();
            if waiting.len() >= WAITING {
                return Err(ApproveError(format!("{WAITING} other questions wait for an answer")));
            }
            waiting.insert(id, sender);
        }
        let _place = Place { people: self, id };
        let row = self.row(id, request, self.clock.now());
        self.store.approval_ask(&row).await.map_err(|error| ApproveError(error.to_string()))?;
        tracing::warn!(approval = %id, title = row.title, actor = row.actor, "a person must approve a call: GET /api/approvals");
        metrics::counter!("marple_approvals_total", "outcome" => "asked").increment(1);
        let Ok(answer) = tokio::time::timeout(self.wait, answer).await else {
            metrics::counter!("marple_approvals_total", "outcome" => "expired").increment(1);
            let waited = marple_core::Period::from(self.wait);
            return Err(ApproveError(format!("nobody answered in {waited}")));
        };
        let Verdict { approved, by, why } =
            answer.map_err(|_| ApproveError("the question was withdrawn".to_owned()))?;
        metrics::counter!("marple_approvals_total", "outcome" => if approved { "approved" } else { "denied" })
            .increment(1);
        Ok(if approved { Approval::Approved { by } } else { Approval::Denied { by, why } })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marple_core::ObjectRef;
    use marple_tools::Effect;
    use marple_tools::redact::{RedactConfig, Redactor};
    use serde_json::json;

    use super::*;
    use crate::store::{SqliteStore, Upkeep as _};

    fn request() -> Request {
        Request {
            actor: "investigation of incident i".to_owned(),
            tool: "kubernetes_scale".to_owned(),
            arguments: json!({ "replicas": 3, "password": "hunter22" }),
            effect: Effect::Write,
            preview: Some(Preview {
                title: "scale Deployment shop/cart from 2 to 3".to_owned(),
                object: Some(ObjectRef::namespaced("Deployment", "shop", "cart")),
                diff: "-  replicas: 2\n+  replicas: 3\n".to_owned(),
            }),
        }
    }

    async fn people(wait: Duration) -> (tempfile::TempDir, SqliteStore, Arc<People>) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
        let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
        let people = People::new(Arc::new(store.clone()), redact, wait, Clock::system());
        (folder, store, Arc::new(people))
    }

    /// Asks, and gives the question once it is kept.
    async fn asked(people: &Arc<People>) -> (tokio::task::JoinHandle<Result<Approval, ApproveError>>, ApprovalRow) {
        let asking = Arc::clone(people);
        let task = tokio::spawn(async move { asking.approve(&request()).await });
        loop {
            if let Some(row) =
                people.questions(1).await.unwrap().into_iter().find(|row| row.state == ApprovalState::Waiting)
            {
                return (task, row);
            }
            tokio::task::yield_now().await;
        }
    }

    fn yes(by: &str) -> Verdict {
        Verdict { approved: true, by: by.to_owned(), why: None }
    }

    #[tokio::test]
    async fn the_first_word_counts_and_a_second_is_refused() {
        let (_folder, store, people) = people(Duration::from_mins(1)).await;
        let (task, row) = asked(&people).await;
        assert_eq!(row.title, "scale Deployment shop/cart from 2 to 3");
        assert!(!row.arguments.to_string().contains("hunter22"), "{}", row.arguments);
        let decided = people.decide(row.id, yes("ann")).await.unwrap();
        assert_eq!((decided.state, decided.decided_by.as_deref()), (ApprovalState::Approved, Some("ann")));
        assert_eq!(task.await.unwrap().unwrap(), Approval::Approved { by: "ann".to_owned() });
        let again = people.decide(row.id, yes("bob")).await.unwrap_err();
        assert_eq!(
            again.to_string(),
            format!("approval {} waits no more: it is approved already; nothing was done", row.id)
        );
        let audit = store.audit_records(9).await.unwrap();
        let told: Vec<(&str, &str)> =
            audit.iter().map(|record| (record.actor.as_str(), record.action.as_str())).collect();
        assert_eq!(told, [("ann", "call approved")]);
    }

    #[tokio::test]
    async fn a_denial_tells_who_and_why() {
        let (_folder, _store, people) = people(Duration::from_mins(1)).await;
        let (task, row) = asked(&people).await;
        let no = Verdict { approved: false, by: "ann".to_owned(), why: Some("not now".to_owned()) };
        people.decide(row.id, no).await.unwrap();
        let denied = Approval::Denied { by: "ann".to_owned(), why: Some("not now".to_owned()) };
        assert_eq!(task.await.unwrap().unwrap(), denied);
    }

    #[tokio::test]
    async fn what_nobody_waits_for_any_more_can_not_be_approved() {
        let (_folder, store, people) = people(Duration::from_mins(1)).await;
        let (task, row) = asked(&people).await;
        task.abort();
        assert!(task.await.is_err());
        let gone = people.decide(row.id, yes("ann")).await.unwrap_err();
        assert!(gone.to_string().ends_with("it is withdrawn, for who asked is gone; nothing was done"), "{gone}");

        let (_task, row) = asked(&people).await;
        let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
        let restarted = People::new(Arc::new(store), redact, Duration::from_mins(1), Clock::system());
        let before = restarted.decide(row.id, yes("ann")).await.unwrap_err();
        assert!(before.to_string().contains("withdrawn"), "{before}");
        let never = ApprovalId::new();
        let missing = restarted.decide(never, yes("ann")).await.unwrap_err();
        assert_eq!(missing.to_string(), format!("there is no approval {never}"));
    }

    #[tokio::test]
    async fn nobody_who_answers_is_no_approval() {
        let (_folder, _store, people) = people(Duration::from_millis(10)).await;
        let refused = people.approve(&request()).await.unwrap_err();
        assert_eq!(refused.to_string(), "nobody answered in 10ms");
        assert_eq!(people.questions(1).await.unwrap()[0].state, ApprovalState::Expired);
    }
}
