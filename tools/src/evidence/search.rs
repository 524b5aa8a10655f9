//! `evidence_search`: lines that match, in one piece of evidence or in all.

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use marple_core::{Evidence, EvidenceId};
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::EvidenceLog;
use super::read::piece;
use crate::view::grouped;
use crate::{Effect, Kept, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Matches that are shown in all, and of one piece where several are searched.
const SHOWN: usize = 40;
const SHOWN_OF_ONE: usize = 12;

/// Letters of a line that are shown.
const LINE: usize = 400;

/// The most lines around a match.
const CONTEXT: usize = 10;

/// Lines that match, in one piece of evidence or in all.
pub(super) struct Search {
    evidence: Arc<dyn EvidenceLog>,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Regular expression, or words that stand on one line; case is ignored.
    query: String,
    /// Only in this, as e3.
    id: Option<String>,
    /// Lines shown around each match (1).
    context: Option<u32>,
}

impl Search {
    pub(super) fn new(evidence: Arc<dyn EvidenceLog>) -> Self {
        let spec = arguments::spec::<Arguments>(
            "evidence_search",
            "Searches the whole of all evidence, also what was left out when it was shown.",
            Effect::Read,
        );
        Self { evidence, spec }
    }
}

#[async_trait]
impl Tool for Search {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        let Arguments { query, id, context } = arguments::parse(&self.spec.name, arguments)?;
        let pieces = match id {
            Some(id) => vec![piece(self.evidence.as_ref(), &id).await?],
            None => self.evidence.all().await.map_err(|error| ToolError::Backend(error.to_string()))?,
        };
        let around = usize::try_from(context.unwrap_or(1)).unwrap_or(CONTEXT).min(CONTEXT);
        let found = find(&query, &pieces)?;
        let ids: Vec<EvidenceId> = found.iter().map(|found| found.piece.id).collect();
        let content = written(&found, around);
        let matches: usize = found.iter().map(|found| found.lines.len()).sum();
        if matches == 0 {
            let names = pieces.iter().map(|piece| piece.id.to_string()).collect::<Vec<_>>().join(", ");
            return Err(ToolError::NotFound(format!(
                "no line matches {query:?} in {}; try fewer or other words",
                if names.is_empty() { "the evidence, for there is none yet" } else { &names }
            )));
        }
        let title =
            format!("{} in {} for {query:?}", count(matches, "match", "matches"), count(ids.len(), "piece", "pieces"));
        let only = match ids.as_slice() {
            [only] => Some(*only),
            _ => None,
        };
        Ok(Output { title, content, kept: Kept::Already(only), ..Output::default() })
    }
}

/// The lines of one piece that match, by their number from 0, each with the part that does.
struct Found<'a> {
    piece: &'a Evidence,
    lines: Vec<(usize, Range<usize>)>,
}

/// A regular expression first; where it finds nothing, the words of it on one line in any order.
fn find<'a>(query: &str, pieces: &'a [Evidence]) -> Result<Vec<Found<'a>>, ToolError> {
    let regex = |pattern: &str| RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build();
    let whole = regex(query).or_else(|_| regex(&regex::escape(query)));
    let whole = whole.map_err(|error| ToolError::Arguments(format!("`query` is no usable expression: {error}")))?;
    let found = matching(pieces, &[whole]);
    if !found.is_empty() {
        return Ok(found);
    }
    let words: Result<Vec<Regex>, _> = query.split_whitespace().map(|word| regex(&regex::escape(word))).collect();
    Ok(words.map(|words| matching(pieces, &words)).unwrap_or_default())
}

fn matching<'a>(pieces: &'a [Evidence], all_of: &[Regex]) -> Vec<Found<'a>> {
    let Some((first, rest)) = all_of.split_first() else { return Vec::new() };
    let line = |(number, line): (usize, &str)| {
        let part = first.find(line)?;
        rest.iter().all(|word| word.is_match(line)).then(|| (number, part.range()))
    };
    pieces
        .iter()
        .map(|piece| Found { piece, lines: piece.content.lines().enumerate().filter_map(line).collect() })
        .filter(|found| !found.lines.is_empty())
        .collect()
}

/// Each piece under its id and title; lines with their number, and `:` where they match.
fn written(found: &[Found<'_>], context: usize) -> String {
    let mut text = String::new();
    let mut left = SHOWN;
    for Found { piece, lines } in found {
        let all: Vec<&str> = piece.content.lines().collect();
        let of_one = if found.len() == 1 { SHOWN } else { SHOWN_OF_ONE };
        let shown = lines.len().min(of_one).min(left);
        left -= shown;
        let title = if found.len() == 1 { String::new() } else { format!("[{}] {}: ", piece.id, piece.title) };
        let _ = writeln!(text, "{title}{} of {}", count(lines.len(), "line", "lines"), grouped(all.len()));
        let mut next = 0;
        for (number, part) in lines.iter().take(shown) {
            let from = number.saturating_sub(context).max(next);
            if next > 0 && from > next {
                text.push_str("--\n");
            }
            for index in from..=(number + context).min(all.len().saturating_sub(1)) {
                let is_match = lines.iter().any(|(line, _)| *line == index);
                // A later match shows itself, with its own part of the line.
                if is_match && index > *number {
                    break;
                }
                let Some(line) = all.get(index) else { break };
                let (mark, line) =
                    if index == *number { (':', around(line, part)) } else { ('-', around(line, &(0..0))) };
                let _ = writeln!(text, "{}{mark} {line}", index + 1);
                next = index + 1;
            }
        }
        if lines.len() > shown {
            let _ = writeln!(
                text,
                "… {} in {}; narrow the query …",
                count(lines.len() - shown, "more match", "more matches"),
                piece.id
            );
        }
    }
    text
}

/// The line, or as much of it around the match as is shown.
fn around(line: &str, part: &Range<usize>) -> String {
    if line.len() <= LINE {
        return line.to_owned();
    }
    let start = line.floor_char_boundary(part.start.saturating_sub(LINE / 4));
    let end = line.ceil_char_boundary((start + LINE).min(line.len()));
    let shown = line.get(start..end).unwrap_or_default();
    let (before, after) = (if start > 0 { "… " } else { "" }, if end < line.len() { " …" } else { "" });
    format!("{before}{shown}{after}")
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::super::tests::{kept, look};
    use super::*;
    use serde_json::json;

    async fn search(contents: &[&str], arguments: Value) -> String {
        let tool = Search::new(kept(contents).await);
        match tool.call(arguments, &look()).await {
            Ok(output) => {
                assert!(matches!(output.kept, Kept::Already(_)));
                format!("{}\n{}", output.title, output.content)
            }
            Err(error) => error.to_string(),
        }
    }

    #[tokio::test]
    async fn matches_of_all_evidence_are_shown_with_numbers_and_context() {
        let first = "start\nconnect db\nERROR refused by db\nretry\nretry\nretry\nERROR refused again\n";
        let found = search(&[first, "nothing here", "error: refused"], json!({"query": "error.*refused"})).await;
        insta::assert_snapshot!(found, @r#"
        3 matches in 2 pieces for "error.*refused"
        [e1] log 1: 2 lines of 7
        2- connect db
        3: ERROR refused by db
        4- retry
        --
        6- retry
        7: ERROR refused again
        [e3] log 3: 1 line of 1
        1: error: refused
        "#);
    }

    #[tokio::test]
    async fn words_are_found_on_one_line_in_any_order_and_a_broken_expression_is_taken_as_it_is() {
        let text = "the db refused it\nrefused by the db\ncall(\n";
        assert!(search(&[text], json!({"query": "refused db"})).await.starts_with("2 matches in 1 piece"));
        assert!(search(&[text], json!({"query": "call(", "context": 0})).await.ends_with("\n1 line of 3\n3: call(\n"));
    }

    #[tokio::test]
    async fn a_match_deep_in_a_long_line_is_shown() {
        let text = format!("{}needle{}", "ä".repeat(50_000), "ö".repeat(50_000));
        let found = search(&[&text], json!({"query": "needle"})).await;
        assert!(found.contains("needle") && found.len() < 600, "{found}");
    }

    #[tokio::test]
    async fn many_matches_are_counted_and_not_shown() {
        let found = search(&[&"error\n".repeat(1_000)], json!({"query": "error", "context": 3})).await;
        assert!(found.contains("1,000 matches in 1 piece"), "{found}");
        assert!(found.ends_with("40: error\n… 960 more matches in e1; narrow the query …\n"), "{found}");
        assert_eq!(found.lines().count(), 43);
    }

    #[tokio::test]
    async fn nothing_found_says_where_it_was_looked_for() {
        assert_eq!(
            search(&["a", "b"], json!({"query": "zzz"})).await,
            "no line matches \"zzz\" in e1, e2; try fewer or other words"
        );
    }
}
