//! Selectors of series, with every value escaped: names come from alerts and from models.

use std::collections::BTreeSet;

/// A text as a string of `PromQL`, quotes included.
pub(super) fn quoted(text: &str) -> String {
    let mut written = String::with_capacity(text.len() + 2);
    written.push('"');
    for letter in text.chars() {
        match letter {
            '\\' => written.push_str("\\\\"),
            '"' => written.push_str("\\\""),
            '\n' => written.push_str("\\n"),
            '\r' => written.push_str("\\r"),
            '\t' => written.push_str("\\t"),
            other => written.push(other),
        }
    }
    written.push('"');
    written
}

/// A matcher of a label that has one of these values; the whole value must fit. Without values it fits nothing.
pub(super) fn one_of<'a>(label: &str, values: impl IntoIterator<Item = &'a str>) -> String {
    let values: BTreeSet<&str> = values.into_iter().collect();
    let mut each = values.iter();
    match (each.next(), each.next()) {
        (Some(only), None) => format!("{label}={}", quoted(only)),
        (None, _) => format!("{label}=~\"[^\\\\s\\\\S]\""),
        _ => {
            let values: Vec<String> = values.iter().map(|value| escaped(value)).collect();
            format!("{label}=~{}", quoted(&values.join("|")))
        }
    }
}

/// A text as a regular expression of RE2 that fits only it.
pub(super) fn escaped(text: &str) -> String {
    regex::escape(text)
        // RE2 knows no escape of these, and they mean nothing outside a class.
        .replace("\\-", "-")
        .replace("\\&", "&")
        .replace("\\~", "~")
        .replace("\\#", "#")
}

/// Whether a text can be the name of a label.
pub(super) fn is_label(text: &str) -> bool {
    let mut letters = text.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// The selector of a metric's series; a name that is none of the classic ones stands in quotes.
pub(super) fn of_metric(name: &str) -> String {
    let classic = name.chars().all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':'))
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if classic { name.to_owned() } else { format!("{{__name__={}}}", quoted(name)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_can_not_end_its_string() {
        assert_eq!(quoted("a\"} or up{x=\"\\"), r#""a\"} or up{x=\"\\""#);
        assert_eq!(one_of("pod", ["a\"b"]), r#"pod="a\"b""#);
        assert_eq!(one_of("pod", ["b.c", "a-1", "a-1", "x|y"]), r#"pod=~"a-1|b\\.c|x\\|y""#);
    }

    #[test]
    fn what_is_written_is_read_again_as_it_was() {
        for text in ["plain", "with \"quotes\"", "back\\slash", "line\nend\ttab", "ä|.*+?(){}[]^$-&~#", ""] {
            let query = format!("up{{a={},b=~{}}}", quoted(text), quoted(&escaped(text)));
            let Ok(promql_parser::parser::Expr::VectorSelector(read)) = promql_parser::parser::parse(&query) else {
                panic!("{query}");
            };
            assert_eq!(read.matchers.matchers[0].value, text);
            assert!(read.matchers.matchers[1].is_match(text), "{query}");
            assert!(!read.matchers.matchers[1].is_match("other"), "{query}");
        }
    }
}
