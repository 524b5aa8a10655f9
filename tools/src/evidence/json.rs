//! Values in evidence that is JSON or YAML, by their path.

use std::fmt::Write;
use std::ops::ControlFlow;

use jsonpath_rust::parser::model::JpQuery;
use jsonpath_rust::parser::parse_json_path;
use jsonpath_rust::query::js_path_process;
use marple_core::EvidenceId;
use serde_json::Value;

use super::{EvidenceError, EvidenceLog, extent, lines};
use crate::ToolError;

/// The longest text that is read as one document: larger ones are logs, and read by the line.
const DOCUMENT: u64 = 2 << 20;

/// The most nested that a document may be.
const DEPTH: usize = 64;

/// The longest path.
const PATH: usize = 400;

/// How often a path may descend with `..`: each time all that lies below is gone through for all that was found.
const DESCENTS: usize = 2;

/// A path as RFC 9535 has it.
pub(super) struct Path(JpQuery);

/// A value that was found.
pub(super) struct Node {
    /// The line that it stands on, from 1, where each line is a document.
    pub(super) line: Option<u64>,
    /// Where it stands, as `$['status']['phase']`.
    pub(super) path: String,
    /// The value: a text as it is, all else as JSON.
    pub(super) value: String,
}

impl Path {
    /// Reads a path, also one that begins without `$`.
    pub(super) fn new(path: &str) -> Result<Self, ToolError> {
        let fault =
            |why: String| ToolError::Arguments(format!("`json_path` is no JSONPath: {why}; write as $..message"));
        let trimmed = path.trim();
        if trimmed.len() > PATH {
            return Err(fault(format!("it has {} letters; at most {PATH} are read", trimmed.len())));
        }
        if trimmed.matches("..").count() > DESCENTS {
            return Err(fault(format!("it has more than {DESCENTS} `..`")));
        }
        let rooted = match trimmed.chars().next() {
            Some('$') => trimmed.to_owned(),
            Some('.' | '[') => format!("${trimmed}"),
            _ => format!("$.{trimmed}"),
        };
        parse_json_path(&rooted)
            .map(Self)
            .map_err(|error| fault(error.to_string().lines().last().unwrap_or_default().trim().to_owned()))
    }

    /// The values at the path, at most so many and one more; nothing where the evidence is neither JSON nor YAML.
    pub(super) async fn find(
        &self,
        log: &dyn EvidenceLog,
        id: EvidenceId,
        most: usize,
    ) -> Result<Option<Vec<Node>>, EvidenceError> {
        let layout = log.layout(id).await?.unwrap_or_default();
        if extent(&layout).bytes <= DOCUMENT {
            let mut text = String::new();
            for number in 0..layout.len() {
                text += &log.chunk(id, number).await?;
            }
            if let Some(document) = document(&text) {
                return Ok(Some(self.nodes(&document, None, most)));
            }
        }
        let mut nodes = Vec::new();
        let mut documents = 0;
        lines(log, id, &layout, 0, |number, line| {
            let Some(document) = line_of_json(line) else { return ControlFlow::Continue(()) };
            documents += 1;
            nodes.extend(self.nodes(&document, Some(number + 1), most.saturating_sub(nodes.len()) + 1));
            if nodes.len() > most { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })
        .await?;
        Ok((documents > 0).then_some(nodes))
    }

    fn nodes(&self, document: &Value, line: Option<u64>, most: usize) -> Vec<Node> {
        // What can't be compared, a path finds nothing in.
        let found = js_path_process(&self.0, document).unwrap_or_default();
        let node = |found: jsonpath_rust::query::QueryRef<'_, Value>| Node {
            line,
            path: found.clone().path(),
            value: match found.val() {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            },
        };
        found.into_iter().take(most + 1).map(node).collect()
    }
}

/// The whole text as one document: JSON, else YAML that is more than a word.
fn document(text: &str) -> Option<Value> {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok().or_else(|| serde_saphyr::from_str(text).ok());
    read(text).filter(|value| (value.is_object() || value.is_array()) && depth(value) <= DEPTH)
}

/// The document that a line is, also behind a time as kubelets write it.
fn line_of_json(line: &str) -> Option<Value> {
    let start = line.find('{')?;
    let value: Value = serde_json::from_str(line.get(start..)?.trim_end()).ok()?;
    (depth(&value) <= DEPTH).then_some(value)
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(values) => 1 + values.iter().map(depth).max().unwrap_or_default(),
        Value::Object(fields) => 1 + fields.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

impl Node {
    /// In one line: where, and what, of which at most so many letters.
    pub(super) fn write(&self, into: &mut String, letters: usize) {
        let value = self.value.replace('\n', "\\n");
        let shown = value.get(..value.floor_char_boundary(letters)).unwrap_or_default();
        let rest = if shown.len() < value.len() { " …" } else { "" };
        // Writing to a string can't fail.
        let _ = match self.line {
            Some(line) => writeln!(into, "{line}: {shown}{rest}"),
            None => writeln!(into, "{}: {shown}{rest}", self.path),
        };
    }
}
