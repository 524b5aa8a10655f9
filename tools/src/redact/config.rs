//! The redaction's configuration.

use marple_core::Secret;
use schemars::JsonSchema;
use serde::Deserialize;

/// What is taken for a secret beyond what is known, and what is not.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedactConfig {
    /// Further secrets.
    pub patterns: Vec<SecretPattern>,
    /// Regular expressions of values that are no secrets: a value that one of them fits as a whole stays.
    pub allow: Vec<String>,
    /// Whether e-mail addresses are taken out too.
    pub emails: bool,
    /// Whether card numbers are, told by issuer, length and check digit.
    pub cards: bool,
    /// Key of the hashes in placeholders. With it a secret has the same placeholder after a restart and in every
    /// replica; without, a random one is made at each start.
    pub key: Option<Secret>,
}

/// A kind of secret.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SecretPattern {
    /// What it is called in the placeholder, as `licence`: letters, digits, `_` and `-`.
    pub name: String,
    /// Regular expression. Where it has a group named `secret`, that part is replaced, else the whole match.
    pub pattern: String,
}

/// A pattern can't be used; the configuration must change.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// A regular expression is wrong.
    #[error("redaction pattern {name:?}: {source}")]
    Pattern {
        /// The pattern's name, or `allow`.
        name: String,
        /// Where and why.
        source: Box<regex::Error>,
    },
    /// A regular expression fits the empty text, and so everywhere.
    #[error("redaction pattern {name:?} fits the empty text; make it need at least one letter")]
    Empty {
        /// The pattern's name.
        name: String,
    },
    /// A name can't stand in a placeholder.
    #[error("redaction pattern name {name:?}: use 1 to 40 letters, digits, `_` and `-`")]
    Name {
        /// The name.
        name: String,
    },
}
