//! Takes secrets out of logs.

use super::Redaction;

/// The first line of a key of which a log has the end alone.
const BEGIN: &str = "-----BEGIN PRIVATE KEY-----";

/// A row of so many letters of base64 is of a key, wherever it stands in its line.
const ROW: usize = 32;

impl Redaction<'_> {
    /// Takes secrets out of a log whose lines begin with their times.
    ///
    /// The times are taken off before and put back after, for a secret may span lines, as a key in PEM does. A log may
    /// begin within one: what is left of it is taken out too.
    pub(in crate::record) fn log(&self, text: &str) -> String {
        let (mut times, mut lines): (Vec<&str>, Vec<&str>) =
            text.lines().map(|line| line.split_once(' ').unwrap_or((line, ""))).unzip();
        let begun = cut_key(&lines);
        if let Some(at) = begun {
            lines.insert(at, BEGIN);
            times.insert(at, "");
        }
        let redacted = self.redact.redact(&lines.join("\n"));
        let after: Vec<&str> = redacted.split('\n').collect();
        let before = lines.len();
        let head = lines.iter().zip(&after).take_while(|(before, after)| before == after).count();
        let tail = lines
            .iter()
            .rev()
            .zip(after.iter().rev())
            .take_while(|(before, after)| before == after)
            .count()
            .min(before.min(after.len()) - head);
        let mut out = String::with_capacity(text.len());
        for (number, line) in after.iter().enumerate() {
            // Where a secret of several lines became one, the lines between have the time of the first of them.
            let source = if before == after.len() || number < head {
                number
            } else if number + tail >= after.len() {
                number + before - after.len()
            } else {
                head
            };
            // The line that was put in is taken out again; it stands before all that was redacted.
            if begun == Some(number) && *line == BEGIN {
                continue;
            }
            if let Some(time) = times.get(source) {
                out.push_str(time);
                out.push(' ');
                out.push_str(line);
                out.push('\n');
            }
        }
        out
    }
}

/// Where the lines begin that are the rest of a private key whose first line was cut off; nothing where there is none.
fn cut_key(lines: &[&str]) -> Option<usize> {
    let ends = |line: &&str| line.contains("-----END") && (line.contains("PRIVATE KEY") || line.contains("OPENSSH"));
    let end = lines.iter().position(ends)?;
    let before = lines.get(..end)?;
    let begun = |line: &&str| line.contains("-----BEGIN");
    let whole = before.iter().any(begun) || lines.get(end)?.split("-----END").next().is_some_and(|line| begun(&line));
    // The last row may be a short one.
    let last = before.last().is_some_and(|line| is_last(line));
    let above = before.get(..end - usize::from(last))?;
    let rows = above.iter().rev().take_while(|line| is_row(line)).count();
    let last = last && (rows > 0 || before.last().is_some_and(|line| line.trim().ends_with('=')));
    (!whole && (rows > 0 || last)).then(|| end - rows - usize::from(last))
}

/// Whether a line may be one of a key in PEM, also behind what a program puts before its lines.
fn is_row(line: &str) -> bool {
    longest(line) >= ROW
}

/// Whether a line may be the last of one: a short row by itself.
fn is_last(line: &str) -> bool {
    (1..ROW).contains(&longest(line)) && longest(line) == line.trim().len()
}

/// The longest row of letters of base64.
fn longest(line: &str) -> usize {
    let of_key = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    line.as_bytes().split(|byte| !of_key(*byte)).map(<[u8]>::len).max().unwrap_or_default()
}
