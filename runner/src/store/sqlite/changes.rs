//! The change history in SQLite.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Change, ChangeKind, ObjectRef};
use marple_forwarder::Sequence;
use marple_forwarder::change::{Batch, Kept, Listed, Reached};
use marple_tools::history::{Found, Window};
use sqlx::{AssertSqlSafe, SqliteConnection};

use super::SqliteStore;
use super::column::{self, Columns};
use super::deliveries::advance;
use super::fault::Fault;
use crate::store::{Changes, Recorded, StoreError};

/// An object as a row: `state` is absent where it is gone.
struct StateRow {
    object: ObjectRef,
    state: Option<String>,
    /// Which object of that name is gone, where that is told.
    uid: Option<String>,
}

/// A change as a row.
struct ChangeRow {
    identity: i64,
    namespace: String,
    at: i64,
    body: String,
}

#[async_trait]
impl Changes for SqliteStore {
    async fn record(
        &self,
        sequence: Option<Sequence>,
        batch: &Batch,
        identified: &[(i64, Change)],
    ) -> Result<Recorded, StoreError> {
        let doing = "keeping changes";
        let changes = identified.iter().map(change_row).collect::<Result<Vec<_>, _>>();
        let changes = changes.map_err(|fault| fault.during(doing))?;
        let gone = identified.iter().map(|(_, change)| change).filter(|change| change.kind == ChangeKind::Deleted);
        let gone: HashMap<&ObjectRef, &str> = gone.map(|change| (&change.object, change.uid.as_str())).collect();
        let states = batch.entries.iter().map(|entry| {
            let state = column::json_of(entry.state.as_ref())?;
            let uid = gone.get(&entry.object).map(|uid| (*uid).to_owned());
            Ok(StateRow { object: entry.object.clone(), state, uid })
        });
        let states = states.collect::<Result<Vec<_>, Fault>>().map_err(|fault| fault.during(doing))?;
        let bytes = changes.iter().map(|row| row.body.len()).sum::<usize>()
            + states.iter().filter_map(|row| row.state.as_ref()).map(String::len).sum::<usize>();
        let (cluster, listed, reached) = (batch.cluster.clone(), batch.listed.clone(), batch.reached.clone());
        let at = Timestamp::now();
        self.writer()
            .write_now(doing, bytes, move |connection| {
                Box::pin(async move {
                    if !advance(connection, sequence, at).await? {
                        return Ok(Recorded { new: 0, duplicate: changes.len() });
                    }
                    let new = insert(connection, &cluster, &changes).await?;
                    keep_states(connection, &cluster, &states).await?;
                    mark(connection, &cluster, &listed).await?;
                    reach(connection, &cluster, &reached).await?;
                    Ok(Recorded { new, duplicate: changes.len().saturating_sub(new) })
                })
            })
            .await
    }

    async fn kept(&self, cluster: &str, kind: &str) -> Result<Kept, StoreError> {
        let doing = "reading how objects were";
        let states = sqlx::query("SELECT state FROM change_states WHERE cluster = ? AND kind = ?")
            .bind(cluster)
            .bind(kind)
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        let listed = sqlx::query("SELECT last_at FROM change_listings WHERE cluster = ? AND kind = ?")
            .bind(cluster)
            .bind(kind)
            .fetch_optional(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        let reached = sqlx::query("SELECT * FROM change_watches WHERE cluster = ? AND kind = ?")
            .bind(cluster)
            .bind(kind)
            .fetch_all(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        let reached = reached.iter().map(|row| reached_of(&Columns(row))).collect::<Result<_, _>>();
        let reached = reached.map_err(|fault| fault.during(doing))?;
        let listed_at =
            listed.map(|row| Columns(&row).time("last_at")).transpose().map_err(|fault| fault.during(doing))?;
        // What can't be read was written by another version: the object is known anew.
        let states = states.iter().filter_map(|row| Columns(row).json("state").ok()).collect();
        Ok(Kept { states, listed_at, reached })
    }

    async fn changes(&self, cluster: &str, window: &Window) -> Result<Found, StoreError> {
        let doing = "reading changes";
        let limit = i64::try_from(window.limit).unwrap_or(i64::MAX);
        let places = column::json(&window.namespaces).map_err(|fault| fault.during(doing))?;
        let rows = sqlx::query(
            "SELECT body FROM changes WHERE cluster = ?1 AND at BETWEEN ?2 AND ?3 \
                 AND (namespace = '' OR namespace IN (SELECT value FROM json_each(?4)) \
                     OR body ->> '$.object.kind' IN ('Application', 'Kustomization', 'HelmRelease')) \
             ORDER BY at DESC, id DESC LIMIT ?5",
        )
        .bind(cluster)
        .bind(window.since.as_microsecond())
        .bind(window.until.as_microsecond())
        .bind(places)
        .bind(limit.saturating_add(1))
        .fetch_all(self.readers())
        .await
        .map_err(|error| Fault::from(error).during(doing))?;
        let changes = rows.iter().take(window.limit).map(|row| Columns(row).json("body"));
        let changes = changes.collect::<Result<_, _>>().map_err(|fault| fault.during(doing))?;
        Ok(Found { changes, more: rows.len() > window.limit })
    }

    async fn changes_since(&self, cluster: &str) -> Result<Option<Timestamp>, StoreError> {
        let doing = "reading since when changes are told";
        let row = sqlx::query("SELECT min(first_at) AS first_at FROM change_listings WHERE cluster = ?")
            .bind(cluster)
            .fetch_one(self.readers())
            .await
            .map_err(|error| Fault::from(error).during(doing))?;
        Columns(&row).time_of("first_at").map_err(|fault| fault.during(doing))
    }

    async fn retire_changes(&self, before: Timestamp, most: u64) -> Result<u64, StoreError> {
        let doing = "deleting old changes";
        let old = "DELETE FROM changes WHERE id IN (SELECT id FROM changes WHERE at < ?1 LIMIT ?2)";
        let beyond = "DELETE FROM changes WHERE id IN ( \
             SELECT id FROM changes ORDER BY at DESC, id DESC LIMIT ?2 OFFSET ?1)";
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        Ok(self.delete_rows(doing, old, before.as_microsecond()).await? + self.delete_rows(doing, beyond, most).await?)
    }
}

fn change_row((identity, change): &(i64, Change)) -> Result<ChangeRow, Fault> {
    Ok(ChangeRow {
        identity: *identity,
        namespace: change.object.namespace.clone().unwrap_or_default(),
        at: change.at.as_microsecond(),
        body: column::json(change)?,
    })
}

/// Inserts changes; gives how many were new.
async fn insert(connection: &mut SqliteConnection, cluster: &str, rows: &[ChangeRow]) -> Result<usize, Fault> {
    let mut new = 0;
    for row in rows {
        let inserted = sqlx::query(
            "INSERT INTO changes (identity, cluster, namespace, at, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        )
        .bind(row.identity)
        .bind(cluster)
        .bind(row.namespace.as_str())
        .bind(row.at)
        .bind(row.body.as_str())
        .execute(&mut *connection)
        .await?;
        new += usize::try_from(inserted.rows_affected()).unwrap_or_default();
    }
    Ok(new)
}

/// Keeps how objects are. What a watch tells never goes back: a state that is older than the one that is kept, or than what
/// a watch of its kind has reached, was told late and is left out; so is the end of an object that was made again since. While
/// a list is under way, versions mean nothing: what it shows is how things are, also where the cluster was set back.
async fn keep_states(connection: &mut SqliteConnection, cluster: &str, rows: &[StateRow]) -> Result<(), Fault> {
    const LISTED: &str = "EXISTS (SELECT 1 FROM change_watches WHERE cluster = ?1 AND kind = ?2 \
         AND namespace IN ('', ?3) AND version = '')";
    let put: Arc<str> = format!(
        "INSERT INTO change_states (cluster, kind, namespace, name, state) SELECT ?1, ?2, ?3, ?4, ?5 \
         WHERE {LISTED} OR NOT EXISTS (SELECT 1 FROM change_watches WHERE cluster = ?1 AND kind = ?2 \
             AND namespace IN ('', ?3) AND CAST(version AS INTEGER) > CAST(?5 ->> '$.version' AS INTEGER)) \
         ON CONFLICT DO UPDATE SET state = excluded.state WHERE {LISTED} \
             OR CAST(excluded.state ->> '$.version' AS INTEGER) >= CAST(change_states.state ->> '$.version' AS INTEGER)"
    )
    .into();
    let remove: Arc<str> = format!(
        "DELETE FROM change_states WHERE cluster = ?1 AND kind = ?2 AND namespace = ?3 AND name = ?4 \
         AND (?5 IS NULL OR state ->> '$.uid' = ?5 OR {LISTED})"
    )
    .into();
    for StateRow { object, state, uid } in rows {
        let query = if state.is_some() { &put } else { &remove };
        // Of constants alone.
        sqlx::query(AssertSqlSafe(Arc::clone(query)))
            .bind(cluster)
            .bind(object.kind.as_str())
            .bind(object.namespace.as_deref().unwrap_or_default())
            .bind(object.name.as_str())
            .bind(state.as_deref().or(uid.as_deref()))
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn mark(connection: &mut SqliteConnection, cluster: &str, listed: &[Listed]) -> Result<(), Fault> {
    for Listed { kind, at } in listed {
        sqlx::query(
            "INSERT INTO change_listings (cluster, kind, first_at, last_at) VALUES (?1, ?2, ?3, ?3) \
             ON CONFLICT DO UPDATE SET last_at = max(last_at, excluded.last_at)",
        )
        .bind(cluster)
        .bind(kind.as_str())
        .bind(at.as_microsecond())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

/// Keeps how far watches have come, which never goes back but where one begins anew with a list: then what watches of an
/// earlier configuration have reached, which overlap with it, counts no more either.
async fn reach(connection: &mut SqliteConnection, cluster: &str, reached: &[Reached]) -> Result<(), Fault> {
    for one in reached {
        let Reached { kind, namespace, form, version } = one;
        if one.begins_anew() {
            sqlx::query(
                "DELETE FROM change_watches WHERE cluster = ?1 AND kind = ?2 AND (namespace = '') <> (?3 = '')",
            )
            .bind(cluster)
            .bind(kind.as_str())
            .bind(namespace.as_str())
            .execute(&mut *connection)
            .await?;
        }
        sqlx::query(
            "INSERT INTO change_watches (cluster, kind, namespace, form, version) VALUES (?, ?, ?, ?, ?) \
             ON CONFLICT DO UPDATE SET form = excluded.form, version = excluded.version \
             WHERE '' IN (excluded.version, change_watches.version) \
                 OR CAST(excluded.version AS INTEGER) >= CAST(change_watches.version AS INTEGER)",
        )
        .bind(cluster)
        .bind(kind.as_str())
        .bind(namespace.as_str())
        .bind(form.as_str())
        .bind(version.as_str())
        .execute(&mut *connection)
        .await?;
    }
    Ok(())
}

fn reached_of(columns: &Columns<'_>) -> Result<Reached, Fault> {
    Ok(Reached {
        kind: columns.text("kind")?,
        namespace: columns.text("namespace")?,
        form: columns.text("form")?,
        version: columns.text("version")?,
    })
}

#[cfg(test)]
mod tests;
