//! A case: what is asked about a recorded incident, and what a right answer says.
//!
//! `case.yaml` lies beside its bundle. It is read strictly: a case that says something else than was meant would measure
//! something else. Its schema is published as docs/schemas/case.schema.json.

mod ask;
mod cause;
mod draft;
mod error;
mod name;
mod pattern;
mod read;
mod suite;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use marple_core::Verdict;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use ask::{Ask, AskError, Asked};
pub use cause::{AcceptedCause, AcceptedObject};
pub use draft::{Draft, DraftError};
pub use error::CaseError;
pub use name::NamePattern;
pub use pattern::Pattern;
pub(crate) use read::read;
pub use suite::{BUNDLE_FILE, CASE_FILE, Suite, SuiteCase};

/// What is asked about a recorded incident, and what a right answer says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "case of marple eval")]
pub struct Case {
    /// One line for people, shown in reports. No investigator is given it.
    pub title: String,
    /// What an investigator is asked.
    pub ask: Ask,
    /// What is right to say.
    pub verdict: Verdict,
    /// The causes of which any one is right; of a fault at least one, else none.
    #[serde(default)]
    pub causes: Vec<AcceptedCause>,
    /// What an answer has to say.
    #[serde(default)]
    pub must: Vec<Saying>,
    /// What an answer may not claim.
    #[serde(default)]
    pub must_not: Vec<Saying>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<Saying>,
    /// How hard it is for somebody who knows Kubernetes.
    pub difficulty: Difficulty,
    /// How many links there are from the symptom to the cause.
    #[serde(default)]
    pub hops: u32,
    /// What is special about it.
    #[serde(default)]
    pub tags: BTreeSet<Tag>,
    /// What an investigator may neither be given nor say: secrets that the recording holds, as regular expressions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<Pattern>,
}

/// Something that is said in one of several ways.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Saying {
    /// What is meant, for people and for a model that judges.
    pub means: String,
    /// The ways to say it, as regular expressions: one that is found is enough.
    #[schemars(length(min = 1))]
    pub any: Vec<Pattern>,
}

/// How hard a case is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Difficulty {
    /// The first look shows it.
    Easy,
    /// Several looks, put together.
    Medium,
    /// What is seen first leads astray, or the way is long.
    Hard,
}

/// What is special about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Tag {
    /// Something looks like the cause and isn't.
    RedHerring,
    /// Many alerts of one cause.
    Storm,
    /// Logs say something else than what is so.
    MisleadingLogs,
    /// Something in the cluster tries to give orders to whoever reads it.
    Injection,
    /// There are secrets where they should not be.
    Secret,
    /// Symptom and cause are in different namespaces.
    MultiNamespace,
    /// A change caused it.
    ChangeCaused,
    /// Something changed shortly before that did not cause it.
    ChangeInnocent,
    /// Nothing is broken.
    NoFault,
}

impl Saying {
    /// Whether a text says it.
    pub fn is_in(&self, text: &str) -> bool {
        self.any.iter().any(|pattern| pattern.is_in(text))
    }
}

impl Difficulty {
    /// In one word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}
