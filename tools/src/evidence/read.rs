//! `evidence_read`: lines of one piece of evidence.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_trait::async_trait;
use marple_core::EvidenceId;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::{ChunkExtent, EvidenceError, EvidenceHead, EvidenceLog, extent, lines};
use crate::view::{cut, grouped};
use crate::{Effect, Kept, Look, Output, Tool, ToolError, ToolSpec, arguments};

/// Characters that are given at once.
const PAGE: usize = 6_000;

/// Characters of one line.
const LINE: usize = 3_000;

/// Lines of one piece of evidence.
pub(super) struct Read {
    evidence: Arc<dyn EvidenceLog>,
    spec: ToolSpec,
}

#[derive(Debug, Deserialize, JsonSchema)]
struct Arguments {
    /// As e3.
    id: String,
    /// First line, from 1; -50 begins at the 50th from the end.
    from: Option<i64>,
    /// Last line.
    to: Option<i64>,
}

impl Read {
    pub(super) fn new(evidence: Arc<dyn EvidenceLog>) -> Self {
        let spec = arguments::spec::<Arguments>(
            "evidence_read",
            "Reads lines of evidence that was shown in part.",
            Effect::Read,
        );
        Self { evidence, spec }
    }
}

#[async_trait]
impl Tool for Read {
    fn spec(&self) -> &ToolSpec {
        &self.spec
    }

    async fn call(&self, arguments: Value, _look: &Look) -> Result<Output, ToolError> {
        let Arguments { id, from, to } = arguments::parse(&self.spec.name, arguments)?;
        let (head, layout) = piece(self.evidence.as_ref(), &id).await?;
        let wanted = Stretch::of(head.id, extent(&layout).lines, from.unwrap_or(1), to)?;
        let (content, next) = page(self.evidence.as_ref(), head.id, &layout, &wanted).await?;
        Ok(Output {
            title: wanted.title(&head.title, next),
            object: head.object,
            content,
            kept: Kept::Already(Some(head.id)),
            ..Output::default()
        })
    }
}

/// The piece of that name, and the chunks of its text.
pub(super) async fn piece(log: &dyn EvidenceLog, id: &str) -> Result<(EvidenceHead, Vec<ChunkExtent>), ToolError> {
    let wanted: EvidenceId =
        id.parse().map_err(|error: marple_core::evidence::EvidenceIdError| ToolError::Arguments(error.to_string()))?;
    let heads = log.heads().await?;
    let there_is = match (heads.first(), heads.last()) {
        (Some(first), Some(last)) => format!("there is no evidence {wanted}; there is {} to {}", first.id, last.id),
        _ => format!("there is no evidence {wanted}, nor any other yet; look first"),
    };
    let head = heads.into_iter().find(|head| head.id == wanted);
    match (head, log.layout(wanted).await?) {
        (Some(head), Some(layout)) => Ok((head, layout)),
        _ => Err(ToolError::NotFound(there_is)),
    }
}

/// Lines that are asked for, numbered from 0.
struct Stretch {
    first: u64,
    /// Behind the last one.
    last: u64,
    /// How many there are in all.
    count: u64,
}

impl Stretch {
    fn of(id: EvidenceId, count: u64, from: i64, to: Option<i64>) -> Result<Self, ToolError> {
        let index = |line: i64| {
            let from_end = line.unsigned_abs();
            if line < 0 { count.saturating_sub(from_end) } else { from_end.saturating_sub(1) }
        };
        let first = index(from);
        let last = to.map_or(count, |to| (index(to) + 1).min(count));
        if first >= count && count > 0 {
            return Err(ToolError::Arguments(format!("{id} has {} lines; `from` is {from}", grouped(count))));
        }
        if first >= last && count > 0 {
            return Err(ToolError::Arguments(format!("`to` ({}) is before `from` ({from})", to.unwrap_or_default())));
        }
        Ok(Self { first, last, count })
    }

    /// What is shown of a piece, up to the line `next`.
    fn title(&self, piece: &str, next: u64) -> String {
        let mut title = format!("{piece}: lines {} to {next} of {}", self.first + 1, grouped(self.count));
        if next < self.last {
            title.push_str(&format!(" (it goes on with from={})", next + 1));
        }
        title
    }
}

/// As many of the lines as fit, and the number of the one behind them.
async fn page(
    log: &dyn EvidenceLog,
    id: EvidenceId,
    layout: &[ChunkExtent],
    wanted: &Stretch,
) -> Result<(String, u64), EvidenceError> {
    let mut content = String::new();
    let mut next = wanted.first;
    let add = |number: u64, line: &str| {
        let line = cut(line, LINE);
        if number >= wanted.last || !content.is_empty() && content.len() + line.len() > PAGE {
            return ControlFlow::Break(());
        }
        content.push_str(&line);
        content.push('\n');
        next = number + 1;
        ControlFlow::Continue(())
    };
    lines(log, id, layout, wanted.first, add).await?;
    Ok((content, next))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, missing_docs)]

    use super::super::tests::{kept, look};
    use super::*;
    use serde_json::json;

    async fn read(content: &str, arguments: Value) -> Result<(String, String), String> {
        let tool = Read::new(kept(&[content]).await);
        let output = tool.call(arguments, &look()).await.map_err(|error| error.to_string())?;
        assert_eq!(output.kept, Kept::Already(Some(EvidenceId(1))));
        Ok((output.title, output.content))
    }

    #[tokio::test]
    async fn lines_are_given_from_either_end() {
        let text = (1..=500).map(|line| format!("line {line}\n")).collect::<String>();
        let of = |title: &str, first: i32, last: i32| {
            Ok((format!("log 1: {title} of 500"), (first..=last).map(|line| format!("line {line}\n")).collect()))
        };
        assert_eq!(read(&text, json!({"id": "e1", "from": 10, "to": 12})).await, of("lines 10 to 12", 10, 12));
        assert_eq!(read(&text, json!({"id": "[E1]", "from": -2})).await, of("lines 499 to 500", 499, 500));
        assert_eq!(read(&text, json!({"id": "e1", "from": "499", "to": 900})).await, of("lines 499 to 500", 499, 500));
    }

    #[tokio::test]
    async fn what_does_not_fit_is_told_with_the_way_on() {
        let text = (1..=900).map(|line| format!("{line:099}\n")).collect::<String>();
        let (title, content) = read(&text, json!({"id": "e1"})).await.unwrap();
        assert_eq!(title, "log 1: lines 1 to 60 of 900 (it goes on with from=61)");
        assert_eq!(content.lines().count(), 60);
    }

    #[tokio::test]
    async fn a_wrong_id_or_line_says_what_there_is() {
        let faults = [
            read("a\nb", json!({"id": "e7"})).await,
            read("a\nb", json!({"id": "seven"})).await,
            read("a\nb", json!({"id": "e1", "from": 3})).await,
            read("a\nb", json!({"id": "e1", "from": 2, "to": 1})).await,
        ]
        .map(Result::unwrap_err);
        insta::assert_snapshot!(faults.join("\n"), @r#"
        there is no evidence e7; there is e1 to e1
        an evidence id is `e` and a number, as e12; got "seven"
        e1 has 2 lines; `from` is 3
        `to` (1) is before `from` (2)
        "#);
    }
}
