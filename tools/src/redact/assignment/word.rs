//! A value of one word.

use crate::redact::Source;

/// Names that are shorter than this can be those of another assignment.
const LONGEST_NAME: usize = 60;

/// Where the word ends that begins there.
pub(super) fn word_end(source: &Source<'_>, from: usize) -> usize {
    let search = || from + length(source.rest(from));
    let end = if source.at(from) == Some(b'\'') { search() } else { source.reach.word.end(from, search) };
    if source.is_past_reading(end - from) { end } else { from + without_closers(source.slice(from, end)).len() }
}

/// How long the word is that begins there, and what follows it without a blank or a quote between.
fn length(text: &str) -> usize {
    let mut end = 0;
    while let Some(byte) = text.as_bytes().get(end) {
        let rest = || text.get(end + 1..).unwrap_or_default();
        match byte {
            b'"' | b'`' | b'<' => break,
            b'\'' if end > 0 => break,
            byte if byte.is_ascii_whitespace() => break,
            b'\\' if rest().starts_with(['n', 't', 'r', '"']) => break,
            b',' | b';' | b'&' if assigns(rest()) => break,
            _ => end += 1,
        }
    }
    end
}

/// Without what encloses the whole assignment: it is not the value's, unless it was opened in the value.
fn without_closers(word: &str) -> &str {
    let trimmed = word.trim_end_matches([',', ';', ')', ']', '}', '>']);
    let opened = trimmed.len() < word.len() && word.contains(['(', '[', '{']);
    if opened { word.trim_end_matches([',', ';']) } else { trimmed }
}

/// Whether another assignment stands there.
fn assigns(text: &str) -> bool {
    let text = text.trim_start_matches(' ').as_bytes();
    let in_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b' ');
    let name = text.iter().take(LONGEST_NAME).take_while(|byte| in_name(byte)).count();
    let after = text.get(name..).unwrap_or_default();
    name > 0 && name < LONGEST_NAME && (matches!(after, [b'=' | b':', ..]) || after.starts_with(b"\":"))
}
