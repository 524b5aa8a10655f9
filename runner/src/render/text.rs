//! Text from anywhere, made fit to be shown.

use std::borrow::Cow;

/// How much room a text takes where a vendor counts: in UTF-16 units, which is never less than in characters.
pub fn width(text: &str) -> usize {
    text.chars().map(char::len_utf16).sum()
}

/// The text without what would act on a reader's screen rather than be read: control characters (a terminal obeys
/// escape sequences in a log line) and marks that turn the direction of writing. Line ends become `\n`, tabs stay.
pub fn clean(text: &str) -> Cow<'_, str> {
    let acts = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{2028}' | '\u{2029}')
    };
    if text.contains(acts) { Cow::Owned(text.replace(acts, "")) } else { Cow::Borrowed(text) }
}

/// The text on one line, cleaned, with each run of white space as one space.
pub fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(4_096));
    for word in clean(text).split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}

/// The text where it takes no more than `limit`, else as much of its beginning as fits with an ellipsis, cut between
/// words where one ends near.
pub fn bounded(text: &str, limit: usize) -> Cow<'_, str> {
    if width(text) <= limit {
        return Cow::Borrowed(text);
    }
    let mut room = limit.saturating_sub(1);
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let Some(left) = room.checked_sub(c.len_utf16()) else { break };
        room = left;
        end = at + c.len_utf8();
    }
    let head = text.get(..end).unwrap_or_default();
    let near = head.len().saturating_sub(24);
    let cut = head.rfind(char::is_whitespace).filter(|space| *space >= near && *space > 0).unwrap_or(head.len());
    let kept = head.get(..cut).unwrap_or(head).trim_end();
    if limit == 0 { Cow::Borrowed("") } else { Cow::Owned(format!("{kept}…")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_on_a_screen_is_taken_out() {
        assert_eq!(clean("a\u{1b}[31mred\u{7}\r\n\tb\u{202e}c"), "a[31mred\n\tbc");
        assert_eq!(one_line("  a\n\n b\tc "), "a b c");
    }

    #[test]
    fn a_cut_text_fits_and_ends_between_words_where_it_can() {
        assert_eq!(bounded("short", 5), "short");
        assert_eq!(bounded("the quick brown fox", 12), "the quick…");
        assert_eq!(bounded("😀😀😀", 4), "😀…");
        assert_eq!(bounded("abc", 0), "");
    }
}
