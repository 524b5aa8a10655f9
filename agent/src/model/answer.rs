//! What a model answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Aside, Prices, Usage};

/// Why a model stopped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    /// It had said all.
    #[default]
    Complete,
    /// The answer reached its longest length; its end is missing.
    Length,
    /// The provider withheld it or its end, or the model refused.
    Filtered,
}

impl Finish {
    /// In one word, as OpenAI's API says it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Complete => "stop",
            Self::Length => "length",
            Self::Filtered => "content_filter",
        }
    }
}

/// A call as the model wrote it, which may be wrong in every part.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrittenCall {
    /// Its id; some servers give none.
    pub id: Option<String>,
    /// The tool's name.
    pub name: String,
    /// The arguments, meant to be JSON.
    pub arguments: String,
    /// Fields that go back with the call, untouched.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub extra: Map<String, Value>,
}

/// Who answered, where several may.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Answerer {
    /// The model's name, as the server calls it in its answer, else as it is configured.
    pub model: String,
    /// What its tokens cost.
    pub prices: Prices,
}

/// One whole answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ModelAnswer {
    /// What it says; may be empty.
    pub content: String,
    /// What it calls.
    pub calls: Vec<WrittenCall>,
    /// Why it stopped.
    pub finish: Finish,
    /// What the server counted; absent where it doesn't count.
    pub usage: Option<Usage>,
    /// Who gave it; absent where only one can have.
    #[serde(default)]
    pub by: Option<Answerer>,
    /// What attempts used whose answers came to nothing: cut ones that were asked for again, and those of models that were
    /// asked beside. Reckoned, for nobody tells; with its cost.
    #[serde(default)]
    pub lost: Usage,
    /// The server's name of the answer.
    #[serde(default)]
    pub id: Option<String>,
    /// What goes back with its calls; those of the calls themselves stand with them.
    #[serde(default)]
    pub aside: Option<Box<Aside>>,
}
