//! The evidence of an incident in SQLite, compressed.

mod chunks;
mod reading;
mod writing;

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Evidence, EvidenceId, IncidentId};
use marple_tools::evidence::{CHUNK, ChunkExtent, LEVEL};
use marple_tools::{EvidenceDraft, EvidenceError, EvidenceHead, EvidenceLog, EvidenceWriter};
use sha2::{Digest as _, Sha256};
use sqlx::{SqliteConnection, SqliteExecutor};

use self::writing::Writing;
use super::column::{Columns, json, json_of};
use super::fault::Fault;
use super::{SqliteStore, drawings, room};
use crate::store::EvidenceEntry;

pub(super) use chunks::{Bounds, Live, let_go_of_abandoned};

/// Why something is not kept.
const INCIDENT_FULL: &str = "the incident has as much evidence as it may have; see `store.evidence_max`";
const STORE_FULL: &str = "open incidents have all that `store.evidence_max` allows";

/// The evidence of one incident.
pub(super) struct SqliteEvidence {
    pub(super) store: SqliteStore,
    pub(super) incident: IncidentId,
}

/// A piece, ready to be written.
struct Piece {
    incident: String,
    origin: String,
    title: String,
    object: Option<String>,
    taken_at: Timestamp,
    size: i64,
    digest: Vec<u8>,
    content_digest: Vec<u8>,
    content: Vec<u8>,
    shown: Option<Vec<u8>>,
}

#[async_trait]
impl EvidenceLog for SqliteEvidence {
    async fn keep(&self, mut draft: EvidenceDraft) -> Result<EvidenceId, EvidenceError> {
        if draft.content.len() > CHUNK {
            let content = std::mem::take(&mut draft.content);
            let writer = self.begin();
            writer.append(0, &content).await?;
            return Ok(writer.finish(draft).await?.0);
        }
        let incident = self.incident.to_string();
        let known = async {
            let origin = json(&draft.origin)?;
            let digest = digest_of(&origin, &draft.title, draft.content.as_bytes());
            let known = known(self.store.readers(), &incident, &digest).await?;
            Ok((origin, digest, known))
        };
        let (origin, digest, known) =
            known.await.map_err(|fault: Fault| unkept(fault.during("looking evidence up")))?;
        if let Some(id) = known {
            return Ok(id);
        }
        let prepared =
            prepare(incident, draft, origin, digest).map_err(|fault| unkept(fault.during("compressing evidence")))?;
        let most = self.store.evidence_bounds();
        let kept = self
            .store
            .writer()
            .write("keeping evidence", move |connection| {
                Box::pin(async move { keep(connection, &prepared, most).await })
            })
            .await
            .map_err(unkept)?;
        kept.map_err(refused)
    }

    fn begin(&self) -> Box<dyn EvidenceWriter> {
        Box::new(Writing::new(self.store.clone(), self.incident))
    }

    async fn heads(&self) -> Result<Vec<EvidenceHead>, EvidenceError> {
        self.read_heads().await.map_err(unread)
    }

    async fn get(&self, id: EvidenceId) -> Result<Option<Evidence>, EvidenceError> {
        self.read(id).await.map_err(unread)
    }

    async fn draw(&self, id: EvidenceId, svg: String) -> Result<(), EvidenceError> {
        drawings::draw(&self.store, self.incident, id, svg).await
    }

    async fn drawing(&self, id: EvidenceId) -> Result<Option<String>, EvidenceError> {
        drawings::drawing(&self.store, self.incident, id).await.map_err(unread)
    }

    async fn layout(&self, id: EvidenceId) -> Result<Option<Vec<ChunkExtent>>, EvidenceError> {
        self.read_layout(id).await.map_err(unread)
    }

    async fn chunk(&self, id: EvidenceId, number: usize) -> Result<String, EvidenceError> {
        self.read_chunk(id, number).await.map_err(unread)
    }
}

fn unkept(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> EvidenceError {
    EvidenceError { doing: "could not be kept", source: error.into(), full: false }
}

/// There is no room.
fn refused(why: &'static str) -> EvidenceError {
    metrics::counter!("marple_evidence_refused_total").increment(1);
    EvidenceError { full: true, ..unkept(why) }
}

fn unread(fault: Fault) -> EvidenceError {
    EvidenceError { doing: "could not be read", source: Box::new(fault.during("reading evidence")), full: false }
}

fn digest_of(origin: &str, title: &str, content: &[u8]) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in [origin.as_bytes(), title.as_bytes(), content] {
        digest.update(part.len().to_le_bytes());
        digest.update(part);
    }
    digest.finalize().to_vec()
}

fn prepare(incident: String, draft: EvidenceDraft, origin: String, digest: Vec<u8>) -> Result<Piece, Fault> {
    Ok(Piece {
        incident,
        digest,
        origin,
        object: json_of(draft.object.as_ref())?,
        taken_at: draft.taken_at,
        size: i64::try_from(draft.content.len()).unwrap_or(i64::MAX),
        content_digest: Sha256::digest(draft.content.as_bytes()).to_vec(),
        content: packed(&draft.content)?,
        shown: draft.view.map(|view| packed(&view)).transpose()?,
        title: draft.title,
    })
}

pub(super) fn packed(text: &str) -> Result<Vec<u8>, Fault> {
    zstd::bulk::compress(text.as_bytes(), LEVEL).map_err(|error| Fault::Damaged(format!("compressing: {error}")))
}

pub(super) fn unpacked(bytes: &[u8]) -> Result<String, Fault> {
    let text = zstd::stream::decode_all(bytes).map_err(|error| Fault::Damaged(format!("decompressing: {error}")))?;
    String::from_utf8(text).map_err(|error| Fault::Damaged(error.to_string()))
}

/// Writes a piece; gives its name, or why there is no room for it.
async fn keep(
    connection: &mut SqliteConnection,
    piece: &Piece,
    most: Bounds,
) -> Result<Result<EvidenceId, &'static str>, Fault> {
    if let Some(known) = known(&mut *connection, &piece.incident, &piece.digest).await? {
        return Ok(Ok(known));
    }
    let added = piece.content.len() + piece.shown.as_ref().map_or(0, Vec::len);
    let added = i64::try_from(added).unwrap_or(i64::MAX);
    if taken(connection, &piece.incident).await?.saturating_add(added) > most.incident {
        return Ok(Err(INCIDENT_FULL));
    }
    if !room::make(connection, added, most.all).await? {
        return Ok(Err(STORE_FULL));
    }
    sqlx::query("INSERT OR IGNORE INTO contents (digest, packed) VALUES (?, ?)")
        .bind(piece.content_digest.as_slice())
        .bind(piece.content.as_slice())
        .execute(&mut *connection)
        .await?;
    insert(connection, piece, added).await.map(Ok)
}

/// The name of the piece with this digest, where it is kept already.
async fn known(executor: impl SqliteExecutor<'_>, incident: &str, digest: &[u8]) -> Result<Option<EvidenceId>, Fault> {
    let known = sqlx::query("SELECT number FROM evidence WHERE incident = ? AND digest = ?")
        .bind(incident)
        .bind(digest)
        .fetch_optional(executor)
        .await?;
    known.map(|row| Columns(&row).count("number").map(EvidenceId)).transpose()
}

/// The room that the evidence of an incident has, and what is being written of it.
async fn taken(connection: &mut SqliteConnection, incident: &str) -> Result<i64, Fault> {
    let row = sqlx::query(
        "SELECT (SELECT coalesce(sum(room), 0) FROM evidence WHERE incident = ?1) \
             + (SELECT coalesce(sum(room), 0) FROM writings WHERE incident = ?1) AS room",
    )
    .bind(incident)
    .fetch_one(connection)
    .await?;
    Columns(&row).number("room")
}

/// Gives a piece the next name of its incident. Its text is there already; it has so much room.
async fn insert(connection: &mut SqliteConnection, piece: &Piece, room: i64) -> Result<EvidenceId, Fault> {
    let row = sqlx::query("SELECT coalesce(max(number), 0) AS last FROM evidence WHERE incident = ?")
        .bind(piece.incident.as_str())
        .fetch_one(&mut *connection)
        .await?;
    let number = Columns(&row).count::<u32>("last")?.saturating_add(1);
    sqlx::query(
        "INSERT INTO evidence (incident, number, origin, title, object, taken_at, size, digest, content_digest, shown, room) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(piece.incident.as_str())
    .bind(i64::from(number))
    .bind(piece.origin.as_str())
    .bind(piece.title.as_str())
    .bind(piece.object.as_deref())
    .bind(piece.taken_at.as_microsecond())
    .bind(piece.size)
    .bind(piece.digest.as_slice())
    .bind(piece.content_digest.as_slice())
    .bind(piece.shown.as_deref())
    .bind(room)
    .execute(connection)
    .await?;
    Ok(EvidenceId(number))
}

/// An entry of its row.
pub(super) fn entry(columns: &Columns<'_>) -> Result<EvidenceEntry, Fault> {
    Ok(EvidenceEntry {
        id: EvidenceId(columns.count("number")?),
        origin: columns.json("origin")?,
        title: columns.text("title")?,
        object: columns.json_of("object")?,
        taken_at: columns.time("taken_at")?,
        size: columns.count("size")?,
        drawn: columns.number("drawn")? != 0,
    })
}
