//! Text without what moves a terminal's cursor.

use std::borrow::Cow;

/// The text without terminal escapes and control characters; line ends and tabs stay, and a carriage return ends a line.
pub fn plain(text: &str) -> Cow<'_, str> {
    let clean = |byte: u8| byte >= 0x20 && byte != 0x7f || byte == b'\n' || byte == b'\t';
    // The C1 controls are U+0080 to U+009F, in UTF-8 the byte 0xC2 and one of 0x80 to 0x9F.
    let second_half = |pair: &[u8]| matches!(pair, [0xC2, 0x80..=0x9F]);
    if text.bytes().all(clean) && !text.as_bytes().windows(2).any(second_half) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        match letter {
            '\u{1b}' => match rest.next() {
                Some('[') => skip_sequence(&mut rest),
                Some(']' | 'P' | '_' | '^' | 'X') => skip_string(&mut rest),
                Some('(' | ')' | '*' | '+' | '#' | '%' | ' ') => drop(rest.next()),
                _ => {}
            },
            '\u{9b}' => skip_sequence(&mut rest),
            '\r' => {
                if rest.peek().is_some_and(|next| *next != '\n') {
                    kept.push('\n');
                }
            }
            '\n' | '\t' => kept.push(letter),
            control if control.is_control() => {}
            other => kept.push(other),
        }
    }
    Cow::Owned(kept)
}

/// Skips parameters up to the final byte of a control sequence (ECMA-48, 5.4); a line end means that it was none.
fn skip_sequence(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(next) = rest.peek() {
        match next {
            '\u{20}'..='\u{3f}' => drop(rest.next()),
            '\u{40}'..='\u{7e}' => {
                rest.next();
                return;
            }
            _ => return,
        }
    }
}

/// Skips a command string, as a window title, up to its end: BEL or ST. It never runs past its line.
fn skip_string(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    while let Some(next) = rest.peek() {
        match next {
            '\n' => return,
            '\u{7}' | '\u{9c}' => {
                rest.next();
                return;
            }
            '\u{1b}' => {
                rest.next();
                if rest.peek() == Some(&'\\') {
                    rest.next();
                }
                return;
            }
            _ => drop(rest.next()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_titles_and_bells_go_and_the_words_stay() {
        let text =
            "\u{1b}[1;31mERROR\u{1b}[0m a\tb\u{7}\n\u{1b}]0;title\u{7}next\u{1b}(B \u{1b}]8;;http://x\u{1b}\\link\n";
        assert_eq!(plain(text), "ERROR a\tb\nnext link\n");
    }

    #[test]
    fn an_unended_escape_takes_no_more_than_its_line() {
        assert_eq!(plain("a\u{1b}]0;never ended\nb\u{1b}[31\nc\u{1b}"), "a\nb\nc");
    }

    #[test]
    fn a_progress_bar_becomes_lines() {
        assert_eq!(plain("10%\r20%\r\nend"), "10%\n20%\nend");
    }
}
