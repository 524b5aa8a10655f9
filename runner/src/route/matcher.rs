//! Conditions on labels, written as Alertmanager's matchers.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use regex::Regex;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

/// How a matcher compares.
#[derive(Clone, Debug)]
pub enum Operator {
    /// `=`
    Equal(String),
    /// `!=`
    NotEqual(String),
    /// `=~`: the whole value, as Prometheus does.
    Like(Regex),
    /// `!~`
    NotLike(Regex),
}

/// A condition on a label, as `severity="critical"` or `namespace=~"shop|cart"`. Quotes may be left out where the value
/// holds no space, comma, brace or quote. An absent label has the empty value.
#[derive(Clone, Debug, Deserialize)]
#[serde(try_from = "String")]
pub struct Matcher {
    name: String,
    operator: Operator,
}

/// A text that is no matcher. It says what to write.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MatcherError {
    /// It has no operator.
    #[error("{0:?} has no operator; write a label, one of = != =~ !~, and a value, as severity=\"critical\"")]
    NoOperator(String),
    /// The name is no label's name.
    #[error("{0:?} is no label's name: letters, digits and _, not a digit first")]
    Name(String),
    /// The value isn't quoted as it must be.
    #[error("the value {0:?} must be in double quotes, with \\\" for a quote and \\\\ for a backslash in it")]
    Quotes(String),
    /// The pattern isn't a regular expression.
    #[error("{pattern:?} is no regular expression: {fault}")]
    Pattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        fault: String,
    },
}

impl Matcher {
    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a label of these values meets it: a positive condition by one of them, a negative one by all.
    /// No values are one empty value.
    pub fn is_met(&self, values: &[&str]) -> bool {
        let values = if values.is_empty() { &[""] } else { values };
        match &self.operator {
            Operator::Equal(wanted) => values.contains(&wanted.as_str()),
            Operator::NotEqual(wanted) => !values.contains(&wanted.as_str()),
            Operator::Like(pattern) => values.iter().any(|value| pattern.is_match(value)),
            Operator::NotLike(pattern) => !values.iter().any(|value| pattern.is_match(value)),
        }
    }
}

impl FromStr for Matcher {
    type Err = MatcherError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let at = text.find(['=', '!']).ok_or_else(|| MatcherError::NoOperator(text.to_owned()))?;
        let (name, rest) = text.split_at(at);
        let (sign, rest) = ["=~", "!~", "!=", "="]
            .into_iter()
            .find_map(|sign| rest.strip_prefix(sign).map(|rest| (sign, rest)))
            .ok_or_else(|| MatcherError::NoOperator(text.to_owned()))?;
        let name = name.trim();
        let first = |c: char| c.is_ascii_alphabetic() || c == '_';
        if !name.starts_with(first) || !name.chars().all(|c| first(c) || c.is_ascii_digit()) {
            return Err(MatcherError::Name(name.to_owned()));
        }
        let value = unquoted(rest.trim()).ok_or_else(|| MatcherError::Quotes(rest.trim().to_owned()))?;
        let operator = match sign {
            "=" => Operator::Equal(value),
            "!=" => Operator::NotEqual(value),
            "=~" => Operator::Like(pattern(&value)?),
            _ => Operator::NotLike(pattern(&value)?),
        };
        Ok(Self { name: name.to_owned(), operator })
    }
}

fn pattern(value: &str) -> Result<Regex, MatcherError> {
    // Checked alone first: `a)|(b` would be accepted between the brackets of the anchored form.
    Regex::new(value).and_then(|_| Regex::new(&format!("^(?s:{value})$"))).map_err(|error| MatcherError::Pattern {
        pattern: value.to_owned(),
        fault: error.to_string().lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned(),
    })
}

fn unquoted(text: &str) -> Option<String> {
    let Some(inner) = text.strip_prefix('"') else {
        let plain = !text.contains(['"', '\'', ',', '{', '}', '=', '!', '~']) && !text.contains(char::is_whitespace);
        // In a pattern, braces, commas and the like need quotes as they do in Alertmanager.
        return plain.then(|| text.to_owned());
    };
    let mut value = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        match c {
            '"' => return chars.as_str().is_empty().then_some(value),
            '\\' => match chars.next()? {
                'n' => value.push('\n'),
                escaped @ ('"' | '\\') => value.push(escaped),
                // As in a pattern: `\d` stays as it is.
                other => value.extend(['\\', other]),
            },
            c => value.push(c),
        }
    }
    None
}

impl TryFrom<String> for Matcher {
    type Error = MatcherError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl fmt::Display for Matcher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, value) = match &self.operator {
            Operator::Equal(value) => ("=", value.as_str()),
            Operator::NotEqual(value) => ("!=", value.as_str()),
            Operator::Like(pattern) => ("=~", bare(pattern)),
            Operator::NotLike(pattern) => ("!~", bare(pattern)),
        };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        write!(formatter, "{}{sign}\"{value}\"", self.name)
    }
}

fn bare(pattern: &Regex) -> &str {
    let text = pattern.as_str();
    text.strip_prefix("^(?s:").and_then(|text| text.strip_suffix(")$")).unwrap_or(text)
}

impl JsonSchema for Matcher {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Matcher".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A label, one of = != =~ !~, and a value.",
            "examples": ["severity=\"critical\"", "namespace=~\"shop|cart\"", "team!=\"\""]
        })
    }
}
