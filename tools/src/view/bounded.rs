//! Head and tail of a text.

use super::fold::grouped;
use super::{Folded, fold, plain};

/// How much of a text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters in all, the notes on what was left out apart.
    pub characters: usize,
    /// Characters of one line.
    pub line: usize,
    /// Percent of the characters that go to the head, the rest going to the tail.
    pub head: usize,
    /// Whether lines that repeat are folded; for logs, not for tables.
    pub fold: bool,
}

impl Default for Limits {
    /// 6,000 characters, about 1,700 tokens; 600 a line; folded. More goes to the tail, for the end of a log tells more,
    /// though its start says what it is.
    fn default() -> Self {
        Self { characters: 6_000, line: 600, head: 40, fold: true }
    }
}

impl Limits {
    /// For a table whose first rows matter most.
    pub fn table() -> Self {
        Self { head: 100, fold: false, ..Self::default() }
    }
}

/// The text within the limits: head and tail, repeats folded, long lines cut in their middle, terminal escapes
/// stripped. Each cut stands in its place and says exactly how much was left out.
pub fn bounded(text: &str, limits: Limits) -> String {
    let text = plain(text);
    let lines: Vec<&str> = text.lines().collect();
    let parts = if limits.fold { fold(&lines) } else { lines.iter().map(|line| Folded::Line(line)).collect() };
    let written: Vec<String> = parts.iter().map(|part| written(part, limits.line)).collect();
    let all = length(&written);
    if all <= limits.characters {
        return join(&written);
    }
    let for_head = limits.characters * limits.head / 100;
    let head = fitting(written.iter(), for_head);
    let used = length(written.get(..head).unwrap_or_default());
    let rest = written.get(head..).unwrap_or_default();
    let tail = fitting(rest.iter().rev(), limits.characters.saturating_sub(used));
    let mut end = written.len() - tail;
    // A note on repeats without the lines that repeat would say nothing.
    if end > head && matches!(parts.get(end), Some(Folded::Repeats { .. })) {
        end += 1;
    }
    let left_out = parts.get(head..end).unwrap_or_default();
    let mut shown: Vec<String> = written.get(..head).unwrap_or_default().to_vec();
    if !left_out.is_empty() {
        let count = left_out.iter().map(Folded::lines).sum::<usize>();
        shown.push(format!("… {} {} left out …", grouped(count), if count == 1 { "line" } else { "lines" }));
    }
    shown.extend_from_slice(written.get(end..).unwrap_or_default());
    join(&shown)
}

fn join(lines: &[String]) -> String {
    let mut text = lines.join("\n");
    if !text.is_empty() {
        text.push('\n');
    }
    text
}

fn length(lines: &[String]) -> usize {
    lines.iter().map(|line| line.chars().count() + 1).sum()
}

/// How many lines fit.
fn fitting<'a>(lines: impl Iterator<Item = &'a String>, characters: usize) -> usize {
    lines
        .scan(0, |used, line| {
            *used += line.chars().count() + 1;
            Some(*used)
        })
        .take_while(|used| *used <= characters)
        .count()
}

fn written(part: &Folded<'_>, limit: usize) -> String {
    match part {
        Folded::Line(line) => cut(line, limit),
        repeats @ Folded::Repeats { .. } => repeats.note().unwrap_or_default(),
    }
}

/// A line with its middle left out where it is too long.
pub(crate) fn cut(line: &str, limit: usize) -> String {
    // Bytes are at least as many as characters: most lines need no count.
    if line.len() <= limit {
        return line.to_owned();
    }
    let count = line.chars().count();
    if count <= limit {
        return line.to_owned();
    }
    // A line's start says most: who wrote it, when, and what it is about.
    let head = limit * 3 / 5;
    let tail = limit - head;
    let first: String = line.chars().take(head).collect();
    let last: String = line.chars().skip(count - tail).collect();
    format!("{first} … {} characters left out … {last}", grouped(count - limit))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The lines that a shown line stands for: itself, or as many as a note says.
    fn stands_for(line: &str) -> usize {
        let Some(note) = line.strip_prefix("… ").and_then(|rest| rest.strip_suffix(" left out …")) else {
            return 1;
        };
        let count = note.rsplit(' ').nth(1).unwrap_or_default();
        count.replace(',', "").parse().unwrap()
    }

    proptest! {
        #[test]
        fn every_line_is_shown_or_counted_and_the_limit_is_held(
            lines in prop::collection::vec("(GET /carts/of/a/customer [2-5]00 [0-9]ms|  at frame [a-f0-9]{6}|end of this request|[a-z ]{0,30})", 0..200),
            characters in 50usize..2_000,
        ) {
            let shown = bounded(&lines.join("\n"), Limits { characters, ..Limits::default() });
            let total = if lines.iter().all(String::is_empty) { lines.len().saturating_sub(1) } else { lines.join("\n").lines().count() };
            prop_assert_eq!(shown.lines().map(stands_for).sum::<usize>(), total, "{}", shown);
            // One note on what was left out comes on top.
            prop_assert!(shown.chars().count() <= characters + 40, "{}", shown);
        }
    }

    #[test]
    fn a_short_text_stays_as_it_is() {
        assert_eq!(bounded("a\nb\n", Limits::default()), "a\nb\n");
        assert_eq!(bounded("", Limits::default()), "");
    }

    #[test]
    fn head_and_tail_are_shown_and_the_rest_is_counted() {
        let words = ["alpha", "bravo", "charlie", "delta", "echo", "foxtrot", "golf", "hotel", "india", "juliet"];
        let limits = Limits { characters: 30, ..Limits::default() };
        assert_eq!(bounded(&words.join("\n"), limits), "alpha\nbravo\n… 6 lines left out …\nindia\njuliet\n");
    }

    #[test]
    fn lines_inside_a_fold_are_counted_too() {
        let text = format!("first line\n{}last line", "same\n".repeat(1_000));
        let limits = Limits { characters: 40, ..Limits::default() };
        assert_eq!(bounded(&text, limits), "first line\nsame\n… 999 lines left out …\nlast line\n");
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_in_its_middle() {
        let text = "ä".repeat(5_000_000);
        let limits = Limits { line: 10, ..Limits::default() };
        assert_eq!(bounded(&text, limits), "ääääää … 4,999,990 characters left out … ääää\n");
    }

    #[test]
    fn a_table_is_not_folded() {
        let limits = Limits { fold: false, ..Limits::default() };
        assert_eq!(bounded("cart-1 0/1\ncart-2 0/1\ncart-3 0/1\n", limits), "cart-1 0/1\ncart-2 0/1\ncart-3 0/1\n");
    }
}
