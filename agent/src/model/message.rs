//! The conversation.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A call with an id that is unique in its conversation and arguments that are a JSON object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Pairs it with its result.
    pub id: String,
    /// The tool's name.
    pub name: String,
    /// The arguments.
    pub arguments: Map<String, Value>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "role")]
pub enum Message {
    /// The instructions.
    System {
        /// Their text.
        content: String,
    },
    /// What marple says.
    User {
        /// Its text.
        content: String,
    },
    /// What the model said.
    Assistant {
        /// Its words.
        content: String,
        /// What it called.
        calls: Vec<ToolCall>,
    },
    /// The result of one call.
    Tool {
        /// Which call.
        call: String,
        /// Its result.
        content: String,
    },
}
