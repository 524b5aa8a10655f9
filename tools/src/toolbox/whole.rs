//! Where a tool writes a text that is too long to be held.

use std::sync::OnceLock;

use super::{Redact, RedactStream};
use crate::evidence::EvidenceWriter;
use crate::view::plain;
use crate::{EvidenceLog, ToolError};

/// How much of a line that does not end is held before what there is of it is read, in bytes.
const LINE: usize = 1 << 20;

/// How much is taken at once, in bytes.
const AT_ONCE: usize = 256 << 10;

/// Where a look writes its text, if that is too long to be held: redacted and kept as it comes. What is written is the
/// look's evidence in place of its content.
pub struct Whole<'a> {
    log: &'a dyn EvidenceLog,
    redact: &'a dyn Redact,
    writer: OnceLock<Box<dyn EvidenceWriter>>,
}

impl<'a> Whole<'a> {
    /// Writes into this evidence, without secrets.
    pub fn new(log: &'a dyn EvidenceLog, redact: &'a dyn Redact) -> Self {
        Self { log, redact, writer: OnceLock::new() }
    }

    /// A part of the text. Parts stand in the order of their numbers, whenever they are written.
    pub fn part(&self, number: u32) -> Part<'_> {
        let writer = self.writer.get_or_init(|| self.log.begin()).as_ref();
        Part { writer, number, redact: self.redact.stream(), line: String::new(), room: true }
    }

    /// What has the text that was written, if one was.
    pub fn written(&self) -> Option<&dyn EvidenceWriter> {
        self.writer.get().map(AsRef::as_ref)
    }
}

/// A part of a text that is too long to be held.
pub struct Part<'a> {
    writer: &'a dyn EvidenceWriter,
    number: u32,
    redact: Box<dyn RedactStream + 'a>,
    /// The last line, which has not ended.
    line: String,
    room: bool,
}

impl Part<'_> {
    /// Adds text. False says that there is no room: what is added from now on is counted and not kept.
    pub async fn append(&mut self, text: &str) -> Result<bool, ToolError> {
        let mut rest = text;
        while !rest.is_empty() {
            let (some, more) = rest.split_at(rest.floor_char_boundary(AT_ONCE));
            rest = more;
            self.line.push_str(some);
            let end = match self.line.rfind('\n') {
                Some(feed) => feed + 1,
                None if self.line.len() > LINE => within(&self.line),
                None => 0,
            };
            let mut clean = String::new();
            self.redact.push(&plain(self.line.get(..end).unwrap_or_default()), &mut clean);
            self.line.drain(..end);
            self.write(&clean).await?;
        }
        Ok(self.room)
    }

    /// Adds what is still held, for the part has ended.
    pub async fn end(mut self) -> Result<bool, ToolError> {
        let mut clean = String::new();
        self.redact.push(&plain(&self.line), &mut clean);
        self.redact.end(&mut clean);
        self.write(&clean).await
    }

    async fn write(&mut self, clean: &str) -> Result<bool, ToolError> {
        if !clean.is_empty() {
            self.room &= self.writer.append(self.number, clean).await?;
        }
        Ok(self.room)
    }
}

/// Where a line that does not end may be cut: before what may be the beginning of a terminal's escape.
fn within(line: &str) -> usize {
    let near = line.floor_char_boundary(line.len() - LINE / 2);
    let escape = line.get(near..).and_then(|end| end.find(['\u{1b}', '\u{9b}', '\r']));
    escape.map_or(line.len(), |escape| near + escape)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use marple_core::{Evidence, EvidenceOrigin};

    use super::*;
    use crate::redact::RedactConfig;
    use crate::{EvidenceDraft, MemoryEvidence, Redactor};

    fn draft() -> EvidenceDraft {
        EvidenceDraft {
            origin: EvidenceOrigin::Look,
            title: "logs".to_owned(),
            object: None,
            taken_at: jiff::Timestamp::UNIX_EPOCH,
            content: String::new(),
            view: None,
        }
    }

    async fn kept(pieces: &[(u32, &str)]) -> Evidence {
        let log = MemoryEvidence::default();
        let redact = Redactor::new(&RedactConfig::default()).unwrap();
        let whole = Whole::new(&log, &redact);
        let mut parts: Vec<Part<'_>> = (0..3).map(|number| whole.part(number)).collect();
        for (part, text) in pieces {
            parts[usize::try_from(*part).unwrap()].append(text).await.unwrap();
        }
        for part in parts {
            part.end().await.unwrap();
        }
        let (id, _) = whole.written().unwrap().finish(draft()).await.unwrap();
        log.get(id).await.unwrap().unwrap()
    }

    #[tokio::test]
    async fn parts_stand_in_their_order_and_have_neither_secrets_nor_escapes() {
        let pieces =
            [(2, "end\n"), (1, "pass\u{1b}[3"), (0, "head\n"), (1, "1mword=hunter2\u{1b}"), (1, "[0m x\nlast\u{7}")];
        let content = kept(&pieces).await.content;
        let (head, rest) = content.split_once("password=[redacted:password:").unwrap();
        assert_eq!((head, rest.split_once(']').unwrap().1), ("head\n", " x\nlastend\n"));
    }

    #[test]
    fn a_line_that_does_not_end_is_cut_before_an_escape() {
        assert_eq!(within(&format!("{}\u{1b}[31", "x".repeat(LINE))), LINE);
        assert_eq!(within(&"x".repeat(LINE + 1)), LINE + 1);
    }
}
