//! The lines of a log that are too many to be held: written to the evidence as they come.

use std::collections::VecDeque;

use async_trait::async_trait;
use jiff::Timestamp;

use super::written::{Lines, Style};
use crate::ToolError;
use crate::kubernetes::logs::{Line, Spill};
use crate::toolbox::{Part, Whole};

/// How much may be on its way into the evidence when there is no more room for it, in bytes: what is held to be redacted,
/// and a chunk.
const ON_ITS_WAY: u64 = 12 << 20;

/// How much text is added at once, in bytes.
const AT_ONCE: usize = 256 << 10;

/// Lines of one log, in their order.
pub(super) struct Spilled<'a> {
    whole: &'a Whole<'a>,
    number: u32,
    style: Style<'a>,
    /// None before the first line.
    begun: Option<Begun<'a>>,
}

struct Begun<'a> {
    part: Part<'a>,
    lines: Lines<'a>,
    written: u64,
    /// How much was written before lines of some time, of those that may still be on their way.
    recent: VecDeque<(u64, Timestamp)>,
    full_since: Option<Timestamp>,
}

impl<'a> Spilled<'a> {
    /// Lines that become this part of the evidence.
    pub(super) const fn new(whole: &'a Whole<'a>, number: u32, style: Style<'a>) -> Self {
        Self { whole, number, style, begun: None }
    }

    /// Whether there are any.
    pub(super) const fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    /// Since when at the latest lines are not kept, for there is no room.
    pub(super) fn full_since(&self) -> Option<Timestamp> {
        self.begun.as_ref().and_then(|begun| begun.full_since)
    }

    /// Adds the last lines, and ends.
    pub(super) async fn end<'l>(&mut self, last: impl Iterator<Item = &'l Line>) -> Result<(), ToolError> {
        if let Some(mut begun) = self.begun.take() {
            begun.write(last).await?;
            begun.part.end().await?;
        }
        Ok(())
    }
}

#[async_trait]
impl Spill for Spilled<'_> {
    async fn take(&mut self, lines: Vec<Line>, held: &VecDeque<Line>) -> Result<(), ToolError> {
        let begun = self.begun.get_or_insert_with(|| Begun {
            part: self.whole.part(self.number),
            lines: Lines::of(&lines.iter().chain(held), self.style),
            written: 0,
            recent: VecDeque::new(),
            full_since: None,
        });
        begun.write(lines.iter()).await
    }
}

impl Begun<'_> {
    async fn write<'l>(&mut self, lines: impl Iterator<Item = &'l Line>) -> Result<(), ToolError> {
        let mut text = String::new();
        let mut first = None;
        for line in lines {
            first = first.or(line.at);
            self.lines.write(line, &mut text);
            if text.len() > AT_ONCE {
                self.append(&std::mem::take(&mut text), first.take()).await?;
            }
        }
        self.append(&text, first).await
    }

    /// Adds text of which the first line has this time.
    async fn append(&mut self, text: &str, first: Option<Timestamp>) -> Result<(), ToolError> {
        if self.full_since.is_none() {
            self.recent.extend(first.map(|first| (self.written, first)));
            while self.recent.get(1).is_some_and(|(before, _)| before + ON_ITS_WAY <= self.written) {
                self.recent.pop_front();
            }
        }
        self.written += text.len() as u64;
        if !self.part.append(text).await? && self.full_since.is_none() {
            self.full_since = self.recent.front().map(|(_, at)| *at);
        }
        Ok(())
    }
}
