//! What a look returned.

use std::fmt;
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

/// What a look returned, whole and redacted.
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
    /// The whole text.
    pub content: String,
    /// The bounded view that the model was given, where it isn't the whole text.
    pub view: Option<String>,
}

impl Evidence {
    /// What a reader with little room is given: the view, else the whole.
    pub fn shown(&self) -> &str {
        self.view.as_deref().unwrap_or(&self.content)
    }
}
