//! How far was read under a name to no avail.

use super::beside::joins;
use super::closes;
use crate::redact::Source;
use crate::redact::quiet::REACH;

/// Whether the value of the name that stands there, which is no secret, stands beside it on a short line, so that no more
/// than that was read. Or whether it has none, and the lines around it are short.
pub(in crate::redact) fn is_near(source: &Source<'_>, start: usize, end: usize) -> bool {
    let closed = source.skip(end, closes);
    let at = source.skip_blanks(closed);
    if !matches!(source.at(at), Some(b':' | b'=')) {
        return is_beside_nothing(source, start, closed);
    }
    let value = source.skip(at, |byte| matches!(byte, b':' | b'=' | b'>' | b' ' | b'\t'));
    // Lists, blocks and what stands below reach further.
    !matches!(source.at(value), None | Some(b'\n' | b'\r' | b'[' | b'{' | b'|' | b'>'))
        && start - source.line_start_within(start, REACH) < REACH
        && source.line_feed_within(value, REACH) - start < REACH
}

/// Whether a name that is no argument has no value in quotes or on the next line; all that was read is near by.
fn is_beside_nothing(source: &Source<'_>, start: usize, closed: usize) -> bool {
    let next = source.skip_at_most(closed, REACH, joins);
    let line = source.line_start_within(start, REACH);
    let line_before = source.line_start_within(line.saturating_sub(1), REACH);
    let quoted = matches!(source.at(source.skip_blanks(closed)), Some(b'"' | b'\'' | b'`' | b'\\'));
    let value = source.has(next, "value") && !source.has(next, "valueFrom");
    !quoted && !value && source.before(start) != Some(b'-') && start - line_before < REACH && next - start < REACH
}
