//! The words of an expression.

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Name(String),
    Text(String),
    Int(i64),
    Float(f64),
    /// An operator or bracket.
    Sign(&'static str),
}

/// The longest first, so that `<=` is not read as `<`.
const SIGNS: [&str; 26] = [
    "&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*", "/", "%", "(", ")", "[", "]", ".", ",", "?", ":",
    "{", "}", "=", "&",
];

/// The words, each with the place in the text at which it begins.
pub(super) fn words(text: &str) -> Result<Vec<(usize, Word)>, String> {
    let mut words = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(letter) = rest.chars().next() else { break };
        if letter.is_whitespace() {
            at += letter.len_utf8();
            continue;
        }
        let raw = rest.starts_with(['r', 'R']) && rest.get(1..).is_some_and(|rest| rest.starts_with(['"', '\'']));
        let (word, length) = if raw || matches!(letter, '"' | '\'') {
            quoted(rest, raw).ok_or_else(|| format!("the text that begins at letter {} does not end", at + 1))?
        } else if letter.is_ascii_digit() {
            number(rest).ok_or_else(|| format!("the number at letter {} can't be read", at + 1))?
        } else if letter.is_alphabetic() || letter == '_' {
            let length = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            (Word::Name(rest.get(..length).unwrap_or_default().to_owned()), length)
        } else {
            let sign = SIGNS.iter().find(|sign| rest.starts_with(**sign));
            let sign = sign.ok_or_else(|| format!("{letter:?} at letter {} means nothing in CEL", at + 1))?;
            (Word::Sign(sign), sign.len())
        };
        words.push((at, word));
        at += length;
    }
    Ok(words)
}

/// A text in quotes, and how long it is with them.
fn quoted(rest: &str, raw: bool) -> Option<(Word, usize)> {
    let begin = usize::from(raw);
    let quote = rest.get(begin..)?.chars().next()?;
    let mut text = String::new();
    let mut letters = rest.get(begin + 1..)?.char_indices();
    while let Some((place, letter)) = letters.next() {
        if letter == quote {
            return Some((Word::Text(text), begin + 1 + place + 1));
        }
        if letter != '\\' || raw {
            text.push(letter);
            continue;
        }
        match letters.next()?.1 {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            // A pattern is often written with one backslash where CEL wants two.
            letter @ ('\\' | '"' | '\'' | '`') => text.push(letter),
            other => text.extend(['\\', other]),
        }
    }
    None
}

fn number(rest: &str) -> Option<(Word, usize)> {
    let digits = |from: usize| {
        let rest = rest.get(from..).unwrap_or_default();
        rest.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(rest.len())
    };
    let whole = digits(0);
    let fraction = if rest.get(whole..)?.starts_with('.') { digits(whole + 1) } else { 0 };
    if fraction > 0 {
        let length = whole + 1 + fraction;
        return rest.get(..length)?.parse().ok().map(|number| (Word::Float(number), length));
    }
    rest.get(..whole)?.parse().ok().map(|number| (Word::Int(number), whole))
}
