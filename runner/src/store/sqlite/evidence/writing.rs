//! Writing texts that are too long to be held.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use marple_core::{EvidenceId, Extent, IncidentId};
use marple_tools::evidence::{ChunkExtent, Chunker, extent, not_kept};
use marple_tools::{EvidenceDraft, EvidenceError, EvidenceWriter};
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::chunks::{Bounds, Chunk, let_go_of_abandoned, live, put};
use super::{INCIDENT_FULL, Piece, STORE_FULL, digest_of, insert, known, packed, refused, taken, unkept};
use crate::store::sqlite::column::{Columns, json, json_of};
use crate::store::sqlite::fault::Fault;
use crate::store::sqlite::{SqliteStore, room};

/// The part that stands behind all others.
const END: u32 = u32::MAX >> 1;

/// A text that is being written.
pub(super) struct Writing {
    store: SqliteStore,
    incident: IncidentId,
    id: Vec<u8>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    parts: BTreeMap<u32, Part>,
    /// What is written of each chunk, by its place.
    chunks: BTreeMap<i64, (Vec<u8>, ChunkExtent)>,
    left_out: Extent,
    why: &'static str,
}

#[derive(Default)]
struct Part {
    chunker: Chunker,
    /// How many chunks were cut.
    cut: u32,
    /// Whether one of them was not kept: then no later one is, so that nothing is missing in between.
    full: bool,
    /// The one that is being written, while the next is made.
    underway: Option<Underway>,
}

/// A chunk that is being written.
struct Underway {
    place: i64,
    extent: ChunkExtent,
    /// Gives its digest, or why there is no room for it.
    written: AbortOnDropHandle<Result<Result<Vec<u8>, &'static str>, EvidenceError>>,
}

impl Writing {
    pub(super) fn new(store: SqliteStore, incident: IncidentId) -> Self {
        let id = Uuid::now_v7().as_bytes().to_vec();
        live(store.live()).insert(id.clone());
        Self { store, incident, id, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to write a chunk of a part when the one before it is written, or counts it among what is left out.
    async fn put(&self, part: u32, text: String, most: i64) -> Result<(), EvidenceError> {
        self.settle(part).await?;
        let of_chunk = ChunkExtent::of(&text);
        let mut state = self.state();
        let is_first = state.chunks.is_empty();
        let of_part = state.parts.entry(part).or_default();
        of_part.cut += 1;
        if of_part.full {
            state.left_out += extent(&[of_chunk]);
            return Ok(());
        }
        let place = i64::from(part) << 32 | i64::from(of_part.cut);
        let writing = written(self.store.clone(), self.id.clone(), self.incident, place, text, most, is_first);
        of_part.underway =
            Some(Underway { place, extent: of_chunk, written: AbortOnDropHandle::new(tokio::spawn(writing)) });
        Ok(())
    }

    /// Waits until a part's last chunk is written.
    async fn settle(&self, part: u32) -> Result<(), EvidenceError> {
        let underway = self.state().parts.get_mut(&part).and_then(|part| part.underway.take());
        let Some(Underway { place, extent: of_chunk, written }) = underway else { return Ok(()) };
        let written = written.await.map_err(unkept)??;
        let mut state = self.state();
        match written {
            Ok(digest) => {
                state.chunks.insert(place, (digest, of_chunk));
            }
            Err(why) => {
                state.left_out += extent(&[of_chunk]);
                state.why = why;
                state.parts.entry(part).or_default().full = true;
            }
        }
        Ok(())
    }

    /// The piece that the chunks come to.
    fn piece(&self, draft: EvidenceDraft) -> Result<(Piece, Extent), Fault> {
        let state = self.state();
        let mut digest = Sha256::new();
        state.chunks.values().for_each(|(chunk, _)| digest.update(chunk));
        let content_digest = digest.finalize().to_vec();
        let extents: Vec<ChunkExtent> = state.chunks.values().map(|(_, extent)| *extent).collect();
        let extent = extent(&extents);
        let origin = json(&draft.origin)?;
        let piece = Piece {
            incident: self.incident.to_string(),
            digest: digest_of(&origin, &draft.title, &content_digest),
            origin,
            object: json_of(draft.object.as_ref())?,
            taken_at: draft.taken_at,
            size: i64::try_from(extent.bytes).unwrap_or(i64::MAX),
            content_digest,
            content: Vec::new(),
            shown: draft.view.map(|view| packed(&view)).transpose()?,
            title: draft.title,
        };
        Ok((piece, extent))
    }
}

#[async_trait]
impl EvidenceWriter for Writing {
    async fn append(&self, part: u32, text: &str) -> Result<bool, EvidenceError> {
        let chunks = self.state().parts.entry(part).or_default().chunker.push(text);
        for chunk in chunks {
            self.put(part, chunk, self.store.evidence_bounds().long()).await?;
        }
        Ok(!self.state().parts.entry(part).or_default().full)
    }

    async fn finish(&self, mut draft: EvidenceDraft) -> Result<(EvidenceId, Extent), EvidenceError> {
        let ends: Vec<(u32, String)> = {
            let mut state = self.state();
            state.parts.iter_mut().filter_map(|(number, part)| Some((*number, part.chunker.end()?))).collect()
        };
        for (part, end) in ends {
            self.put(part, end, self.store.evidence_bounds().incident).await?;
        }
        let parts: Vec<u32> = self.state().parts.keys().copied().collect();
        for part in parts {
            self.settle(part).await?;
        }
        let mut end = std::mem::take(&mut draft.content);
        {
            let state = self.state();
            if state.left_out.bytes > 0 && state.chunks.is_empty() {
                return Err(refused(state.why));
            }
            if state.left_out.bytes > 0 {
                end += &not_kept(state.left_out, state.why);
            }
        }
        if !end.is_empty() {
            // Some hundred bytes, without which nobody would know what is missing: whatever room there is.
            self.put(END, end, i64::MAX).await?;
            self.settle(END).await?;
        }
        let (piece, extent) = self.piece(draft).map_err(|fault| unkept(fault.during("compressing evidence")))?;
        let (writing, most) = (self.id.clone(), self.store.evidence_bounds());
        let kept = self
            .store
            .writer()
            .write("keeping evidence", move |connection| {
                Box::pin(async move { finish(connection, &writing, &piece, most).await })
            })
            .await
            .map_err(unkept)?;
        kept.map(|id| (id, extent)).map_err(refused)
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        // What it has written and not finished is let go of with the next text that is begun, and by retention.
        live(self.store.live()).remove(&self.id);
    }
}

/// Writes a chunk; gives its digest, or why there is no room for it.
async fn written(
    store: SqliteStore,
    writing: Vec<u8>,
    incident: IncidentId,
    place: i64,
    text: String,
    most: i64,
    is_first: bool,
) -> Result<Result<Vec<u8>, &'static str>, EvidenceError> {
    // Apart: to compress a MiB takes some milliseconds, and a gigabyte has a thousand.
    let chunk = tokio::task::spawn_blocking(move || {
        let extent = ChunkExtent::of(&text);
        Ok(Chunk { place, digest: Sha256::digest(text.as_bytes()).to_vec(), extent, packed: packed(&text)? })
    });
    let chunk = chunk.await.map_err(unkept)?.map_err(|fault: Fault| unkept(fault.during("compressing evidence")))?;
    let digest = chunk.digest.clone();
    let live = Arc::clone(store.live());
    let most = Bounds { incident: most, ..store.evidence_bounds() };
    let put = store
        .writer()
        .write("keeping evidence", move |connection| {
            Box::pin(async move {
                if is_first {
                    let_go_of_abandoned(connection, &live).await?;
                }
                put(connection, &writing, &incident.to_string(), &chunk, most).await
            })
        })
        .await
        .map_err(unkept)?;
    Ok(put.map(|()| digest))
}

/// Makes what was written a piece; gives its name, or why there is no room for its view.
async fn finish(
    connection: &mut SqliteConnection,
    writing: &[u8],
    piece: &Piece,
    most: Bounds,
) -> Result<Result<EvidenceId, &'static str>, Fault> {
    let id = if let Some(known) = known(&mut *connection, &piece.incident, &piece.digest).await? {
        known
    } else {
        let shown = i64::try_from(piece.shown.as_ref().map_or(0, Vec::len)).unwrap_or(i64::MAX);
        if taken(connection, &piece.incident).await?.saturating_add(shown) > most.incident {
            return Ok(Err(INCIDENT_FULL));
        }
        if !room::make(connection, shown, most.all).await? {
            return Ok(Err(STORE_FULL));
        }
        let row = sqlx::query("SELECT coalesce(max(room), 0) AS room FROM writings WHERE id = ?")
            .bind(writing)
            .fetch_one(&mut *connection)
            .await?;
        let room = Columns(&row).number("room")?.saturating_add(shown);
        let new = sqlx::query("INSERT OR IGNORE INTO contents (digest, packed) VALUES (?, x'')")
            .bind(piece.content_digest.as_slice())
            .execute(&mut *connection)
            .await?;
        // A text that another incident has too has its chunks already.
        if new.rows_affected() > 0 {
            sqlx::query("UPDATE content_chunks SET content = ? WHERE content = ?")
                .bind(piece.content_digest.as_slice())
                .bind(writing)
                .execute(&mut *connection)
                .await?;
        }
        insert(connection, piece, room).await?
    };
    sqlx::query("DELETE FROM writings WHERE id = ?").bind(writing).execute(connection).await?;
    Ok(Ok(id))
}
