//! Texts in chunks, so that one of a gigabyte is never held whole.

use marple_core::Extent;

/// The longest chunk, in bytes.
pub const CHUNK: usize = 1 << 20;

/// Cuts a text into chunks at the ends of lines; a line that is longer than a chunk is cut between two letters.
///
/// Where it is cut depends on the text before alone: a text that has grown has the same chunks as before, but for the
/// last.
#[derive(Debug, Default)]
pub struct Chunker {
    open: String,
}

impl Chunker {
    /// Adds text, and gives the chunks that are complete by it.
    pub fn push(&mut self, text: &str) -> Vec<String> {
        self.open.push_str(text);
        let mut chunks = Vec::new();
        let mut from = 0;
        while let Some(rest) = self.open.get(from..)
            && rest.len() > CHUNK
        {
            let end = end(rest);
            chunks.push(rest.get(..end).unwrap_or_default().to_owned());
            from += end;
        }
        self.open.drain(..from);
        chunks
    }

    /// The last chunk, where the text did not end with one.
    pub fn end(&mut self) -> Option<String> {
        let last = std::mem::take(&mut self.open);
        (!last.is_empty()).then_some(last)
    }
}

/// Where the first chunk ends of a text that is longer than one.
fn end(text: &str) -> usize {
    let most = text.floor_char_boundary(CHUNK);
    text.get(..most).and_then(|text| text.rfind('\n')).map_or(most, |feed| feed + 1)
}

/// How much a chunk holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkExtent {
    /// In bytes.
    pub bytes: u64,
    /// How many line feeds are in it.
    pub feeds: u64,
    /// Whether it ends at the end of a line.
    pub ended: bool,
}

impl ChunkExtent {
    /// That of this text.
    pub fn of(text: &str) -> Self {
        let feeds = memchr::memchr_iter(b'\n', text.as_bytes()).count();
        Self { bytes: text.len() as u64, feeds: feeds as u64, ended: text.ends_with('\n') }
    }
}

/// How much a text has that consists of these chunks.
pub fn extent(chunks: &[ChunkExtent]) -> Extent {
    let open = chunks.last().is_some_and(|last| !last.ended);
    Extent {
        bytes: chunks.iter().map(|chunk| chunk.bytes).sum(),
        lines: chunks.iter().map(|chunk| chunk.feeds).sum::<u64>() + u64::from(open),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn cut<'a>(pieces: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut chunker = Chunker::default();
        let mut chunks: Vec<String> = pieces.into_iter().flat_map(|piece| chunker.push(piece)).collect();
        chunks.extend(chunker.end());
        chunks
    }

    /// Some MiB of lines, among them some that are longer than a chunk.
    fn text() -> impl Strategy<Value = String> {
        let line = prop_oneof![
            8 => (1..60_000_usize).prop_map(|length| "ä".repeat(length)),
            1 => (500_000..1_200_000_usize).prop_map(|length| "x".repeat(length)),
        ];
        proptest::collection::vec(line, 0..40).prop_map(|lines| lines.join("\n"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn chunks_are_the_text_however_it_comes(text in text(), at in 1..2_000_000_usize) {
            let whole = cut([text.as_str()]);
            prop_assert_eq!(&whole.concat(), &text);
            let at = text.floor_char_boundary(at);
            prop_assert_eq!(&cut([&text[..at], &text[at..]]), &whole);
            prop_assert!(whole.iter().all(|chunk| chunk.len() <= CHUNK));
            let extents: Vec<ChunkExtent> = whole.iter().map(|chunk| ChunkExtent::of(chunk)).collect();
            let wanted = Extent { bytes: text.len() as u64, lines: text.lines().count() as u64 };
            prop_assert_eq!(extent(&extents), wanted);
        }

        #[test]
        fn a_text_that_has_grown_begins_with_the_same_chunks(text in text(), more in text()) {
            let before = cut([text.as_str()]);
            let after = cut([text.as_str(), more.as_str()]);
            let same = before.len().saturating_sub(1);
            prop_assert_eq!(&after[..same], &before[..same]);
        }
    }

    #[test]
    fn a_chunk_ends_with_a_line_where_it_can() {
        let text = format!("{}\n{}", "a".repeat(700_000), "b".repeat(700_000));
        let chunks = cut([text.as_str()]);
        assert_eq!(chunks.iter().map(String::len).collect::<Vec<_>>(), [700_001, 700_000]);
        assert!(ChunkExtent::of(&chunks[0]).ended && !ChunkExtent::of(&chunks[1]).ended);
    }
}
