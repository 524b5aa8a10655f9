//! Whether a quote occurs in a text.

use std::collections::VecDeque;

/// Fewer letters and digits than this prove nothing.
const SHORTEST: usize = 3;

/// How much of one word is held, in bytes: no quote has a longer one.
const LONGEST_WORD: usize = 64 << 10;

/// Whether the quote occurs in the text, word for word.
///
/// White space counts as one blank, whatever it is, and the case of hexadecimal escapes (`\x1B`, `\u00E9`, `%2F`) does
/// not matter. An ellipsis (`…` or `...`) stands for anything; the parts around it must occur one after another.
pub fn occurs(quote: &str, text: &str) -> bool {
    let mut plain = Plain::default();
    let mut sought = Sought::new(quote);
    let begun = plain.push(text);
    sought.look(&begun) || sought.look(&plain.end())
}

/// A quote that is looked for in a text of any length, stretch by stretch.
pub(super) struct Sought(Vec<Way>);

/// One way in which a quote may be meant: parts that occur one after another.
struct Way {
    parts: VecDeque<String>,
    /// The end of what was looked at, in which the next part may begin.
    end: String,
}

impl Sought {
    /// A quote, as [`occurs`] reads it.
    pub(super) fn new(quote: &str) -> Self {
        let quote = plain(quote);
        let whole = Some(quote.clone()).filter(|quote| says_something(quote)).map(|quote| VecDeque::from([quote]));
        let parts: VecDeque<String> = quote
            .replace("...", "…")
            .split('…')
            .map(str::trim)
            .filter(|part| !part.is_empty())
            .map(str::to_owned)
            .collect();
        let parts = Some(parts).filter(|parts| !parts.is_empty() && parts.iter().all(|part| says_something(part)));
        Self(whole.into_iter().chain(parts).map(|parts| Way { parts, end: String::new() }).collect())
    }

    /// Looks at the next stretch of a text, as [`Plain`] gives it. Whether all of the quote has occurred.
    pub(super) fn look(&mut self, text: &str) -> bool {
        self.0.iter_mut().any(|way| way.look(text))
    }
}

impl Way {
    fn look(&mut self, text: &str) -> bool {
        self.end.push_str(text);
        while let Some(part) = self.parts.front() {
            let Some(at) = self.end.find(part.as_str()) else {
                // The part may have begun.
                let past = self.end.len().saturating_sub(part.len().saturating_sub(1));
                self.end.drain(..self.end.floor_char_boundary(past));
                return false;
            };
            self.end.drain(..at + part.len());
            self.parts.pop_front();
        }
        true
    }
}

fn says_something(quote: &str) -> bool {
    quote.chars().filter(|letter| letter.is_alphanumeric()).nth(SHORTEST - 1).is_some()
}

/// The text with single blanks and small hexadecimal escapes.
fn plain(text: &str) -> String {
    let mut plain = Plain::default();
    plain.push(text) + &plain.end()
}

/// Makes single blanks and small hexadecimal escapes of a text, stretch by stretch.
#[derive(Default)]
pub(super) struct Plain {
    /// The last word, which the next stretch may go on with.
    word: String,
    begun: bool,
    /// Whether the word that follows goes on with the last one.
    cut: bool,
}

impl Plain {
    /// The words that are complete with this stretch.
    pub(super) fn push(&mut self, text: &str) -> String {
        let mut plain = String::with_capacity(text.len());
        let last = text.rfind(char::is_whitespace);
        let (complete, open) = text.split_at(last.unwrap_or_default());
        if last.is_some() {
            // White space ends the word that was open, if no letter does.
            let first = complete.find(char::is_whitespace).unwrap_or(complete.len());
            let (end, complete) = complete.split_at(first);
            self.word.push_str(end);
            self.add(&mut plain);
            self.cut = false;
            for word in complete.split_whitespace() {
                self.word.push_str(word);
                self.add(&mut plain);
            }
        }
        self.word.push_str(open.trim_start());
        if self.word.len() > LONGEST_WORD {
            self.add(&mut plain);
            self.cut = true;
        }
        plain
    }

    /// The last word.
    pub(super) fn end(&mut self) -> String {
        let mut plain = String::new();
        self.add(&mut plain);
        plain
    }

    fn add(&mut self, plain: &mut String) {
        if self.word.is_empty() {
            return;
        }
        if std::mem::replace(&mut self.begun, true) && !self.cut {
            plain.push(' ');
        }
        escapes(&self.word, plain);
        self.word.clear();
        self.cut = false;
    }
}

fn escapes(word: &str, plain: &mut String) {
    if !word.contains(['\\', '%']) {
        plain.push_str(word);
        return;
    }
    let mut hex = 0_u8;
    let mut before = ' ';
    for letter in word.chars() {
        if hex > 0 && letter.is_ascii_hexdigit() {
            plain.push(letter.to_ascii_lowercase());
            hex -= 1;
        } else {
            plain.push(letter);
            hex = match (before, letter) {
                ('\\', 'x') | (_, '%') => 2,
                ('\\', 'u') => 4,
                _ => 0,
            };
        }
        before = letter;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LOG: &str = "2026-01-02T03:04:05Z  ERROR\tcan't open \"/etc/cart/config.yaml\":\n   no such file\nexit \\x1B[0m GET /a%2Fb 500";

    #[test]
    fn white_space_and_the_case_of_escapes_do_not_matter() {
        assert!(occurs("ERROR can't open \"/etc/cart/config.yaml\": no such file", LOG));
        assert!(occurs("\\x1b[0m GET /a%2fb", LOG));
        assert!(occurs("  no such\n file  ", LOG));
    }

    #[test]
    fn an_ellipsis_joins_parts_in_their_order() {
        assert!(occurs("ERROR … no such file", LOG));
        assert!(occurs("ERROR can't open ... exit", LOG));
        assert!(occurs("…can't open…", LOG));
        assert!(!occurs("no such file … ERROR", LOG));
        assert!(occurs("Pulling image...", "Pulling image... done"));
    }

    #[test]
    fn nothing_else_is_forgiven() {
        for quote in
            ["error can't open", "ERROR cannot open", "no such files", "/etc/cart/config.yml", "ERROR, can't open"]
        {
            assert!(!occurs(quote, LOG), "{quote}");
        }
    }

    #[test]
    fn a_quote_that_says_nothing_proves_nothing() {
        for quote in ["", " ", "…", "...", "E", ": \"/", "ERROR … e"] {
            assert!(!occurs(quote, LOG), "{quote:?}");
        }
    }

    proptest! {
        #[test]
        fn any_stretch_of_a_text_occurs_in_it(
            before in "[a-zA-Z0-9 \n]{0,40}",
            stretch in "[a-zA-Z0-9]{3}[a-zA-Z0-9 \n]{0,40}",
            after in "[a-zA-Z0-9 \n]{0,40}",
        ) {
            let text = format!("{before}{stretch}{after}");
            prop_assert!(occurs(&stretch, &text));
        }

        #[test]
        fn a_quote_occurs_wherever_the_stretches_of_the_text_end(
            quote in "[a-c %2F.]{0,12}(…[a-c ]{0,6})?",
            text in "[a-c %2F.\n]{0,80}",
            ends in proptest::collection::vec(0..80_usize, 0..4),
        ) {
            let mut ends: Vec<usize> = ends.into_iter().map(|end| end.min(text.len())).collect();
            ends.sort_unstable();
            let (mut plain, mut sought, mut from, mut found) = (Plain::default(), Sought::new(&quote), 0, false);
            for end in ends.into_iter().chain([text.len()]) {
                found |= sought.look(&plain.push(&text[from..end]));
                from = end;
            }
            prop_assert_eq!(found || sought.look(&plain.end()), occurs(&quote, &text));
        }

        #[test]
        fn the_check_never_fails_on_any_text(quote in ".{0,40}", text in ".{0,80}") {
            let _ = occurs(&quote, &text);
        }
    }
}
