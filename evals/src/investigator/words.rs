//! A command line, split as a shell would, without a shell.

/// Splits at spaces outside of quotes; a backslash outside of single quotes takes the next character as it is. Nothing
/// where a quote has no end.
pub(super) fn words(line: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            ('\'' | '"', None) => {
                quote = Some(letter);
                word.get_or_insert_default();
            }
            (letter, Some(open)) if letter == open => quote = None,
            ('\\', None | Some('"')) => word.get_or_insert_default().push(letters.next()?),
            (letter, None) if letter.is_whitespace() => words.extend(word.take()),
            (letter, _) => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together_and_a_backslash_takes_what_follows() {
        assert_eq!(
            words(r#"peer --ask "{question}" 'a "b"' c\ d "" "x\"y""#).unwrap(),
            ["peer", "--ask", "{question}", "a \"b\"", "c d", "", "x\"y"]
        );
        assert_eq!(words("  ").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn a_quote_without_end_is_no_command() {
        assert_eq!(words("peer 'ask"), None);
        assert_eq!(words("peer \\"), None);
    }
}
