//! Regular expressions of a case.

use std::borrow::Cow;

use regex::{Regex, RegexBuilder};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A regular expression (syntax of the crate `regex`), found anywhere in a text, whatever its case.
#[derive(Clone, Debug)]
pub struct Pattern(Regex);

impl Pattern {
    /// Reads one.
    pub fn new(text: &str) -> Result<Self, regex::Error> {
        RegexBuilder::new(text).case_insensitive(true).build().map(Self)
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether it is found in a text.
    pub fn is_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Serialize for Pattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let wrong = |why: &str| {
            D::Error::custom(format!(
                "{text:?} is no regular expression that can be used: {why}; a backslash before a special character takes \
                 it as it is"
            ))
        };
        if text.is_empty() {
            return Err(wrong("it is empty, and would be found in everything"));
        }
        // The last line of the error is its reason; those before it draw where.
        Self::new(&text).map_err(|error| {
            let told = error.to_string();
            wrong(told.lines().last().unwrap_or(&told).trim_start_matches("error: "))
        })
    }
}

impl JsonSchema for Pattern {
    fn schema_name() -> Cow<'static, str> {
        "Pattern".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A regular expression, found anywhere in the text, whatever its case.",
            "type": "string",
            "minLength": 1
        })
    }
}
