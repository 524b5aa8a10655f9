//! The words of a `LogQL` query.

use super::Failure;

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A name, or a duration.
    Word(String),
    /// What stood in quotes.
    Text(String),
    /// `{`, `}`, `(`, `)`, `[`, `]`, `,` and the operators.
    Sign(&'static str),
}

/// The longer before those that they begin with.
const SIGNS: [&str; 15] = ["|=", "|~", "!=", "!~", "=~", "==", "{", "}", "(", ")", "[", "]", ",", "=", "|"];

/// The words of a query, in their order.
pub(super) fn tokens(query: &str) -> Result<Vec<Token>, Failure> {
    let mut tokens = Vec::new();
    let mut rest = query.trim_start();
    while let Some(first) = rest.chars().next() {
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push(Token::Sign(sign));
            rest = rest.get(sign.len()..).unwrap_or_default();
        } else if matches!(first, '"' | '`') {
            let (text, after) = quoted(rest, first)?;
            tokens.push(Token::Text(text));
            rest = after;
        } else {
            let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            if word.is_empty() {
                return Err(Failure(format!("parse error: unexpected {first:?} in {query:?}\n")));
            }
            tokens.push(Token::Word(word.to_owned()));
            rest = after;
        }
        rest = rest.trim_start();
    }
    Ok(tokens)
}

/// A text in quotes at the start, as Go writes it, and what stands after.
fn quoted(text: &str, quote: char) -> Result<(String, &str), Failure> {
    let mut out = String::new();
    let mut letters = text.char_indices().skip(1);
    while let Some((at, letter)) = letters.next() {
        match letter {
            letter if letter == quote => {
                return Ok((out, text.get(at + 1..).unwrap_or_default()));
            }
            '\\' if quote == '"' => {
                let escaped = letters.next().map(|(_, letter)| letter);
                let digits = |count: usize, letters: &mut dyn Iterator<Item = (usize, char)>| {
                    let digits: String = letters.take(count).map(|(_, letter)| letter).collect();
                    u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32)
                };
                let letter = match escaped {
                    Some('n') => Some('\n'),
                    Some('t') => Some('\t'),
                    Some('r') => Some('\r'),
                    Some('a') => Some('\u{7}'),
                    Some('b') => Some('\u{8}'),
                    Some('f') => Some('\u{c}'),
                    Some('v') => Some('\u{b}'),
                    Some('x') => digits(2, &mut letters),
                    Some('u') => digits(4, &mut letters),
                    Some('U') => digits(8, &mut letters),
                    Some(letter @ ('\\' | '"' | '\'')) => Some(letter),
                    _ => None,
                };
                out.push(letter.ok_or_else(|| Failure("parse error: invalid char escape\n".to_owned()))?);
            }
            letter => out.push(letter),
        }
    }
    Err(Failure("parse error: literal not terminated\n".to_owned()))
}
