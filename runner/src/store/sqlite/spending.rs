//! What the language model used, in SQLite.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_agent::Usage;
use serde_json::json;

use super::SqliteStore;
use super::column::{Columns, json as text_of};
use super::fault::Fault;
use crate::store::{Scope, Spending, Stop, StoreError};

fn name(scope: Scope) -> String {
    match scope {
        Scope::Day(day) => format!("day:{day}"),
        Scope::Incident(incident) => incident.to_string(),
    }
}

#[async_trait]
impl Spending for SqliteStore {
    async fn spend(&self, scopes: &[Scope], usage: Usage, at: Timestamp) -> Result<(), StoreError> {
        let scopes: Vec<String> = scopes.iter().copied().map(name).collect();
        let stored = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.writer()
            .write("keeping what the model used", move |connection| {
                Box::pin(async move {
                    for scope in scopes {
                        sqlx::query(
                            "INSERT INTO spending (scope, at, requests, prompt, cached, completion, cost) \
                             VALUES (?, ?, 1, ?, ?, ?, ?) ON CONFLICT (scope) DO UPDATE SET \
                                 at = excluded.at, requests = requests + 1, prompt = prompt + excluded.prompt, \
                                 cached = cached + excluded.cached, completion = completion + excluded.completion, \
                                 cost = cost + excluded.cost",
                        )
                        .bind(scope)
                        .bind(at.as_microsecond())
                        .bind(stored(usage.prompt))
                        .bind(stored(usage.cached))
                        .bind(stored(usage.completion))
                        .bind(stored(usage.cost))
                        .execute(&mut *connection)
                        .await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    async fn spent(&self, scope: Scope) -> Result<Usage, StoreError> {
        let read = async {
            let row = sqlx::query("SELECT * FROM spending WHERE scope = ?")
                .bind(name(scope))
                .fetch_optional(self.readers())
                .await?;
            let Some(row) = row else { return Ok(Usage::default()) };
            let columns = Columns(&row);
            Ok(Usage {
                prompt: columns.count("prompt")?,
                cached: columns.count("cached")?,
                completion: columns.count("completion")?,
                cost: columns.count("cost")?,
            })
        };
        read.await.map_err(|fault: Fault| fault.during("reading what the model used"))
    }

    async fn stop(&self) -> Result<Option<Stop>, StoreError> {
        let read = async {
            let row = sqlx::query("SELECT at, by, why FROM stop").fetch_optional(self.readers()).await?;
            let Some(row) = row else { return Ok(None) };
            let columns = Columns(&row);
            Ok(Some(Stop { at: columns.time("at")?, by: columns.text("by")?, why: columns.text_of("why")? }))
        };
        read.await.map_err(|fault: Fault| fault.during("reading who has stopped the model"))
    }

    async fn set_stop(&self, stop: Option<Stop>, by: &str, at: Timestamp) -> Result<(), StoreError> {
        let by = by.to_owned();
        self.writer()
            .write("stopping the model or letting it go on", move |connection| {
                Box::pin(async move {
                    sqlx::query("DELETE FROM stop").execute(&mut *connection).await?;
                    let action = if stop.is_some() { "model stopped" } else { "model let go on" };
                    let why = stop.as_ref().and_then(|stop| stop.why.clone());
                    if let Some(Stop { at, by, why }) = stop {
                        sqlx::query("INSERT INTO stop (id, at, by, why) VALUES (1, ?, ?, ?)")
                            .bind(at.as_microsecond())
                            .bind(by)
                            .bind(why)
                            .execute(&mut *connection)
                            .await?;
                    }
                    sqlx::query("INSERT INTO audit (at, actor, action, detail) VALUES (?, ?, ?, ?)")
                        .bind(at.as_microsecond())
                        .bind(by)
                        .bind(action)
                        .bind(text_of(&json!({ "why": why }))?)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .await
    }
}
