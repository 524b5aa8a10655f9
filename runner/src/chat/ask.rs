//! Asks people for a call of a question under way, by telling whoever listens to it.

use std::sync::Arc;

use async_trait::async_trait;
use marple_core::ConversationId;
use marple_tools::gate::{Approval, Approve, ApproveError, Request};

use super::place::Place;
use super::{ChatEvent, Talk};
use crate::approve::People;

/// Who makes the calls of a conversation, as they are recorded.
const ACTOR: &str = "conversation ";

/// Under which name the calls of a conversation are recorded.
pub(super) fn actor(conversation: ConversationId) -> String {
    format!("{ACTOR}{conversation}")
}

/// The conversation whose calls are recorded under this name.
pub fn conversation_of(actor: &str) -> Option<ConversationId> {
    actor.strip_prefix(ACTOR)?.parse().ok()
}

/// Asks people, and tells a question's listeners of it.
pub(super) struct Asking {
    pub(super) people: Arc<People>,
    pub(super) talk: Talk,
    pub(super) place: Arc<Place>,
}

/// While it lives a call waits.
struct Waits<'a>(&'a Talk);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.asks(false);
    }
}

#[async_trait]
impl Approve for Asking {
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError> {
        let asked = self.people.ask(request).await?;
        if !asked.waits() {
            return asked.answer().await;
        }
        self.talk.asks(true);
        let waits = Waits(&self.talk);
        let left = self.place.leave();
        let ticket = self.people.ticket(&asked.row);
        let call = self.talk.open_call(&request.tool, &request.arguments);
        let approval = Box::new(asked.row.clone());
        self.talk.tell(ChatEvent::ApprovalRequired { approval, call, ticket, messages: self.talk.messages() });
        let answer = asked.answer().await;
        drop(waits);
        left.over().await;
        answer
    }
}

/// Refuses what a person would have to be asked for, in a question whose client did not say that it may be asked.
pub(super) struct NotAsking;

#[async_trait]
impl Approve for NotAsking {
    async fn approve(&self, _request: &Request) -> Result<Approval, ApproveError> {
        Err(ApproveError(
            "nobody is asked in this conversation; `enable_tool_approval` of /api/chat lets it ask".to_owned(),
        ))
    }
}
