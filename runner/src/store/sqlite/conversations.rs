//! Conversations, in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::Exchange;
use marple_core::{ConversationId, IncidentId};

use super::SqliteStore;
use super::column::Columns;
use super::fault::Fault;
use crate::store::{Conversations, StoreError};

#[async_trait]
impl Conversations for SqliteStore {
    async fn exchange_keep(
        &self,
        conversation: ConversationId,
        incident: Option<IncidentId>,
        exchange: &Exchange,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let Exchange { question, answer } = exchange.clone();
        self.writer()
            .write("keeping an answer", move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO exchanges (conversation, incident, at, question, answer) VALUES (?, ?, ?, ?, ?)",
                    )
                    .bind(conversation.to_string())
                    .bind(incident.map(|incident| incident.to_string()))
                    .bind(at.as_microsecond())
                    .bind(question)
                    .bind(answer)
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn exchanges(&self, conversation: ConversationId, limit: u32) -> Result<Vec<Exchange>, StoreError> {
        let doing = "reading a conversation";
        let rows =
            sqlx::query("SELECT question, answer FROM exchanges WHERE conversation = ? ORDER BY id DESC LIMIT ?")
                .bind(conversation.to_string())
                .bind(limit)
                .fetch_all(self.readers())
                .await
                .map_err(|error| Fault::from(error).during(doing))?;
        let read = |columns: Columns<'_>| -> Result<_, Fault> {
            Ok(Exchange { question: columns.text("question")?, answer: columns.text("answer")? })
        };
        rows.iter().rev().map(|row| read(Columns(row)).map_err(|fault| fault.during(doing))).collect()
    }
}
