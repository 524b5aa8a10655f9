//! What people asked and were answered.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::Exchange;
use marple_core::{ConversationId, IncidentId};

use super::StoreError;

/// Conversations of people with marple.
#[async_trait]
pub trait Conversations: Send + Sync {
    /// Keeps a question with its answer, redacted, at the end of a conversation.
    async fn exchange_keep(
        &self,
        conversation: ConversationId,
        incident: Option<IncidentId>,
        exchange: &Exchange,
        at: Timestamp,
    ) -> Result<(), StoreError>;

    /// The latest exchanges of a conversation, oldest first.
    async fn exchanges(&self, conversation: ConversationId, limit: u32) -> Result<Vec<Exchange>, StoreError>;
}
