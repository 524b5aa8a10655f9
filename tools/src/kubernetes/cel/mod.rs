//! Expressions over objects, in the part of CEL (the Common Expression Language, as the API server speaks it) that
//! filters need.
//!
//! An expression comes from a model and runs in this process, so that its steps are counted and bounded, and a pattern
//! takes linear time. The crates for CEL have no such bound. What is left out: map literals, byte strings, optional
//! fields, types as values and unsigned numbers.

mod evaluate;
mod operation;
mod parse;
mod term;
mod word;

use jiff::Timestamp;
use serde_json::Value;

use parse::Node;

/// The longest expression, in bytes.
const LONGEST: usize = 2_000;

/// An expression that says of an object whether it is wanted.
#[derive(Debug)]
pub(crate) struct Expression(Node);

/// Why an expression says nothing of an object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// The object has no such field, or the list no such item.
    #[error("no {0}")]
    Missing(String),
    /// An operation doesn't fit its values.
    #[error("{0}")]
    Unfit(String),
    /// It took more steps than it may.
    #[error("it takes more than {} steps", evaluate::STEPS)]
    TooLong,
}

impl Expression {
    /// Reads an expression. The error says where it can't be read.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > LONGEST {
            return Err(format!("it has {} letters; at most {LONGEST} are read", text.len()));
        }
        parse::parse(text).map(Self)
    }

    /// Whether it holds for the object, which it calls `object` or `self`; its fields may also be named alone.
    pub(crate) fn holds(&self, object: &Value, now: Timestamp) -> Result<bool, Fault> {
        evaluate::holds(&self.0, object, now)
    }

    /// What it gives for the object, as people write it.
    pub(crate) fn told(&self, object: &Value, now: Timestamp) -> Result<String, Fault> {
        evaluate::told(&self.0, object, now)
    }
}

#[cfg(test)]
mod tests;
