//! What a look returned.

use std::fmt;
use std::ops::AddAssign;
use std::str::FromStr;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ObjectRef;

/// Names a piece of evidence within its incident, as `e12`: short, for models pay by the token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct EvidenceId(pub u32);

/// A text that is not `e` and a number.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an evidence id is `e` and a number, as e12; got {0:?}")]
pub struct EvidenceIdError(String);

impl EvidenceId {
    /// Those that a text names, as words of it, in brackets or not.
    pub fn named_in(text: &str) -> impl Iterator<Item = Self> {
        text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter_map(|word| word.parse().ok())
    }
}

impl fmt::Display for EvidenceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "e{}", self.0)
    }
}

impl FromStr for EvidenceId {
    type Err = EvidenceIdError;

    /// Reads `e12`, and `E12` or `[e12]` as models write it.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.trim()
            .trim_matches(['[', ']'])
            .strip_prefix(['e', 'E'])
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .map(Self)
            .ok_or_else(|| EvidenceIdError(text.chars().take(40).collect()))
    }
}

impl From<EvidenceId> for String {
    fn from(id: EvidenceId) -> Self {
        id.to_string()
    }
}

impl TryFrom<String> for EvidenceId {
    type Error = EvidenceIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// Who looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceOrigin {
    /// Read when the incident opened, because it would not last or the rules needed it.
    Capture,
    /// A look of the agent, or of a person in chat.
    Look,
}

/// How much text there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// In bytes.
    pub bytes: u64,
    /// In lines, one that has not ended among them.
    pub lines: u64,
}

impl fmt::Display for Extent {
    /// As `1,234 lines with 56,789 bytes`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lines = if self.lines == 1 { "line" } else { "lines" };
        write!(formatter, "{} {lines} with {} bytes", grouped(self.lines), grouped(self.bytes))
    }
}

impl AddAssign for Extent {
    fn add_assign(&mut self, more: Self) {
        self.bytes += more.bytes;
        self.lines += more.lines;
    }
}

/// A number with its thousands apart, as `1,234`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> =
        digits.as_bytes().rchunks(3).rev().filter_map(|group| std::str::from_utf8(group).ok()).collect();
    groups.join(",")
}

/// What a look returned, redacted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Its name within the incident.
    pub id: EvidenceId,
    /// Who looked.
    pub origin: EvidenceOrigin,
    /// What was looked at, in one line for people, as `logs of Pod shop/cart-1 container app, previous`.
    pub title: String,
    /// The object that it shows, where it is one.
    pub object: Option<ObjectRef>,
    /// When it was read.
    pub taken_at: Timestamp,
    /// The whole text, or as much of its beginning as is held at once: at most [`Evidence::HELD`] bytes.
    pub content: String,
    /// How much of the text goes on behind `content`; the store has that too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rest: Option<Extent>,
    /// The bounded view that the model was given, where it isn't the whole text.
    pub view: Option<String>,
}

impl Evidence {
    /// How much of a text is held at once, in bytes: 8 MiB. A container's log as kubelets rotate it by default has 10 MiB.
    pub const HELD: usize = 8 << 20;

    /// What a reader with little room is given: the view, else the whole.
    pub fn shown(&self) -> &str {
        self.view.as_deref().unwrap_or(&self.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_is_told_in_words() {
        let told = |lines, bytes| Extent { bytes, lines }.to_string();
        assert_eq!(told(1, 12), "1 line with 12 bytes");
        assert_eq!(told(1_234, 56_789_012), "1,234 lines with 56,789,012 bytes");
    }
}
