//! Questions to people, in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::ApprovalId;
use serde_json::json;
use sqlx::sqlite::SqliteRow;

use super::SqliteStore;
use super::column::{Columns, json as text_of, json_of};
use super::fault::Fault;
use crate::store::{ApprovalRow, Approvals, StoreError, Verdict};

fn of_row(row: &SqliteRow) -> Result<ApprovalRow, Fault> {
    let columns = Columns(row);
    Ok(ApprovalRow {
        id: columns.parsed("id")?,
        digest: columns.text("digest")?,
        state: columns.word("state")?,
        title: columns.text("title")?,
        object: columns.json_of("object")?,
        diff: columns.text("diff")?,
        actor: columns.text("actor")?,
        tool: columns.text("tool")?,
        effect: columns.word("effect")?,
        arguments: columns.json("arguments")?,
        asked_at: columns.time("asked_at")?,
        expires_at: columns.time("expires_at")?,
        decided_at: columns.time_of("decided_at")?,
        decided_by: columns.text_of("decided_by")?,
        why: columns.text_of("why")?,
    })
}

/// An enumeration's word, without the quotes of JSON.
fn word<T: serde::Serialize>(value: &T) -> Result<String, Fault> {
    Ok(text_of(value)?.trim_matches('"').to_owned())
}

#[async_trait]
impl Approvals for SqliteStore {
    async fn approval_ask(&self, row: &ApprovalRow) -> Result<(), StoreError> {
        let doing = "keeping a question to a person";
        let values = || -> Result<_, Fault> {
            Ok((word(&row.effect)?, text_of(&row.arguments)?, json_of(row.object.as_ref())?, word(&row.state)?))
        };
        let (effect, arguments, object, state) = values().map_err(|fault| fault.during(doing))?;
        let row = row.clone();
        self.writer()
            .write(doing, move |connection| {
                Box::pin(async move {
                    sqlx::query(
                        "INSERT INTO approvals (id, digest, asked_at, expires_at, actor, tool, effect, arguments, title, object, diff, \
                         state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    )
                    .bind(row.id.to_string())
                    .bind(row.digest)
                    .bind(row.asked_at.as_microsecond())
                    .bind(row.expires_at.as_microsecond())
                    .bind(row.actor)
                    .bind(row.tool)
                    .bind(effect)
                    .bind(arguments)
                    .bind(row.title)
                    .bind(object)
                    .bind(row.diff)
                    .bind(state)
                    .execute(connection)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn approval_decide(&self, id: ApprovalId, verdict: &Verdict, at: Timestamp) -> Result<(), StoreError> {
        let Verdict { approved, by, why } = verdict.clone();
        self.writer()
            .write("keeping a person's word", move |connection| {
                Box::pin(async move {
                    let state = if approved { "approved" } else { "denied" };
                    let decided = sqlx::query(
                        "UPDATE approvals SET state = ?, decided_at = ?, decided_by = ?, why = ? \
                         WHERE id = ? AND state = 'waiting' AND expires_at > ? RETURNING tool, title",
                    )
                    .bind(state)
                    .bind(at.as_microsecond())
                    .bind(by.as_str())
                    .bind(why.as_deref())
                    .bind(id.to_string())
                    .bind(at.as_microsecond())
                    .fetch_optional(&mut *connection)
                    .await?;
                    let Some(row) = decided else {
                        return Err(Fault::Missing(format!("question {id} that waits for an answer")));
                    };
                    let columns = Columns(&row);
                    let detail = json!({ "approval": id, "tool": columns.text("tool")?, "title": columns.text("title")?, "why": why });
                    sqlx::query("INSERT INTO audit (at, actor, action, detail) VALUES (?, ?, ?, ?)")
                        .bind(at.as_microsecond())
                        .bind(by)
                        .bind(format!("call {state}"))
                        .bind(text_of(&detail)?)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn approval_open(&self, digest: &str, now: Timestamp) -> Result<Option<ApprovalRow>, StoreError> {
        let doing = "looking for the same question to a person";
        let row = sqlx::query(
            "SELECT * FROM approvals WHERE digest = ? AND used_at IS NULL AND expires_at > ? \
                 AND state IN ('waiting', 'approved', 'denied') ORDER BY id DESC LIMIT 1",
        )
        .bind(digest)
        .bind(now.as_microsecond())
        .fetch_optional(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        row.as_ref().map(of_row).transpose().map_err(|fault| fault.during(doing))
    }

    async fn approval_use(&self, id: ApprovalId, at: Timestamp) -> Result<bool, StoreError> {
        self.writer()
            .write("using a person's word", move |connection| {
                Box::pin(async move {
                    let used = sqlx::query(
                        "UPDATE approvals SET used_at = ? \
                         WHERE id = ? AND used_at IS NULL AND state IN ('approved', 'denied')",
                    )
                    .bind(at.as_microsecond())
                    .bind(id.to_string())
                    .execute(connection)
                    .await?;
                    Ok(used.rows_affected() == 1)
                })
            })
            .await
    }

    async fn approval(&self, id: ApprovalId) -> Result<Option<ApprovalRow>, StoreError> {
        let doing = "reading a question to a person";
        let row = sqlx::query("SELECT * FROM approvals WHERE id = ?")
            .bind(id.to_string())
            .fetch_optional(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        row.as_ref().map(of_row).transpose().map_err(|fault| fault.during(doing))
    }

    async fn approvals(&self, limit: u32) -> Result<Vec<ApprovalRow>, StoreError> {
        let doing = "reading questions to people";
        let rows = sqlx::query("SELECT * FROM approvals ORDER BY id DESC LIMIT ?")
            .bind(limit)
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        rows.iter().map(|row| of_row(row).map_err(|fault| fault.during(doing))).collect()
    }
}
