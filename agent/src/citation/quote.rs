//! Whether a quote occurs in a text.

/// Fewer letters and digits than this prove nothing.
const SHORTEST: usize = 3;

/// Whether the quote occurs in the text, word for word.
///
/// White space counts as one blank, whatever it is, and the case of hexadecimal escapes (`\x1B`, `\u00E9`, `%2F`) does
/// not matter. An ellipsis (`…` or `...`) stands for anything; the parts around it must occur one after another.
pub fn occurs(quote: &str, text: &str) -> bool {
    let (quote, text) = (plain(quote), plain(text));
    if says_something(&quote) && text.contains(quote.trim()) {
        return true;
    }
    let quote = quote.replace("...", "…");
    let parts: Vec<&str> = quote.split('…').map(str::trim).filter(|part| !part.is_empty()).collect();
    if parts.is_empty() || !parts.iter().all(|part| says_something(part)) {
        return false;
    }
    let mut rest = text.as_str();
    for part in parts {
        match rest.find(part).and_then(|at| rest.get(at + part.len()..)) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}

fn says_something(quote: &str) -> bool {
    quote.chars().filter(|letter| letter.is_alphanumeric()).nth(SHORTEST - 1).is_some()
}

/// The text with single blanks and small hexadecimal escapes.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !plain.is_empty() {
            plain.push(' ');
        }
        escapes(word, &mut plain);
    }
    plain
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
        fn the_check_never_fails_on_any_text(quote in ".{0,40}", text in ".{0,80}") {
            let _ = occurs(&quote, &text);
        }
    }
}
