//! Stretches of a text in which nothing was found: where a text is read again after a secret was taken out of it, they
//! need not be.

use super::{Source, Span, assignment};

/// How far a trigger's reading may reach, either way, for it to be near by: more than a trigger is long.
pub(super) const REACH: usize = 128;

/// Shorter stretches are sooner looked through than remembered.
const SHORTEST: usize = 2 * REACH;

/// A trigger that was read.
#[derive(Debug)]
pub(super) struct Visit {
    pub(super) start: usize,
    /// Where reading goes on.
    pub(super) next: usize,
    pub(super) read: Read,
}

/// What was read at a trigger.
#[derive(Debug)]
pub(super) enum Read {
    /// Something was found, or what was read may be far.
    Far,
    /// Nothing was found, and no more was read than up to there.
    To(usize),
    /// Nothing was found under the name that is there.
    Under(usize, usize),
}

impl Visit {
    /// Whether what was read to no avail is only near by: it need not be read again where nothing near by changes.
    fn is_near(&self, source: &Source<'_>) -> bool {
        match &self.read {
            Read::Far => false,
            Read::To(reach) => reach - self.start <= REACH,
            Read::Under(start, end) => self.next - self.start <= REACH && assignment::is_near(source, *start, *end),
        }
    }
}

/// Stretches in which nothing is found, whatever is more than [`REACH`] away, in order, each as start and end.
#[derive(Debug, Default)]
pub(super) struct Quiet(Vec<(usize, usize)>);

impl Quiet {
    /// The quiet stretches of a text in which these triggers were read, in order.
    pub(super) fn of(source: &Source<'_>, visits: &[Visit]) -> Self {
        let mut quiet = Self::default();
        let mut from = 0;
        for visit in visits.iter().filter(|visit| !visit.is_near(source)) {
            quiet.add(from, visit.start);
            from = visit.next;
        }
        quiet.add(from, source.len());
        quiet
    }

    /// Remembers a stretch that was read.
    fn add(&mut self, start: usize, end: usize) {
        if end.saturating_sub(start) >= SHORTEST {
            self.0.push((start, end));
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (usize, usize)> {
        self.0.iter().copied()
    }

    /// The same stretches where each of the spans, which are in order, was replaced by so many bytes. What is near a
    /// replaced one is quiet no more.
    pub(super) fn moved(self, replaced: &[(Span, usize)]) -> Self {
        let mut moved = Vec::with_capacity(self.0.len());
        let mut replaced = replaced.iter().peekable();
        let (mut gone, mut come) = (0, 0);
        // Where the text goes on after the last span that was replaced.
        let mut after = 0;
        for (start, end) in self.0 {
            let mut start = start;
            while let Some((span, length)) = replaced.next_if(|(span, _)| span.start < end) {
                push(&mut moved, start.max(after), span.start, gone, come);
                start = start.max(span.end);
                after = span.end + REACH;
                gone += span.end - span.start;
                come += length;
            }
            push(&mut moved, start.max(after), end, gone, come);
        }
        Self(moved)
    }
}

/// Adds a stretch of the old text as it lies in the new one, without its end: something may be found there now.
fn push(into: &mut Vec<(usize, usize)>, start: usize, end: usize, gone: usize, come: usize) {
    let end = end.saturating_sub(REACH);
    if end > start {
        into.push((start + come - gone, end + come - gone));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stretches_move_with_the_text_and_end_before_what_was_replaced() {
        let mut quiet = Quiet::default();
        quiet.add(0, 1_000);
        quiet.add(1_010, 1_020);
        quiet.add(2_000, 3_000);
        let span = |start, end| Span::new(start, end, "x");
        let moved = quiet.moved(&[(span(500, 510), 30), (span(1_500, 1_600), 20)]);
        assert_eq!(moved.0, [(0, 372), (658, 892), (1_940, 2_812)]);
    }
}
