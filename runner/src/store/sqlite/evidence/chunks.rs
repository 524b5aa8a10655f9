//! The chunks of texts that are being written.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use marple_tools::evidence::ChunkExtent;
use sqlx::SqliteConnection;

use super::{INCIDENT_FULL, STORE_FULL, taken};
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::fault::Fault;
use crate::store::sqlite::room;

/// Texts that somebody writes, by the ids of their writings.
pub(in crate::store::sqlite) type Live = Arc<Mutex<BTreeSet<Vec<u8>>>>;

/// Those that are written now.
pub(in crate::store::sqlite) fn live(live: &Live) -> MutexGuard<'_, BTreeSet<Vec<u8>>> {
    live.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A chunk, ready to be written.
pub(super) struct Chunk {
    pub(super) place: i64,
    pub(super) digest: Vec<u8>,
    pub(super) extent: ChunkExtent,
    pub(super) packed: Vec<u8>,
}

/// How much may be taken, compressed, in bytes.
#[derive(Clone, Copy)]
pub(in crate::store::sqlite) struct Bounds {
    /// By the incident.
    pub(super) incident: i64,
    /// By all evidence.
    pub(super) all: i64,
}

impl Bounds {
    /// An incident may have a sixteenth of all, but no less than 64 MiB and no more than 256: a gigabyte of logs has some
    /// 130.
    pub(in crate::store::sqlite) fn of(all: i64) -> Self {
        Self { incident: (all / 16).clamp(64 << 20, 256 << 20), all }
    }

    /// How much of that texts of many MiB may take: after a look at a gigabyte of logs there is room for other looks.
    pub(super) const fn long(self) -> i64 {
        self.incident / 8 * 7
    }
}

/// Adds a chunk to what is being written, or says why there is no room for it. A chunk that the incident has already takes
/// none.
pub(super) async fn put(
    connection: &mut SqliteConnection,
    writing: &[u8],
    incident: &str,
    chunk: &Chunk,
    most: Bounds,
) -> Result<Result<(), &'static str>, Fault> {
    sqlx::query("INSERT OR IGNORE INTO writings (id, incident, room) VALUES (?, ?, 0)")
        .bind(writing)
        .bind(incident)
        .execute(&mut *connection)
        .await?;
    let known = sqlx::query(
        "SELECT EXISTS (SELECT 1 FROM chunks WHERE digest = ?1) AS kept, \
             EXISTS (SELECT 1 FROM content_chunks JOIN evidence ON evidence.content_digest = content_chunks.content \
                 WHERE content_chunks.chunk = ?1 AND evidence.incident = ?2) \
             OR EXISTS (SELECT 1 FROM content_chunks JOIN writings ON writings.id = content_chunks.content \
                 WHERE content_chunks.chunk = ?1 AND writings.incident = ?2) AS counted",
    )
    .bind(chunk.digest.as_slice())
    .bind(incident)
    .fetch_one(&mut *connection)
    .await?;
    let (kept, counted) = (Columns(&known).number("kept")? != 0, Columns(&known).number("counted")? != 0);
    let bytes = i64::try_from(chunk.packed.len()).unwrap_or(i64::MAX);
    if !counted && taken(connection, incident).await?.saturating_add(bytes) > most.incident {
        return Ok(Err(INCIDENT_FULL));
    }
    if !kept {
        if !room::make(connection, bytes, most.all).await? {
            return Ok(Err(STORE_FULL));
        }
        sqlx::query("INSERT INTO chunks (digest, packed) VALUES (?, ?)")
            .bind(chunk.digest.as_slice())
            .bind(chunk.packed.as_slice())
            .execute(&mut *connection)
            .await?;
    }
    sqlx::query("INSERT INTO content_chunks (content, place, chunk, bytes, feeds, ended) VALUES (?, ?, ?, ?, ?, ?)")
        .bind(writing)
        .bind(chunk.place)
        .bind(chunk.digest.as_slice())
        .bind(i64::try_from(chunk.extent.bytes).unwrap_or(i64::MAX))
        .bind(i64::try_from(chunk.extent.feeds).unwrap_or(i64::MAX))
        .bind(chunk.extent.ended)
        .execute(&mut *connection)
        .await?;
    sqlx::query("UPDATE writings SET room = room + ? WHERE id = ?")
        .bind(if counted { 0 } else { bytes })
        .bind(writing)
        .execute(connection)
        .await?;
    Ok(Ok(()))
}

/// Lets go of what was written by writers that are gone without having finished.
pub(in crate::store::sqlite) async fn let_go_of_abandoned(
    connection: &mut SqliteConnection,
    written: &Live,
) -> Result<(), Fault> {
    for row in sqlx::query("SELECT id FROM writings").fetch_all(&mut *connection).await? {
        let id = Columns(&row).bytes_of("id")?.unwrap_or_default();
        if !live(written).contains(&id) {
            sqlx::query("DELETE FROM writings WHERE id = ?").bind(id).execute(&mut *connection).await?;
        }
    }
    Ok(())
}
