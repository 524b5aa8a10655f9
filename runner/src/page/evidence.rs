//! One piece of evidence.

use marple_core::{Evidence, Incident};
use maud::{Markup, html};

use super::{page, time};
use crate::render::{clean, one_line};

/// The page of a piece of evidence, with the words marked that are quoted of it. `query` is what links carry on.
pub fn evidence(incident: &Incident, evidence: &Evidence, quotes: &[&str], query: &str) -> String {
    let back = if query.is_empty() { String::new() } else { format!("?{query}") };
    let title = one_line(&evidence.title);
    let body = html! {
        p { a href=(format!("../../{}{back}", incident.id)) { "← " (one_line(&incident.title)) } }
        h1 { (evidence.id) " · " (title) }
        p.facts { "read " (time(evidence.taken_at)) " · redacted" }
        pre.whole { (marked(&clean(&evidence.content), quotes)) }
        @if let Some(rest) = evidence.rest {
            p.facts { "… " (rest) " more are kept: "
                code { "GET /api/incidents/" (incident.id) "/evidence/" (evidence.id) "/text" } " gives the whole text" }
        }
    };
    page(&title, &body)
}

/// The text with the first place of each quote marked, the first of all by a name that links lead to.
fn marked(text: &str, quotes: &[&str]) -> Markup {
    let mut places: Vec<(usize, usize)> = quotes.iter().filter_map(|quote| place(text, quote)).collect();
    places.sort_unstable();
    let mut at = 0;
    let mut parts = Vec::new();
    for (start, end) in places {
        if let (true, Some(before), Some(quoted)) = (start >= at, text.get(at..start), text.get(start..end)) {
            parts.push((before, quoted));
            at = end;
        }
    }
    html! {
        @for (number, (before, quoted)) in parts.iter().enumerate() {
            (before)
            @if number == 0 { mark id="quote" { (quoted) } } @else { mark { (quoted) } }
        }
        (text.get(at..).unwrap_or_default())
    }
}

/// Where a quote stands: all of it, else its longest line, for white space may differ.
fn place(text: &str, quote: &str) -> Option<(usize, usize)> {
    let quote = clean(quote);
    let longest = quote.lines().map(str::trim).max_by_key(|line| line.len());
    [Some(quote.trim()), longest]
        .into_iter()
        .flatten()
        .filter(|words| !words.is_empty())
        .find_map(|words| text.find(words).map(|start| (start, start + words.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_are_marked_once_and_all_else_is_escaped() {
        let text = "<b>one</b>\n  reason: OOMKilled\nlast";
        let page = marked(text, &["reason:  OOMKilled", "last", "<b>one", "gone"]).into_string();
        assert_eq!(page, "<mark id=\"quote\">&lt;b&gt;one</mark>&lt;/b&gt;\n  reason: OOMKilled\n<mark>last</mark>");
        let lines = marked(text, &["x\n   reason: OOMKilled"]).into_string();
        assert!(lines.contains("  <mark id=\"quote\">reason: OOMKilled</mark>\n"), "{lines}");
    }
}
