//! Batches as rows.
//!
//! A batch is some statements in all, whatever its size: it goes in as one JSON text that SQLite reads itself.

use std::collections::BTreeMap;

use jiff::Timestamp;
use marple_core::{Links, ObjectRef, Tie};
use marple_forwarder::Sequence;
use marple_forwarder::topology::{Batch, Entry, Listed};
use serde::Serialize;
use sqlx::SqliteConnection;

use super::super::SqliteStore;
use super::super::column::{self, Columns};
use super::super::deliveries::advance;
use super::super::fault::Fault;
use super::{ANY, label, term};
use crate::store::StoreError;

/// How many objects one transaction lets go of: each has some ties, and intake waits.
const OBJECTS: u32 = 2_000;

/// An object as SQLite reads it.
#[derive(Serialize)]
struct Row<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    listing: i64,
    gone_at: Option<i64>,
    owner_api: Option<&'a str>,
    owner_kind: Option<&'a str>,
    owner_name: Option<&'a str>,
    node: Option<&'a str>,
    links: String,
    /// Namespace and term of each, and how the object hangs on that.
    ties: Vec<(String, String, Option<Tie>)>,
}

/// An object that is gone, as SQLite reads it.
#[derive(Serialize)]
struct Gone<'a> {
    kind: &'a str,
    namespace: &'a str,
    name: &'a str,
    at: i64,
}

pub(super) async fn chart(
    store: &SqliteStore,
    sequence: Option<Sequence>,
    batch: &Batch,
    now: Timestamp,
    most: i64,
) -> Result<(), StoreError> {
    let doing = "keeping what hangs together";
    // Of an object that is told of twice the last counts.
    let last: BTreeMap<&ObjectRef, &Entry> = batch.entries.iter().map(|entry| (&entry.object, entry)).collect();
    let written = || -> Result<_, Fault> {
        let rows = last.values().filter_map(|entry| Some(row(entry, entry.links.as_ref()?)));
        let rows = column::json(&rows.collect::<Result<Vec<_>, _>>()?)?;
        let gone = last.values().filter(|entry| entry.links.is_none()).map(|entry| gone(entry, now));
        Ok((rows, column::json(&gone.collect::<Vec<_>>())?))
    };
    let (rows, gone) = written().map_err(|fault| fault.during(doing))?;
    let (cluster, listed) = (batch.cluster.clone(), batch.listed.clone());
    let passed_over = store
        .writer()
        .write_now(doing, rows.len() + gone.len(), move |connection| {
            Box::pin(async move {
                if !advance(connection, sequence, now).await? {
                    return Ok(0);
                }
                let held = heard(connection, &cluster, now).await?;
                let passed_over = keep(connection, &cluster, &rows, held < most).await?;
                mark_gone(connection, &cluster, &gone).await?;
                for listed in &listed {
                    vanish(connection, &cluster, listed).await?;
                }
                Ok(passed_over)
            })
        })
        .await?;
    if passed_over > 0 {
        metrics::counter!("marple_topology_passed_over_total").increment(passed_over);
        tracing::warn!(
            objects = passed_over,
            most,
            cluster = batch.cluster,
            "too many objects: their links are not kept"
        );
    }
    Ok(())
}

fn row<'a>(entry: &'a Entry, links: &'a Links) -> Result<Row<'a>, Fault> {
    let ObjectRef { kind, namespace, name } = &entry.object;
    let namespace = namespace.as_deref();
    let mut ties: Vec<(String, String, Option<Tie>)> = links
        .all(namespace)
        .into_iter()
        .map(|(object, tie)| (object.namespace.unwrap_or_default(), term(&object.kind, &object.name), Some(tie)))
        .collect();
    ties.extend(links.selector.as_ref().map(|selector| {
        let term = selector.least().map_or_else(|| ANY.to_owned(), |(name, value)| label(name, value));
        (namespace.unwrap_or_default().to_owned(), term, None)
    }));
    let owner = links.owner.as_ref();
    Ok(Row {
        kind,
        namespace: namespace.unwrap_or_default(),
        name,
        listing: entry.listing.0,
        gone_at: entry.gone_at.map(Timestamp::as_microsecond),
        owner_api: owner.map(|owner| owner.api_version.as_str()),
        owner_kind: owner.map(|owner| owner.kind.as_str()),
        owner_name: owner.map(|owner| owner.name.as_str()),
        node: links.node.as_deref(),
        links: column::json(links)?,
        ties,
    })
}

fn gone(entry: &Entry, now: Timestamp) -> Gone<'_> {
    let ObjectRef { kind, namespace, name } = &entry.object;
    let at = entry.gone_at.unwrap_or(now).as_microsecond();
    Gone { kind, namespace: namespace.as_deref().unwrap_or_default(), name, at }
}

/// Notes that a cluster's forwarder was heard; gives how many objects are kept of it.
async fn heard(connection: &mut SqliteConnection, cluster: &str, now: Timestamp) -> Result<i64, Fault> {
    let row = sqlx::query(
        "INSERT INTO topology_feeds (cluster, heard_at, objects) VALUES (?, ?, 0) \
         ON CONFLICT DO UPDATE SET heard_at = excluded.heard_at RETURNING objects",
    )
    .bind(cluster)
    .bind(now.as_microsecond())
    .fetch_one(connection)
    .await?;
    Columns(&row).number("objects")
}

/// Of what stands in the text, the rows that are known already.
macro_rules! known {
    () => {
        "json_each(?2) AS new CROSS JOIN topology AS old ON old.cluster = ?1 AND old.kind = new.value ->> 'kind' \
         AND old.namespace = new.value ->> 'namespace' AND old.name = new.value ->> 'name'"
    };
}

/// Keeps objects, new ones only where there is room; gives how many there was none for.
async fn keep(connection: &mut SqliteConnection, cluster: &str, rows: &str, room: bool) -> Result<u64, Fault> {
    if rows == "[]" {
        return Ok(0);
    }
    // Most that is told again is as it was: its ties stay.
    sqlx::query(concat!(
        "DELETE FROM topology_ties WHERE object IN (SELECT old.id FROM ",
        known!(),
        " WHERE old.links <> new.value ->> 'links')"
    ))
    .bind(cluster)
    .bind(rows)
    .execute(&mut *connection)
    .await?;
    let counted = sqlx::query(concat!("SELECT count(*) AS known, json_array_length(?2) AS told FROM ", known!()))
        .bind(cluster)
        .bind(rows)
        .fetch_one(&mut *connection)
        .await?;
    let new = Columns(&counted).number("told")? - Columns(&counted).number("known")?;
    sqlx::query(
        "INSERT INTO topology (cluster, kind, namespace, name, listing, gone_at, owner_api, owner_kind, owner_name, node, links) \
         SELECT ?1, value ->> 'kind', value ->> 'namespace', value ->> 'name', value ->> 'listing', value ->> 'gone_at', \
             value ->> 'owner_api', value ->> 'owner_kind', value ->> 'owner_name', value ->> 'node', value ->> 'links' \
         FROM json_each(?2) AS new \
         WHERE ?3 OR EXISTS (SELECT 1 FROM topology AS old WHERE old.cluster = ?1 AND old.kind = new.value ->> 'kind' \
             AND old.namespace = new.value ->> 'namespace' AND old.name = new.value ->> 'name') \
         ON CONFLICT (cluster, kind, namespace, name) DO UPDATE SET listing = excluded.listing, gone_at = excluded.gone_at, \
             owner_api = excluded.owner_api, owner_kind = excluded.owner_kind, owner_name = excluded.owner_name, \
             node = excluded.node, links = excluded.links",
    )
    .bind(cluster)
    .bind(rows)
    .bind(room)
    .execute(&mut *connection)
    .await?;
    sqlx::query(concat!(
        "INSERT OR IGNORE INTO topology_ties (cluster, namespace, term, tie, object) \
         SELECT ?1, tie.value ->> 0, tie.value ->> 1, coalesce(tie.value ->> 2, ''), old.id FROM ",
        known!(),
        " CROSS JOIN json_each(new.value, '$.ties') AS tie"
    ))
    .bind(cluster)
    .bind(rows)
    .execute(&mut *connection)
    .await?;
    if !room {
        return Ok(u64::try_from(new).unwrap_or_default());
    }
    sqlx::query("UPDATE topology_feeds SET objects = objects + ? WHERE cluster = ?")
        .bind(new)
        .bind(cluster)
        .execute(connection)
        .await?;
    Ok(0)
}

async fn mark_gone(connection: &mut SqliteConnection, cluster: &str, gone: &str) -> Result<(), Fault> {
    if gone == "[]" {
        return Ok(());
    }
    sqlx::query(
        "UPDATE topology SET gone_at = new.value ->> 'at' FROM json_each(?2) AS new \
         WHERE topology.cluster = ?1 AND topology.kind = new.value ->> 'kind' \
             AND topology.namespace = new.value ->> 'namespace' AND topology.name = new.value ->> 'name' \
             AND topology.gone_at IS NULL",
    )
    .bind(cluster)
    .bind(gone)
    .execute(connection)
    .await?;
    Ok(())
}

/// Marks as gone what a list would have shown.
async fn vanish(connection: &mut SqliteConnection, cluster: &str, listed: &Listed) -> Result<(), Fault> {
    let namespaces = sqlx::query("SELECT DISTINCT namespace FROM topology WHERE cluster = ? AND kind = ?")
        .bind(cluster)
        .bind(listed.kind.as_str())
        .fetch_all(&mut *connection)
        .await?;
    let namespaces = namespaces.iter().map(|row| Columns(row).text("namespace")).collect::<Result<Vec<_>, _>>()?;
    let covered: Vec<String> = namespaces.into_iter().filter(|namespace| listed.covers(namespace)).collect();
    sqlx::query(
        "UPDATE topology SET gone_at = ?4 WHERE cluster = ?1 AND kind = ?2 \
             AND namespace IN (SELECT value FROM json_each(?3)) AND listing <> ?5 AND gone_at IS NULL",
    )
    .bind(cluster)
    .bind(listed.kind.as_str())
    .bind(column::json(&covered)?)
    .bind(listed.at.as_microsecond())
    .bind(listed.listing.0)
    .execute(connection)
    .await?;
    Ok(())
}

/// Forgets what is gone since before a time, and clusters of which nothing was heard since.
pub(super) async fn retire(store: &SqliteStore, before: i64) -> Result<u64, StoreError> {
    let doing = "forgetting what is gone from the topology";
    let mut all = 0;
    loop {
        let forgotten = store
            .writer()
            .write(doing, move |connection| Box::pin(async move { forget(connection, before).await }))
            .await?;
        all += forgotten;
        if forgotten < u64::from(OBJECTS) {
            return Ok(all);
        }
    }
}

async fn forget(connection: &mut SqliteConnection, before: i64) -> Result<u64, Fault> {
    let rows = sqlx::query(
        "SELECT id FROM topology WHERE gone_at < ?1 \
         UNION ALL SELECT id FROM topology WHERE cluster IN (SELECT cluster FROM topology_feeds WHERE heard_at < ?1) \
         LIMIT ?2",
    )
    .bind(before)
    .bind(OBJECTS)
    .fetch_all(&mut *connection)
    .await?;
    let ids = rows.iter().map(|row| Columns(row).number("id")).collect::<Result<Vec<_>, _>>()?;
    let ids = column::json(&ids)?;
    let mut forgotten = 0;
    for sql in [
        "DELETE FROM topology_ties WHERE object IN (SELECT value FROM json_each(?))",
        "DELETE FROM topology WHERE id IN (SELECT value FROM json_each(?))",
    ] {
        forgotten = sqlx::query(sql).bind(ids.as_str()).execute(&mut *connection).await?.rows_affected();
    }
    if u32::try_from(rows.len()).is_ok_and(|rows| rows < OBJECTS) {
        sqlx::query("DELETE FROM topology_feeds WHERE heard_at < ?").bind(before).execute(&mut *connection).await?;
    }
    if forgotten > 0 {
        let count = "UPDATE topology_feeds SET objects = \
             (SELECT count(*) FROM topology WHERE topology.cluster = topology_feeds.cluster)";
        sqlx::query(count).execute(connection).await?;
    }
    Ok(forgotten)
}
