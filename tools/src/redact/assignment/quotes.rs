//! A value in quotes.

use crate::redact::Source;

/// The farthest that a value reaches.
const LONGEST: usize = 64 << 10;

/// What is in the quotes that begin there, also escaped ones: start, end, and where it goes on after them. Without an end
/// on the line, it is the rest of that.
pub(in crate::redact) fn quoted(source: &Source<'_>, at: usize) -> Option<(usize, usize, usize)> {
    let depth = source.skip(at, |byte| byte == b'\\') - at;
    let quote = source.at(at + depth).filter(|byte| matches!(byte, b'"' | b'\'' | b'`'))?;
    let start = at + depth + 1;
    let limit = source.cut(start, LONGEST);
    let mut slashes = 0;
    // Of single quotes that stand together, whether an odd number stood before.
    let mut odd = false;
    for index in start..limit {
        match source.at(index) {
            Some(b'\\') => slashes += 1,
            Some(b'\n') => {
                let end = source.line_end(index.saturating_sub(1).max(start));
                return Some((start, end, end));
            }
            Some(byte) if byte == quote => {
                // Single quotes have no escapes; doubled they stand for one, in YAML and SQL.
                let doubled = quote == b'\'' && depth == 0 && source.at(index + 1) == Some(b'\'') && index > start;
                let ends = match quote {
                    b'"' => slashes == depth || depth == 0 && slashes % 2 == 0,
                    _ => !doubled && !odd,
                };
                if ends {
                    return Some((start, index - if quote == b'"' { depth.min(slashes) } else { 0 }, index + 1));
                }
                slashes = 0;
                odd = !odd && quote == b'\'';
                continue;
            }
            _ => slashes = 0,
        }
        odd = false;
    }
    Some((start, limit, limit))
}
