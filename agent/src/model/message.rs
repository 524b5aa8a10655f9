//! The conversation.

use std::collections::BTreeMap;

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

/// What a server gave with an answer beside words and calls, and wants to see again with them: some refuse a conversation
/// that lacks it. Only the model that gave it is shown it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Aside {
    /// The name of the model that gave it.
    pub model: String,
    /// Its thinking, in the words that it lets be seen.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub thinking: String,
    /// Fields of the message, untouched.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub fields: Map<String, Value>,
    /// Fields of its calls, untouched, by the call's id.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub calls: BTreeMap<String, Map<String, Value>>,
}

impl Aside {
    /// Whether there is nothing to be shown again.
    pub fn is_empty(&self) -> bool {
        self.thinking.is_empty() && self.fields.is_empty() && self.calls.is_empty()
    }
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
        /// What goes back with that.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        aside: Option<Box<Aside>>,
    },
    /// The result of one call.
    Tool {
        /// Which call.
        call: String,
        /// Its result.
        content: String,
    },
}

impl Message {
    /// What the model said, with nothing beside it.
    pub fn assistant(content: impl Into<String>, calls: Vec<ToolCall>) -> Self {
        Self::Assistant { content: content.into(), calls, aside: None }
    }
}
