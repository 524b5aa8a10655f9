//! Texts of Kubernetes made fit for one line.

/// The longest text that is taken over into a signal, in characters.
const LIMIT: usize = 400;

/// The text on one line: white space folded, cut at 400 characters with a mark.
pub(super) fn line(text: &str) -> String {
    let mut line = String::with_capacity(text.len().min(LIMIT));
    for word in text.split_whitespace() {
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
        // Bytes are at least as many as characters: enough has been taken.
        if line.len() > 4 * LIMIT {
            break;
        }
    }
    match line.char_indices().nth(LIMIT) {
        Some((at, _)) => format!("{}…", line.get(..at).unwrap_or_default()),
        None => line,
    }
}

/// The text on one line, where there is any.
pub(super) fn some_line(text: Option<&str>) -> Option<String> {
    text.map(line).filter(|line| !line.is_empty())
}

/// `: text`, or nothing where there is none.
pub(super) fn after_colon(text: Option<&str>) -> String {
    some_line(text).map_or_else(String::new, |line| format!(": {line}"))
}

/// `1 restart`, `2 restarts`.
pub(super) fn count(number: u32, singular: &str) -> String {
    if number == 1 { format!("1 {singular}") } else { format!("{number} {singular}s") }
}
