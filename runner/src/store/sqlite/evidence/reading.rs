//! Reading evidence, of long texts a chunk at a time.

use marple_core::{Evidence, EvidenceId};
use marple_tools::EvidenceHead;
use marple_tools::evidence::{ChunkExtent, extent};

use super::{SqliteEvidence, unpacked};
use crate::store::sqlite::column::Columns;
use crate::store::sqlite::fault::Fault;

/// What stands for a text that had to make room.
const LET_GO: &str = "(This text was let go of to make room for newer evidence; see `store.evidence_max`.)\n";

const ONE: &str = "SELECT evidence.*, contents.packed FROM evidence \
    LEFT JOIN contents ON contents.digest = evidence.content_digest WHERE incident = ? AND number = ?";
const HEADS: &str = "SELECT number, title, object, size, shown FROM evidence WHERE incident = ? ORDER BY number";
const LAYOUT: &str = "SELECT bytes, feeds, ended FROM content_chunks WHERE content = ? ORDER BY place";
const CHUNK: &str = "SELECT packed FROM chunks \
    WHERE digest = (SELECT chunk FROM content_chunks WHERE content = ? ORDER BY place LIMIT 1 OFFSET ?)";
/// The same by the name of the piece; nothing where its text is in no chunks.
const CHUNK_OF_PIECE: &str = "SELECT packed FROM chunks WHERE digest = ( \
    SELECT chunk FROM content_chunks WHERE content = ( \
        SELECT content_digest FROM evidence WHERE incident = ? AND number = ?) ORDER BY place LIMIT 1 OFFSET ?)";

/// The text of a piece.
enum Text {
    /// All of it.
    Whole(String),
    /// The chunks of the text with this digest.
    Chunks(Vec<u8>),
}

impl SqliteEvidence {
    pub(super) async fn read_heads(&self) -> Result<Vec<EvidenceHead>, Fault> {
        let rows = sqlx::query(HEADS).bind(self.incident.to_string()).fetch_all(self.store.readers()).await?;
        let head = |columns: Columns<'_>| -> Result<_, Fault> {
            Ok(EvidenceHead {
                id: EvidenceId(columns.count("number")?),
                title: columns.text("title")?,
                object: columns.json_of("object")?,
                size: columns.count("size")?,
                view: columns.bytes_of("shown")?.map(|view| unpacked(&view)).transpose()?,
            })
        };
        rows.iter().map(|row| head(Columns(row))).collect()
    }

    pub(super) async fn read(&self, id: EvidenceId) -> Result<Option<Evidence>, Fault> {
        let Some(row) = self.row(id).await? else { return Ok(None) };
        let columns = Columns(&row);
        let (content, rest) = match text(&columns)? {
            Text::Whole(text) => (text, None),
            Text::Chunks(digest) => {
                let layout = self.layout_of(&digest).await?;
                let mut content = String::new();
                let mut held = 0;
                for chunk in &layout {
                    if content.len() + usize::try_from(chunk.bytes).unwrap_or(usize::MAX) > Evidence::HELD {
                        break;
                    }
                    content += &self.chunk_of(&digest, held).await?;
                    held += 1;
                }
                let rest = layout.get(held..).filter(|rest| !rest.is_empty());
                (content, rest.map(extent))
            }
        };
        Ok(Some(Evidence {
            id,
            origin: columns.json("origin")?,
            title: columns.text("title")?,
            object: columns.json_of("object")?,
            taken_at: columns.time("taken_at")?,
            content,
            rest,
            view: columns.bytes_of("shown")?.map(|view| unpacked(&view)).transpose()?,
        }))
    }

    pub(super) async fn read_layout(&self, id: EvidenceId) -> Result<Option<Vec<ChunkExtent>>, Fault> {
        let Some(row) = self.row(id).await? else { return Ok(None) };
        Ok(Some(match text(&Columns(&row))? {
            Text::Whole(text) => vec![ChunkExtent::of(&text)],
            Text::Chunks(digest) => self.layout_of(&digest).await?,
        }))
    }

    pub(super) async fn read_chunk(&self, id: EvidenceId, number: usize) -> Result<String, Fault> {
        let chunk = sqlx::query(CHUNK_OF_PIECE)
            .bind(self.incident.to_string())
            .bind(i64::from(id.0))
            .bind(i64::try_from(number).unwrap_or(i64::MAX))
            .fetch_optional(self.store.readers())
            .await?;
        if let Some(packed) = chunk.map(|row| Columns(&row).bytes_of("packed")).transpose()?.flatten() {
            return unpacked(&packed);
        }
        let Some(row) = self.row(id).await?.filter(|_| number == 0) else { return Ok(String::new()) };
        match text(&Columns(&row))? {
            Text::Whole(text) => Ok(text),
            // It was let go of since it was looked at.
            Text::Chunks(_) => Ok(String::new()),
        }
    }

    async fn row(&self, id: EvidenceId) -> Result<Option<sqlx::sqlite::SqliteRow>, Fault> {
        let one = sqlx::query(ONE).bind(self.incident.to_string()).bind(i64::from(id.0));
        Ok(one.fetch_optional(self.store.readers()).await?)
    }

    async fn layout_of(&self, digest: &[u8]) -> Result<Vec<ChunkExtent>, Fault> {
        let rows = sqlx::query(LAYOUT).bind(digest).fetch_all(self.store.readers()).await?;
        let extent = |columns: Columns<'_>| -> Result<_, Fault> {
            Ok(ChunkExtent {
                bytes: columns.count("bytes")?,
                feeds: columns.count("feeds")?,
                ended: columns.number("ended")? != 0,
            })
        };
        rows.iter().map(|row| extent(Columns(row))).collect()
    }

    async fn chunk_of(&self, digest: &[u8], number: usize) -> Result<String, Fault> {
        let offset = i64::try_from(number).unwrap_or(i64::MAX);
        let row = sqlx::query(CHUNK).bind(digest).bind(offset).fetch_optional(self.store.readers()).await?;
        let packed = row.map(|row| Columns(&row).bytes_of("packed")).transpose()?.flatten();
        packed.map_or_else(|| Ok(String::new()), |packed| unpacked(&packed))
    }
}

fn text(columns: &Columns<'_>) -> Result<Text, Fault> {
    match (columns.bytes_of("content_digest")?, columns.bytes_of("packed")?) {
        (Some(digest), Some(packed)) if packed.is_empty() => Ok(Text::Chunks(digest)),
        (Some(_), Some(packed)) => unpacked(&packed).map(Text::Whole),
        _ => Ok(Text::Whole(LET_GO.to_owned())),
    }
}
