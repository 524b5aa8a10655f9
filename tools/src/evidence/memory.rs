//! Evidence in memory, for questions from a laptop: compressed, in chunks.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use async_trait::async_trait;
use marple_core::{Evidence, EvidenceId, Extent};
use sha2::{Digest as _, Sha256};

use super::chunk::{CHUNK, ChunkExtent, Chunker, extent};
use super::{EvidenceDraft, EvidenceError, EvidenceHead, EvidenceLog, EvidenceWriter, LEVEL, not_kept};

/// How much is held, compressed, in bytes.
const ROOM: u32 = 64 << 20;

/// How much of that texts of many MiB may take: after a look at a gigabyte of logs there is room for other looks.
const LONG: u32 = ROOM / 8 * 7;

/// Why something is not kept.
const FULL: &str = "there are 64 MiB of evidence, which is all that is held in memory";

/// Keeps evidence for as long as it lives, 64 MiB of it compressed.
#[derive(Debug, Default)]
pub struct MemoryEvidence(Arc<Mutex<Held>>);

impl MemoryEvidence {
    /// One whose first piece gets the id after this.
    pub fn after(last: EvidenceId) -> Self {
        Self(Arc::new(Mutex::new(Held { after: last.0, ..Held::default() })))
    }

    /// The last id that was given; 0 where none was.
    pub fn last(&self) -> EvidenceId {
        EvidenceId(locked(&self.0).last())
    }

    /// How much it holds, compressed, in bytes.
    pub fn held(&self) -> usize {
        locked(&self.0).taken()
    }
}

type Digest = [u8; 32];

#[derive(Debug, Default)]
struct Held {
    /// The last id of what came before.
    after: u32,
    pieces: Vec<Piece>,
    /// Each chunk once, however many pieces have it.
    chunks: HashMap<Digest, Weak<Chunk>>,
}

#[derive(Debug)]
struct Piece {
    id: EvidenceId,
    draft: EvidenceDraft,
    chunks: Vec<Arc<Chunk>>,
}

#[derive(Debug)]
struct Chunk {
    digest: Digest,
    extent: ChunkExtent,
    packed: Box<[u8]>,
}

impl Held {
    fn taken(&mut self) -> usize {
        self.chunks.retain(|_, chunk| chunk.strong_count() > 0);
        self.chunks.values().filter_map(Weak::upgrade).map(|chunk| chunk.packed.len()).sum()
    }

    /// The chunk of this text, of which there may be no more than `most` bytes with it; nothing where there would be.
    fn hold(&mut self, text: &str, most: u32) -> Result<Option<Arc<Chunk>>, EvidenceError> {
        let digest: Digest = Sha256::digest(text.as_bytes()).into();
        if let Some(known) = self.chunks.get(&digest).and_then(Weak::upgrade) {
            return Ok(Some(known));
        }
        let packed =
            zstd::bulk::compress(text.as_bytes(), LEVEL).map_err(|error| failed("could not be kept", error))?;
        // What it was given room for is as much as the text takes.
        let packed = packed.into_boxed_slice();
        if self.taken() + packed.len() > usize::try_from(most).unwrap_or(usize::MAX) {
            return Ok(None);
        }
        let chunk = Arc::new(Chunk { digest, extent: ChunkExtent::of(text), packed });
        self.chunks.insert(digest, Arc::downgrade(&chunk));
        Ok(Some(chunk))
    }

    /// The last id that was given.
    fn last(&self) -> u32 {
        self.after.saturating_add(u32::try_from(self.pieces.len()).unwrap_or(u32::MAX))
    }

    fn piece(&self, id: EvidenceId) -> Option<&Piece> {
        self.pieces.iter().find(|piece| piece.id == id)
    }

    /// Gives the chunks a name.
    fn keep(&mut self, draft: EvidenceDraft, chunks: Vec<Arc<Chunk>>) -> EvidenceId {
        let same = self.pieces.iter().find(|piece| {
            let digests = |chunks: &[Arc<Chunk>]| chunks.iter().map(|chunk| chunk.digest).collect::<Vec<_>>();
            piece.draft.origin == draft.origin
                && piece.draft.title == draft.title
                && digests(&piece.chunks) == digests(&chunks)
        });
        if let Some(same) = same {
            return same.id;
        }
        let id = EvidenceId(self.last().saturating_add(1));
        self.pieces.push(Piece { id, draft: EvidenceDraft { content: String::new(), ..draft }, chunks });
        id
    }
}

impl Chunk {
    fn text(&self) -> Result<String, EvidenceError> {
        let bytes =
            zstd::bulk::decompress(&self.packed, CHUNK.max(usize::try_from(self.extent.bytes).unwrap_or(CHUNK)));
        let text = bytes.map_err(|error| failed("could not be read", error))?;
        String::from_utf8(text).map_err(|error| failed("could not be read", error))
    }
}

impl Piece {
    fn size(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.extent.bytes).sum()
    }
}

fn failed(doing: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> EvidenceError {
    EvidenceError { doing, source: Box::new(error), full: false }
}

fn locked(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl EvidenceLog for MemoryEvidence {
    async fn keep(&self, mut draft: EvidenceDraft) -> Result<EvidenceId, EvidenceError> {
        let content = std::mem::take(&mut draft.content);
        if content.len() <= CHUNK {
            let mut held = locked(&self.0);
            let Some(chunk) = held.hold(&content, ROOM)? else {
                return Err(EvidenceError { doing: "could not be kept", source: FULL.into(), full: true });
            };
            return Ok(held.keep(draft, vec![chunk]));
        }
        let writer = self.begin();
        writer.append(0, &content).await?;
        Ok(writer.finish(draft).await?.0)
    }

    fn begin(&self) -> Box<dyn EvidenceWriter> {
        Box::new(Writer { held: Arc::clone(&self.0), written: Mutex::default() })
    }

    async fn heads(&self) -> Result<Vec<EvidenceHead>, EvidenceError> {
        let head = |piece: &Piece| EvidenceHead {
            id: piece.id,
            title: piece.draft.title.clone(),
            object: piece.draft.object.clone(),
            size: piece.size(),
            view: piece.draft.view.clone(),
        };
        Ok(locked(&self.0).pieces.iter().map(head).collect())
    }

    async fn get(&self, id: EvidenceId) -> Result<Option<Evidence>, EvidenceError> {
        let held = locked(&self.0);
        let Some(piece) = held.piece(id) else { return Ok(None) };
        let mut content = String::new();
        let mut shown = 0;
        for chunk in &piece.chunks {
            if content.len() + usize::try_from(chunk.extent.bytes).unwrap_or(usize::MAX) > Evidence::HELD {
                break;
            }
            content += &chunk.text()?;
            shown += 1;
        }
        let rest: Vec<ChunkExtent> = piece.chunks.iter().skip(shown).map(|chunk| chunk.extent).collect();
        let draft = piece.draft.clone();
        Ok(Some(Evidence {
            id,
            origin: draft.origin,
            title: draft.title,
            object: draft.object,
            taken_at: draft.taken_at,
            content,
            rest: (!rest.is_empty()).then(|| extent(&rest)),
            view: draft.view,
        }))
    }

    async fn layout(&self, id: EvidenceId) -> Result<Option<Vec<ChunkExtent>>, EvidenceError> {
        let extents = |piece: &Piece| piece.chunks.iter().map(|chunk| chunk.extent).collect();
        Ok(locked(&self.0).piece(id).map(extents))
    }

    async fn chunk(&self, id: EvidenceId, number: usize) -> Result<String, EvidenceError> {
        let chunk = locked(&self.0).piece(id).and_then(|piece| piece.chunks.get(number).cloned());
        // Only asked for by what `layout` told.
        chunk.map_or_else(|| Ok(String::new()), |chunk| chunk.text())
    }
}

/// What was written, by part.
struct Writer {
    held: Arc<Mutex<Held>>,
    written: Mutex<Written>,
}

#[derive(Default)]
struct Written {
    parts: BTreeMap<u32, Part>,
    left_out: Extent,
}

#[derive(Default)]
struct Part {
    chunker: Chunker,
    chunks: Vec<Arc<Chunk>>,
    full: bool,
}

impl Writer {
    fn written(&self) -> MutexGuard<'_, Written> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Holds a chunk of the part, or counts it among what is left out.
    fn hold(&self, part: &mut Part, left_out: &mut Extent, text: &str, most: u32) -> Result<(), EvidenceError> {
        let chunk = if part.full { None } else { locked(&self.held).hold(text, most)? };
        if let Some(chunk) = chunk {
            part.chunks.push(chunk);
        } else {
            part.full = true;
            *left_out += extent(&[ChunkExtent::of(text)]);
        }
        Ok(())
    }
}

#[async_trait]
impl EvidenceWriter for Writer {
    async fn append(&self, part: u32, text: &str) -> Result<bool, EvidenceError> {
        let mut written = self.written();
        let Written { parts, left_out } = &mut *written;
        let part = parts.entry(part).or_default();
        for chunk in part.chunker.push(text) {
            self.hold(part, left_out, &chunk, LONG)?;
        }
        Ok(!part.full)
    }

    async fn finish(&self, draft: EvidenceDraft) -> Result<(EvidenceId, Extent), EvidenceError> {
        let Written { parts, mut left_out } = std::mem::take(&mut *self.written());
        let mut chunks = Vec::new();
        for mut part in parts.into_values() {
            if let Some(last) = part.chunker.end() {
                self.hold(&mut part, &mut left_out, &last, ROOM)?;
            }
            chunks.append(&mut part.chunks);
        }
        let mut end = draft.content.clone();
        if left_out.bytes > 0 {
            end += &not_kept(left_out, FULL);
        }
        let mut held = locked(&self.held);
        if !end.is_empty() {
            // Some hundred bytes, without which nobody would know what is missing.
            chunks.extend(held.hold(&end, u32::MAX)?);
        }
        let extents: Vec<ChunkExtent> = chunks.iter().map(|chunk| chunk.extent).collect();
        Ok((held.keep(draft, chunks), extent(&extents)))
    }
}
