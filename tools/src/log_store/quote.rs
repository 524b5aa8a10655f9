//! Texts in queries of other languages, so that they stand for themselves and nothing else.

/// A text in double quotes as Go reads it, and with it `LogQL` and `LogsQL`.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// A text in a regular expression of Lucene, so that it stands for itself: every letter that isn't one gets a backslash.
pub(super) fn lucene(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        if !letter.is_alphanumeric() && !matches!(letter, '-' | '_' | ' ') {
            escaped.push('\\');
        }
        escaped.push(letter);
    }
    escaped
}

/// What of a query stands outside its quotes, each quoted text being left out with its quotes.
pub(super) fn unquoted(query: &str) -> String {
    let mut outside = String::new();
    let mut letters = query.chars();
    while let Some(letter) = letters.next() {
        if !matches!(letter, '"' | '`' | '\'') {
            outside.push(letter);
            continue;
        }
        while let Some(inner) = letters.next() {
            if inner == letter {
                break;
            }
            if inner == '\\' && letter != '`' {
                letters.next();
            }
        }
    }
    outside
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The text that Go reads from a quoted one, and what follows it; nothing where it has no end.
    pub(crate) fn go_unquoted(query: &str) -> Option<(String, &str)> {
        let mut text = String::new();
        let mut letters = query.strip_prefix('"')?.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => return Some((text, &query[at + 2..])),
                '\\' => match letters.next()?.1 {
                    'n' => text.push('\n'),
                    'r' => text.push('\r'),
                    't' => text.push('\t'),
                    'u' => {
                        let code: String = letters.by_ref().take(4).map(|(_, digit)| digit).collect();
                        text.push(char::from_u32(u32::from_str_radix(&code, 16).ok()?)?);
                    }
                    escaped @ ('"' | '\\') => text.push(escaped),
                    _ => return None,
                },
                '\n' => return None,
                other => text.push(other),
            }
        }
        None
    }

    proptest! {
        #[test]
        fn whatever_is_quoted_is_read_back_and_ends_where_it_should(text: String, after in "[ |}a-z]{0,5}") {
            let query = format!("{}{after}", quoted(&text));
            prop_assert_eq!(go_unquoted(&query), Some((text, after.as_str())));
            prop_assert_eq!(unquoted(&query), after);
        }

        #[test]
        fn an_escaped_text_stands_for_itself_alone(text in "[a-z.*+?{}()\\[\\]|\\\\\"#@&<>~-]{0,20}") {
            let escaped = lucene(&text);
            let mut letters = escaped.chars();
            let mut read = String::new();
            while let Some(letter) = letters.next() {
                prop_assert!(!"*.+?{}()[]|\"#@&<>~".contains(letter), "{} is no letter", letter);
                read.push(if letter == '\\' { letters.next().unwrap() } else { letter });
            }
            prop_assert_eq!(read, text);
        }
    }
}
