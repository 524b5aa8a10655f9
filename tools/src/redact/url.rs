//! Credentials in URLs.

use super::value::is_reference;
use super::{Source, Span};

/// The password in `scheme://user:password@host`, and how far was read; `at` is the colon after the scheme.
pub(super) fn credentials(source: &Source<'_>, at: usize) -> (Option<Span>, usize) {
    let start = at + 3;
    let end = source.reach.url.end(start, || source.skip(start, in_url));
    (within(source, at, start, end), end)
}

/// Whether the letter may stand in a URL within a text.
const fn in_url(byte: u8) -> bool {
    !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`')
}

fn within(source: &Source<'_>, at: usize, start: usize, end: usize) -> Option<Span> {
    let scheme = source.skip_back(at, 20, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
    if scheme == at {
        return None;
    }
    let whole = source.slice(start, end);
    let authority = whole.find(['/', '?', '#']).map_or(whole, |cut| whole.get(..cut).unwrap_or_default());
    // Unescaped, a password may itself have the letters that end an authority.
    let userinfo = if let Some(cut) = authority.rfind('@') {
        whole.get(..cut)?
    } else {
        let (_, after) = authority.split_once(':')?;
        // Of the web, a number is a port and an `@` in a path is usual; of a database, neither.
        let web = ["http", "https", "ws", "wss"].contains(&source.slice(scheme, at));
        let port = !after.is_empty() && after.bytes().all(|byte| byte.is_ascii_digit());
        if port && web || after.starts_with('{') || whole.starts_with('[') {
            return None;
        }
        let query = source.reach.query.end(start, || source.skip(start, |byte| byte != b'?' && in_url(byte)));
        source.slice(start, source.last_at_sign(start, query)?)
    };
    password(source, start, userinfo)
}

/// The password in `user:password@tcp(host:3306)/name`, as Go's drivers take it; `at` is the `@`.
pub(super) fn driver(source: &Source<'_>, at: usize) -> Option<Span> {
    let start = source.skip_back(at, 200, |byte| {
        !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\'' | b'`' | b'=' | b'<' | b'>' | b'(')
    });
    let userinfo = source.slice(start, at);
    if userinfo.contains("://") { None } else { password(source, start, userinfo) }
}

/// The password after ` -u user:` of `curl` and its like; `at` is where the user begins.
pub(super) fn command_line(source: &Source<'_>, at: usize) -> Option<Span> {
    let start = source.skip(at, |byte| matches!(byte, b'"' | b'\''));
    let end = source.skip(start, |byte| !byte.is_ascii_whitespace() && !matches!(byte, b'"' | b'\''));
    let text = source.slice(start, end);
    // To other programs it is a user and a group.
    if !source.is_line_of(at, &["curl", "http"]) || text.starts_with('/') || text.contains("://") {
        return None;
    }
    password(source, start, text)
}

fn password(source: &Source<'_>, start: usize, userinfo: &str) -> Option<Span> {
    let (user, password) = userinfo.split_once(':')?;
    let from = start + user.len() + 1;
    let plain = source.slice(from, from + password.len());
    (!plain.is_empty() && !is_reference(source, from, from + plain.len()))
        .then(|| Span::new(from, from + plain.len(), "password"))
}
