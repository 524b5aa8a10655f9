//! `evidence_search`: lines that match, in one piece of evidence or in all.

use std::fmt::Write;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use regex::{Regex, RegexBuilder};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::json::Path;
use super::matches::{LINE, Matches};
use super::read::piece;
use super::{EvidenceHead, EvidenceLog, extent, lines};
use crate::view::grouped;
use crate::{Effect, Kept, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Matches that are shown in all, and of one piece where several are searched.
const SHOWN: usize = 40;
const SHOWN_OF_ONE: usize = 12;

/// Values of a piece of which a query may leave few.
const FILTERED: usize = 10_000;

/// The most lines around a match.
const CONTEXT: usize = 10;

/// Lines that match, in one piece of evidence or in all.
pub(super) struct Search {
    evidence: Arc<dyn EvidenceLog>,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// Regular expression, or words on one line; case is ignored.
    query: Option<String>,
    /// `JSONPath` in JSON and YAML, as $..message; with `query`, values that match.
    json_path: Option<String>,
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
        let Arguments { query, json_path, id, context } = arguments::parse(&self.spec.name, arguments)?;
        let log = self.evidence.as_ref();
        let pieces = match id {
            Some(id) => vec![piece(log, &id).await?.0],
            None => log.heads().await?,
        };
        let query = match (query, json_path) {
            (query, Some(path)) => return at_path(log, &Path::new(&path)?, &path, query.as_deref(), &pieces).await,
            (Some(query), None) => query,
            (None, None) => {
                return Err(ToolError::Arguments(format!("{}: give `query` or `json_path`", self.spec.name)));
            }
        };
        let around = usize::try_from(context.unwrap_or(1)).unwrap_or(CONTEXT).min(CONTEXT);
        let found = find(log, &query, &pieces, around).await?;
        let matches: usize = found.iter().map(|(_, found)| found.count()).sum();
        if matches == 0 {
            let names = pieces.iter().map(|piece| piece.id.to_string()).collect::<Vec<_>>().join(", ");
            return Err(ToolError::NotFound(format!(
                "no line matches {query:?} in {}; try fewer or other words",
                if names.is_empty() { "the evidence, for there is none yet" } else { &names }
            )));
        }
        let title = format!(
            "{} in {} for {query:?}",
            count(matches, "match", "matches"),
            count(found.len(), "piece", "pieces")
        );
        let only = match found.as_slice() {
            [(only, _)] => Some(only.id),
            _ => None,
        };
        Ok(Output { title, content: written(&found), kept: Kept::Already(only), ..Output::default() })
    }
}

/// The values at a path, of them those that a query matches.
async fn at_path(
    log: &dyn EvidenceLog,
    path: &Path,
    text: &str,
    query: Option<&str>,
    pieces: &[EvidenceHead],
) -> Result<Output, ToolError> {
    let query = query.map(expression).transpose()?;
    let mut content = String::new();
    let (mut found, mut ids, mut more) = (0, Vec::new(), false);
    for piece in pieces {
        // A query may leave few of many.
        let most = if query.is_some() { FILTERED } else { SHOWN };
        let mut nodes = path.find(log, piece.id, most).await?.unwrap_or_default();
        nodes.retain(|node| query.as_ref().is_none_or(|query| query.is_match(&node.value)));
        if nodes.is_empty() {
            continue;
        }
        if pieces.len() > 1 {
            let _ = writeln!(content, "[{}] {}", piece.id, piece.title);
        }
        let shown = nodes.len().min(SHOWN - found);
        nodes.iter().take(shown).for_each(|node| node.write(&mut content, LINE));
        ids.push(piece.id);
        found += shown;
        more |= shown < nodes.len();
        if found == SHOWN {
            break;
        }
    }
    if found == 0 {
        let wanted = if query.is_some() { "no value that matches stands" } else { "nothing stands" };
        return Err(ToolError::NotFound(format!(
            "{wanted} at {text} in the evidence that is JSON or YAML; look at its form with evidence_read first"
        )));
    }
    if more {
        content.push_str("… there are more; narrow the path …\n");
    }
    let title = format!("{} in {} at {text}", count(found, "value", "values"), count(ids.len(), "piece", "pieces"));
    let kept = Kept::Already(if let [only] = ids.as_slice() { Some(*only) } else { None });
    Ok(Output { title, content, kept, ..Output::default() })
}

/// A regular expression first; where it finds nothing, the words of it on one line in any order. Gives the pieces that
/// have a line that matches.
async fn find<'a>(
    log: &dyn EvidenceLog,
    query: &str,
    pieces: &'a [EvidenceHead],
    context: usize,
) -> Result<Vec<(&'a EvidenceHead, Matches)>, ToolError> {
    let whole = [expression(query)?];
    let words: Result<Vec<Regex>, _> = query.split_whitespace().map(|word| regex(&regex::escape(word))).collect();
    let words = words.unwrap_or_default();
    let (mut of_whole, mut of_words) = (Vec::new(), Vec::new());
    for piece in pieces {
        let layout = log.layout(piece.id).await?.unwrap_or_default();
        let all = extent(&layout).lines;
        let (mut one, mut other) = (Matches::new(SHOWN, context, all), Matches::new(SHOWN, context, all));
        let nothing_yet = of_whole.is_empty();
        let look = |number, line: &str| {
            one.look(number, line, &whole);
            if nothing_yet && one.count() == 0 {
                other.look(number, line, &words);
            }
            ControlFlow::Continue(())
        };
        lines(log, piece.id, &layout, 0, look).await?;
        if one.count() > 0 {
            of_whole.push((piece, one));
        } else if other.count() > 0 {
            of_words.push((piece, other));
        }
    }
    Ok(if of_whole.is_empty() { of_words } else { of_whole })
}

/// A regular expression; one that can't be read stands for its letters.
fn expression(query: &str) -> Result<Regex, ToolError> {
    regex(query)
        .or_else(|_| regex(&regex::escape(query)))
        .map_err(|error| ToolError::Arguments(format!("`query` is no usable expression: {error}")))
}

fn regex(pattern: &str) -> Result<Regex, regex::Error> {
    RegexBuilder::new(pattern).case_insensitive(true).size_limit(1 << 20).build()
}

/// Each piece under its id and title; lines with their number, and `:` where they match.
fn written(found: &[(&EvidenceHead, Matches)]) -> String {
    let mut text = String::new();
    let mut left = SHOWN;
    for (piece, found_in) in found {
        let of_one = if found.len() == 1 { SHOWN } else { SHOWN_OF_ONE };
        let matches = found_in.count();
        let shown = matches.min(of_one).min(left);
        left -= shown;
        let title = if found.len() == 1 { String::new() } else { format!("[{}] {}: ", piece.id, piece.title) };
        let _ = writeln!(text, "{title}{} of {}", count(matches, "line", "lines"), grouped(found_in.of()));
        found_in.write(&mut text, shown);
        if matches > shown {
            let _ = writeln!(
                text,
                "… {} in {}; narrow the query …",
                count(matches - shown, "more match", "more matches"),
                piece.id
            );
        }
    }
    text
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
    async fn values_are_found_by_their_path_in_json_in_yaml_and_in_lines_of_json() {
        let json = r#"{"items":[{"name":"a","ready":true},{"name":"b","ready":false}]}"#;
        let yaml = "status:\n  conditions:\n  - type: Ready\n    status: \"False\"\n    message: no route\n";
        let lines = "2026-01-02T03:04:05Z {\"level\":\"error\",\"message\":\"refused\"}\nplain\n{\"message\":\"ok\"}\n";
        let found = search(&[json, yaml, lines, "no json"], json!({"json_path": "$..message"})).await;
        insta::assert_snapshot!(found, @r"
        3 values in 2 pieces at $..message
        [e2] log 2
        $['status']['conditions'][0]['message']: no route
        [e3] log 3
        1: refused
        3: ok
        ");
        let unready = search(&[json], json!({"json_path": "$.items[?@.ready == false].name"})).await;
        assert_eq!(unready, "1 value in 1 piece at $.items[?@.ready == false].name\n$['items'][1]['name']: b\n");
        let both = search(&[lines], json!({"json_path": "message", "query": "REF"})).await;
        assert_eq!(both, "1 value in 1 piece at message\n1: refused\n");
    }

    #[tokio::test]
    async fn a_wrong_path_or_neither_path_nor_query_is_told() {
        let wrong = search(&["{}"], json!({"json_path": "$.[["})).await;
        assert!(wrong.starts_with("`json_path` is no JSONPath: "), "{wrong}");
        assert_eq!(search(&["{}"], json!({})).await, "evidence_search: give `query` or `json_path`");
        assert_eq!(
            search(&["{\"a\": 1}"], json!({"json_path": "$.b"})).await,
            "nothing stands at $.b in the evidence that is JSON or YAML; look at its form with evidence_read first"
        );
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(search(&[&deep], json!({"json_path": "$..a"})).await.starts_with("nothing stands"));
        let many = (0..200).map(|n| format!("{{\"n\": {n}}}\n")).collect::<String>();
        let many = search(&[&many], json!({"json_path": "$.n"})).await;
        assert!(many.ends_with("40: 39\n… there are more; narrow the path …\n"), "{many}");
    }

    #[tokio::test]
    async fn nothing_found_says_where_it_was_looked_for() {
        assert_eq!(
            search(&["a", "b"], json!({"query": "zzz"})).await,
            "no line matches \"zzz\" in e1, e2; try fewer or other words"
        );
    }
}
