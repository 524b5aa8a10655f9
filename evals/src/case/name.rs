//! Names of which a part may be open.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name in which one `*` stands for any characters: a generated pod's is known only up to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    before: String,
    /// What follows the `*`; absent where there is none.
    after: Option<String>,
}

impl NamePattern {
    /// Reads one; nothing where it is empty or has more than one `*`.
    pub fn new(text: &str) -> Option<Self> {
        let (before, after) = match text.split_once('*') {
            Some((before, after)) => (before, Some(after)),
            None => (text, None),
        };
        let usable = !text.is_empty() && after.is_none_or(|after| !after.contains('*'));
        usable.then(|| Self { before: before.to_owned(), after: after.map(str::to_owned) })
    }

    /// Whether a name is meant.
    pub fn matches(&self, name: &str) -> bool {
        match &self.after {
            None => self.before == name,
            Some(after) => name.strip_prefix(self.before.as_str()).is_some_and(|rest| rest.ends_with(after.as_str())),
        }
    }

    /// A regular expression for the names that are meant, to be part of a larger one.
    pub fn expression(&self) -> String {
        let before = regex::escape(&self.before);
        match &self.after {
            None => before,
            Some(after) => format!("{before}[a-z0-9.-]*{}", regex::escape(after)),
        }
    }
}

impl std::fmt::Display for NamePattern {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.before)?;
        self.after.iter().try_for_each(|after| write!(formatter, "*{after}"))
    }
}

impl Serialize for NamePattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for NamePattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::new(&text)
            .ok_or_else(|| D::Error::custom(format!("{text:?} is no name: write one with at most one `*`, as cart-*")))
    }
}

impl JsonSchema for NamePattern {
    fn schema_name() -> Cow<'static, str> {
        "NamePattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A name; one `*` stands for any characters.",
            "type": "string",
            "pattern": "^[^*]*\\*?[^*]*$",
            "minLength": 1
        })
    }
}
