//! Takes what is wanted out of a log while it is read, within bounds: a log may have a gigabyte, and a line ten
//! megabytes.

use std::collections::VecDeque;

use jiff::Timestamp;
use regex::bytes::Regex;

use super::level::{Level, level};
use super::template::Templates;

/// Letters of one line that are looked at and kept.
const LINE: usize = 1 << 20;

/// What each kept line costs beside its letters.
const OVERHEAD: usize = 64;

/// Which lines are wanted, and how many are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wanted {
    /// Those that match, or with `invert` those that don't.
    pub(crate) pattern: Option<Regex>,
    pub(crate) invert: bool,
    /// Those that are at least so severe.
    pub(crate) level: Option<Level>,
    /// None from after this; the log is read no further.
    pub(crate) until: Option<Timestamp>,
    /// How many lines around each wanted one are kept too.
    pub(crate) context: usize,
    /// The last so many are kept, and no more than so many bytes of them.
    pub(crate) last: usize,
    pub(crate) bytes: usize,
    /// Whether each line begins with the kubelet's time.
    pub(crate) timestamps: bool,
}

/// A line that was kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// Its number among the lines that were read, from 1.
    pub(crate) number: u64,
    /// When the kubelet read it.
    pub(crate) at: Option<Timestamp>,
    pub(crate) text: String,
    /// Whether it is wanted, or stands beside one that is.
    pub(crate) wanted: bool,
}

/// What was taken out of a log.
#[derive(Debug, Default)]
pub(crate) struct Taken {
    pub(crate) lines: VecDeque<Line>,
    /// Lines and bytes that were read.
    pub(crate) read: u64,
    pub(crate) bytes: u64,
    /// Lines that are wanted, and how many of them were not kept.
    pub(crate) wanted: u64,
    pub(crate) left_out: u64,
    pub(crate) left_out_bytes: u64,
    /// Lines before those that are held that went elsewhere.
    pub(crate) spilled: u64,
    /// What the errors and warnings say, of all lines that were read.
    pub(crate) errors: Templates,
    /// When the last line was written that was read.
    pub(crate) last: Option<Timestamp>,
    /// Why it was not read to its end.
    pub(crate) stopped: Option<String>,
}

/// Reads a log piece by piece.
#[derive(Debug)]
pub(crate) struct Reader {
    wanted: Wanted,
    taken: Taken,
    /// The line that has not ended yet, and how much of it is beyond what is looked at.
    open: Vec<u8>,
    beyond: u64,
    held: usize,
    before: VecDeque<Line>,
    after: usize,
    /// The time of the last line, as the kubelet wrote it.
    latest: Vec<u8>,
    /// Where lines go that are beyond what is held; they are counted where it is nowhere.
    spilled: Option<Vec<Line>>,
    done: bool,
}

impl Reader {
    pub(crate) fn new(wanted: Wanted) -> Self {
        Self {
            wanted,
            taken: Taken::default(),
            open: Vec::new(),
            beyond: 0,
            held: 0,
            before: VecDeque::new(),
            after: 0,
            latest: Vec::new(),
            spilled: None,
            done: false,
        }
    }

    /// The same, but lines beyond the bytes that are held are not left out: whoever reads takes them.
    pub(crate) fn spilling(self) -> Self {
        Self { spilled: Some(Vec::new()), ..self }
    }

    /// The lines that are not held any more, in order, and those that are.
    pub(crate) fn spilled(&mut self) -> (Vec<Line>, &VecDeque<Line>) {
        (self.spilled.as_mut().map(std::mem::take).unwrap_or_default(), &self.taken.lines)
    }

    /// Takes the next bytes. False says that nothing further is wanted.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) -> bool {
        self.taken.bytes += bytes.len() as u64;
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            let (piece, rest) = bytes.split_at(end);
            bytes = rest.get(1..).unwrap_or_default();
            if self.open.is_empty() && piece.len() <= LINE {
                self.line(piece, 0);
            } else {
                self.extend(piece);
                let (open, beyond) = (std::mem::take(&mut self.open), std::mem::take(&mut self.beyond));
                self.line(&open, beyond);
            }
            if self.done {
                return false;
            }
        }
        self.extend(bytes);
        true
    }

    fn extend(&mut self, piece: &[u8]) {
        let room = LINE.saturating_sub(self.open.len()).min(piece.len());
        self.open.extend_from_slice(piece.get(..room).unwrap_or_default());
        self.beyond += (piece.len() - room) as u64;
    }

    /// Takes the last line though it has not ended, for nothing follows.
    pub(crate) fn close(&mut self) {
        if !self.open.is_empty() && !self.done {
            let (open, beyond) = (std::mem::take(&mut self.open), self.beyond);
            self.line(&open, beyond);
        }
    }

    /// What was taken. `stopped` says why the log was not read to its end.
    pub(crate) fn end(mut self, stopped: Option<String>) -> Taken {
        self.close();
        self.taken.last = parsed(&self.latest);
        self.taken.stopped = stopped;
        self.taken
    }

    fn line(&mut self, line: &[u8], beyond: u64) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (time, text) = if self.wanted.timestamps { stamped(line) } else { (None, line) };
        if let Some(until) = self.wanted.until
            && let Some(at) = time.and_then(parsed)
            && at > until
        {
            self.done = true;
            return;
        }
        self.taken.read += 1;
        if let Some(time) = time {
            self.latest.clear();
            self.latest.extend_from_slice(time);
        }
        let level = level(text);
        if level >= Some(Level::Warning) {
            self.taken.errors.add(text, level, || time.and_then(parsed));
        }
        let fits = self.wanted.pattern.as_ref().is_none_or(|pattern| pattern.is_match(text) != self.wanted.invert)
            && self.wanted.level.is_none_or(|least| level >= Some(least));
        self.taken.wanted += u64::from(fits);
        if !fits && self.wanted.context == 0 {
            return;
        }
        let mut kept = Line {
            number: self.taken.read,
            at: time.and_then(parsed),
            text: String::from_utf8_lossy(text).into_owned(),
            wanted: fits,
        };
        if beyond > 0 {
            kept.text += &format!(" … {beyond} more bytes of this line were not kept …");
        }
        if fits {
            for line in std::mem::take(&mut self.before) {
                self.keep(line);
            }
            self.keep(kept);
            self.after = self.wanted.context;
        } else if self.after > 0 {
            self.after -= 1;
            self.keep(kept);
        } else {
            kept.text.truncate(kept.text.floor_char_boundary(LINE / 16));
            self.before.push_back(kept);
            if self.before.len() > self.wanted.context {
                self.before.pop_front();
            }
        }
    }

    fn keep(&mut self, line: Line) {
        self.held += line.text.len() + OVERHEAD;
        self.taken.lines.push_back(line);
        let wanted = self.wanted.last.saturating_mul(2 * self.wanted.context + 1);
        while (self.held > self.wanted.bytes || self.taken.lines.len() > wanted)
            && self.taken.lines.len() > 1
            && let Some(dropped) = self.taken.lines.pop_front()
        {
            self.held -= dropped.text.len() + OVERHEAD;
            // Once some went elsewhere all do, so that none is missing in between.
            let beyond = self.held + dropped.text.len() + OVERHEAD > self.wanted.bytes || self.taken.spilled > 0;
            if let Some(spilled) = self.spilled.as_mut().filter(|_| beyond) {
                self.taken.spilled += 1;
                spilled.push(dropped);
                continue;
            }
            self.taken.left_out += u64::from(dropped.wanted);
            self.taken.left_out_bytes += dropped.text.len() as u64;
        }
    }
}

/// The time that the kubelet put before a line, and the line.
fn stamped(line: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let end = line.iter().take(40).position(|byte| *byte == b' ').unwrap_or(0);
    match line.split_at_checked(end) {
        Some((time, rest)) if time.len() >= 20 && time.get(10) == Some(&b'T') => {
            (Some(time), rest.get(1..).unwrap_or_default())
        }
        // A line without any text ends behind its time.
        _ if (20..=40).contains(&line.len()) && line.get(10) == Some(&b'T') && parsed(line).is_some() => {
            (Some(line), &[])
        }
        _ => (None, line),
    }
}

fn parsed(time: &[u8]) -> Option<Timestamp> {
    std::str::from_utf8(time).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOG: &str = "start\nconnect db\nERROR refused\nretry\nretry\nretry\nerror refused again\nend\n";

    fn wanted(pattern: Option<&str>, context: usize, last: usize) -> Wanted {
        let pattern = pattern.map(|pattern| Regex::new(&format!("(?i){pattern}")).unwrap());
        Wanted { pattern, context, last, bytes: 1 << 20, ..Wanted::default() }
    }

    fn read(wanted: Wanted, log: &[u8], piece: usize) -> Taken {
        let mut reader = Reader::new(wanted);
        for piece in log.chunks(piece) {
            if !reader.feed(piece) {
                break;
            }
        }
        reader.end(None)
    }

    fn numbers(taken: &Taken) -> Vec<u64> {
        taken.lines.iter().map(|line| line.number).collect()
    }

    #[test]
    fn what_matches_is_kept_with_what_stands_around_it_wherever_the_pieces_end() {
        for piece in [1, 3, 1_000] {
            let taken = read(wanted(Some("error"), 1, usize::MAX), LOG.as_bytes(), piece);
            assert_eq!(numbers(&taken), [2, 3, 4, 6, 7, 8]);
            assert_eq!((taken.read, taken.wanted, taken.left_out), (8, 2, 0));
        }
        let inverted = Wanted { invert: true, ..wanted(Some("r"), 0, usize::MAX) };
        assert_eq!(numbers(&read(inverted, LOG.as_bytes(), 5)), [2, 8]);
    }

    #[test]
    fn of_what_matches_the_last_are_kept_and_the_others_counted() {
        let taken = read(wanted(Some("re"), 0, 2), LOG.as_bytes(), 7);
        assert_eq!((numbers(&taken), taken.wanted, taken.left_out), (vec![6, 7], 5, 3));
        let few_bytes = Wanted { bytes: 200, ..wanted(None, 0, usize::MAX) };
        let taken = read(few_bytes, LOG.as_bytes(), 7);
        assert_eq!((numbers(&taken), taken.left_out, taken.left_out_bytes), (vec![7, 8], 6, 43));
    }

    #[test]
    fn what_is_beyond_the_bytes_that_are_held_goes_elsewhere_and_what_is_beyond_the_lines_does_not() {
        let log: String = (1..=100).map(|number| format!("line {number:03}\n")).collect();
        let few = Wanted { bytes: 10 * (8 + OVERHEAD), ..wanted(None, 0, usize::MAX) };
        let mut reader = Reader::new(few).spilling();
        let mut spilled = Vec::new();
        for piece in log.as_bytes().chunks(50) {
            reader.feed(piece);
            spilled.extend(reader.spilled().0);
        }
        reader.feed(b"not ended");
        reader.close();
        spilled.extend(reader.spilled().0);
        let taken = reader.end(None);
        let all: Vec<u64> = spilled.iter().chain(&taken.lines).map(|line| line.number).collect();
        assert_eq!(all, (1..=101).collect::<Vec<_>>());
        assert_eq!((taken.lines.len(), taken.spilled, taken.left_out), (9, 92, 0));
        let mut reader = Reader::new(wanted(None, 0, 5)).spilling();
        reader.feed(log.as_bytes());
        assert_eq!(reader.spilled().0, []);
        assert_eq!(reader.end(None).left_out, 95);
    }

    #[test]
    fn lines_are_chosen_by_how_severe_they_are_and_when_they_were_written() {
        let log = "2026-01-02T03:00:00.000000001Z level=info a\n2026-01-02T03:00:01Z level=error b\n\
                   2026-01-02T03:00:02Z level=warn c\n2026-01-02T03:00:03Z level=error d\n2026-01-02T03:00:04Z \n";
        let severe = Wanted {
            level: Some(Level::Warning),
            until: Some("2026-01-02T03:00:02Z".parse().unwrap()),
            timestamps: true,
            ..wanted(None, 0, usize::MAX)
        };
        let taken = read(severe, log.as_bytes(), 11);
        let told: Vec<String> = taken.lines.iter().map(|line| format!("{} {}", line.at.unwrap(), line.text)).collect();
        assert_eq!(told, ["2026-01-02T03:00:01Z level=error b", "2026-01-02T03:00:02Z level=warn c"]);
        let all = read(Wanted { timestamps: true, ..wanted(None, 0, usize::MAX) }, log.as_bytes(), 64);
        assert_eq!(all.lines.back().map(|line| line.text.as_str()), Some(""));
        assert_eq!(all.errors.total(), 3);
    }

    #[test]
    fn a_line_of_ten_megabytes_is_held_in_part_and_counted() {
        let mut log = vec![b'x'; 10 << 20];
        log.extend_from_slice(b"\nerror at the end");
        let taken = read(wanted(None, 0, usize::MAX), &log, 64 << 10);
        assert_eq!(numbers(&taken), [2], "the long line alone is beyond what is kept");
        let room = Wanted { bytes: 4 << 20, ..wanted(None, 0, usize::MAX) };
        let taken = read(room, &log, 64 << 10);
        let first = taken.lines.front().unwrap();
        assert_eq!(first.text.len(), LINE + " … 9437184 more bytes of this line were not kept …".len());
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        let taken = read(wanted(None, 0, 9), b"\xff\xfeok\x80\r\n", 2);
        assert_eq!(taken.lines.front().unwrap().text, "\u{fffd}\u{fffd}ok\u{fffd}");
    }
}
