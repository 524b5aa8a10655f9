//! The evidence of an incident in SQLite, compressed.

use async_trait::async_trait;
use jiff::Timestamp;
use marple_core::{Evidence, EvidenceId, IncidentId};
use marple_tools::{EvidenceDraft, EvidenceError, EvidenceLog};
use sha2::{Digest as _, Sha256};
use sqlx::SqliteConnection;

use super::column::{Columns, json, json_of};
use super::fault::Fault;
use super::{SqliteStore, drawings, room};
use crate::store::{EvidenceEntry, StoreError};

/// The longest content of one piece, in bytes: a container's log as kubelets rotate it by default is 10 MiB, of which
/// looks take the end.
const PIECE: usize = 8 << 20;

/// The room of one incident's evidence, compressed, in bytes.
const INCIDENT: i64 = 64 << 20;

/// One piece with its text, and all of an incident.
const ONE: &str = "SELECT evidence.*, contents.packed FROM evidence \
    LEFT JOIN contents ON contents.digest = evidence.content_digest WHERE incident = ? AND number = ?";
const ALL: &str = "SELECT evidence.*, contents.packed FROM evidence \
    LEFT JOIN contents ON contents.digest = evidence.content_digest WHERE incident = ? ORDER BY number";

/// What stands for a text that had to make room.
const LET_GO: &str = "(This text was let go of to make room for newer evidence; see `store.evidence_max`.)\n";

/// The level of compression: a higher one takes twice the time for a tenth of the room.
const LEVEL: i32 = 3;

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
    async fn keep(&self, draft: EvidenceDraft) -> Result<EvidenceId, EvidenceError> {
        let doing = "could not be kept";
        let failed = |error: StoreError| EvidenceError { doing, source: Box::new(error), full: false };
        let (digest, known) = async {
            let origin = json(&draft.origin)?;
            let digest = digest_of(&origin, &draft.title, &draft.content);
            let row = sqlx::query("SELECT number FROM evidence WHERE incident = ? AND digest = ?")
                .bind(self.incident.to_string())
                .bind(digest.clone())
                .fetch_optional(self.store.readers())
                .await?;
            let known = row.map(|row| Columns(&row).count("number").map(EvidenceId)).transpose()?;
            Ok((digest, known))
        }
        .await
        .map_err(|fault: Fault| failed(fault.during("looking evidence up")))?;
        if let Some(id) = known {
            return Ok(id);
        }
        let incident = self.incident.to_string();
        // Apart: a long log takes tens of milliseconds to compress.
        let prepared = tokio::task::spawn_blocking(move || prepare(incident, draft, digest))
            .await
            .map_err(|error| EvidenceError { doing, source: Box::new(error), full: false })?
            .map_err(|fault| failed(fault.during("compressing evidence")))?;
        let most = self.store.evidence_max();
        let kept = self
            .store
            .writer()
            .write("keeping evidence", move |connection| {
                Box::pin(async move { keep(connection, &prepared, most).await })
            })
            .await
            .map_err(failed)?;
        kept.map_err(|full| {
            metrics::counter!("marple_evidence_refused_total").increment(1);
            EvidenceError { doing, source: full.into(), full: true }
        })
    }

    async fn get(&self, id: EvidenceId) -> Result<Option<Evidence>, EvidenceError> {
        let read = async {
            let row = sqlx::query(ONE)
                .bind(self.incident.to_string())
                .bind(i64::from(id.0))
                .fetch_optional(self.store.readers())
                .await?;
            row.map(|row| of_row(&Columns(&row))).transpose()
        };
        read.await.map_err(unread)
    }

    async fn draw(&self, id: EvidenceId, svg: String) -> Result<(), EvidenceError> {
        drawings::draw(&self.store, self.incident, id, svg).await
    }

    async fn drawing(&self, id: EvidenceId) -> Result<Option<String>, EvidenceError> {
        drawings::drawing(&self.store, self.incident, id).await.map_err(unread)
    }

    async fn all(&self) -> Result<Vec<Evidence>, EvidenceError> {
        let read = async {
            let rows = sqlx::query(ALL).bind(self.incident.to_string()).fetch_all(self.store.readers()).await?;
            rows.iter().map(|row| of_row(&Columns(row))).collect::<Result<Vec<_>, Fault>>()
        };
        read.await.map_err(unread)
    }
}

fn unread(fault: Fault) -> EvidenceError {
    EvidenceError { doing: "could not be read", source: Box::new(fault.during("reading evidence")), full: false }
}

fn digest_of(origin: &str, title: &str, content: &str) -> Vec<u8> {
    let mut digest = Sha256::new();
    for part in [origin, title, content] {
        digest.update(part.len().to_le_bytes());
        digest.update(part.as_bytes());
    }
    digest.finalize().to_vec()
}

fn prepare(incident: String, draft: EvidenceDraft, digest: Vec<u8>) -> Result<Piece, Fault> {
    let content = within(draft.content);
    Ok(Piece {
        incident,
        origin: json(&draft.origin)?,
        object: json_of(draft.object.as_ref())?,
        taken_at: draft.taken_at,
        size: i64::try_from(content.len()).unwrap_or(i64::MAX),
        digest,
        content_digest: Sha256::digest(content.as_bytes()).to_vec(),
        content: packed(&content)?,
        shown: draft.view.map(|view| packed(&view)).transpose()?,
        title: draft.title,
    })
}

/// The content within its bound; what is cut says how much.
fn within(mut content: String) -> String {
    if content.len() > PIECE {
        let whole = content.len();
        let end = content.floor_char_boundary(PIECE);
        content.truncate(end);
        let (left, limit) = (whole - end, PIECE >> 20);
        content += &format!("\n… {left} bytes more are not kept: a piece of evidence holds {limit} MiB …\n");
    }
    content
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
    most: i64,
) -> Result<Result<EvidenceId, String>, Fault> {
    let known = sqlx::query("SELECT number FROM evidence WHERE incident = ? AND digest = ?")
        .bind(piece.incident.as_str())
        .bind(piece.digest.as_slice())
        .fetch_optional(&mut *connection)
        .await?;
    if let Some(row) = known {
        return Ok(Ok(EvidenceId(Columns(&row).count("number")?)));
    }
    let state = sqlx::query(
        "SELECT coalesce(max(number), 0) AS last, coalesce(sum(room), 0) AS room FROM evidence WHERE incident = ?",
    )
    .bind(piece.incident.as_str())
    .fetch_one(&mut *connection)
    .await?;
    let (last, taken) = (Columns(&state).count::<u32>("last")?, Columns(&state).number("room")?);
    let added = piece.content.len() + piece.shown.as_ref().map_or(0, Vec::len);
    let added = i64::try_from(added).unwrap_or(i64::MAX);
    if taken.saturating_add(added) > INCIDENT {
        return Ok(Err(format!("the incident has {} MiB of it, which is all it may have", INCIDENT >> 20)));
    }
    if !room::make(connection, added, most).await? {
        return Ok(Err("open incidents have all that `store.evidence_max` allows".to_owned()));
    }
    sqlx::query("INSERT OR IGNORE INTO contents (digest, packed) VALUES (?, ?)")
        .bind(piece.content_digest.as_slice())
        .bind(piece.content.as_slice())
        .execute(&mut *connection)
        .await?;
    let number = last.saturating_add(1);
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
    .bind(added)
    .execute(connection)
    .await?;
    Ok(Ok(EvidenceId(number)))
}

fn of_row(columns: &Columns<'_>) -> Result<Evidence, Fault> {
    let content = match columns.bytes_of("packed")? {
        Some(packed) => unpacked(&packed)?,
        None => LET_GO.to_owned(),
    };
    Ok(Evidence {
        id: EvidenceId(columns.count("number")?),
        origin: columns.json("origin")?,
        title: columns.text("title")?,
        object: columns.json_of("object")?,
        taken_at: columns.time("taken_at")?,
        content,
        view: columns.bytes_of("shown")?.map(|view| unpacked(&view)).transpose()?,
    })
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
