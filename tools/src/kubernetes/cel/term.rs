//! The values that an expression computes with.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A value; what stands in the object is not copied.
#[derive(Clone, Debug)]
pub(super) enum Term<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(Cow<'a, str>),
    List(Vec<Term<'a>>),
    Time(Timestamp),
    Span(SignedDuration),
    /// A list or map of the object.
    Json(&'a Value),
}

impl<'a> Term<'a> {
    pub(super) fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Bool(flag) => Self::Bool(*flag),
            Value::Number(number) => match number.as_i64() {
                Some(number) => Self::Int(number),
                None => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            Value::String(text) => Self::Text(Cow::Borrowed(text)),
            Value::Array(_) | Value::Object(_) => Self::Json(value),
        }
    }

    /// What it is, for messages.
    pub(super) const fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Int(_) | Self::Float(_) => "a number",
            Self::Text(_) => "a text",
            Self::List(_) | Self::Json(Value::Array(_)) => "a list",
            Self::Time(_) => "a time",
            Self::Span(_) => "a duration",
            Self::Json(_) => "a map",
        }
    }

    /// As people write it.
    pub(super) fn written(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Bool(flag) => flag.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Float(number) => number.to_string(),
            Self::Text(text) => text.to_string(),
            Self::Time(at) => at.to_string(),
            Self::Span(span) => format!("{span:#}"),
            Self::Json(value) => value.to_string(),
            Self::List(items) => items.iter().map(Self::written).collect::<Vec<_>>().join(", "),
        }
    }

    /// The items of a list, or the keys of a map.
    pub(super) fn items(&self) -> Option<Vec<Self>> {
        match self {
            Self::List(items) => Some(items.clone()),
            Self::Json(Value::Array(items)) => Some(items.iter().map(Term::of).collect()),
            Self::Json(Value::Object(fields)) => {
                Some(fields.keys().map(|key| Self::Text(Cow::Borrowed(key.as_str()))).collect())
            }
            _ => None,
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "CEL compares numbers of both kinds; beyond 2⁵³ nobody counts")]
    pub(super) const fn number(&self) -> Option<f64> {
        match self {
            Self::Int(number) => Some(*number as f64),
            Self::Float(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether both are the same, numbers by their value; what can't be compared differs.
    pub(super) fn same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Null, Self::Null) => true,
            (Self::Json(left), Self::Json(right)) => left == right,
            (Self::List(_) | Self::Json(Value::Array(_)), Self::List(_) | Self::Json(Value::Array(_))) => {
                let (left, right) = (self.items().unwrap_or_default(), other.items().unwrap_or_default());
                left.len() == right.len() && left.iter().zip(&right).all(|(left, right)| left.same(right))
            }
            _ => self.order(other) == Some(Ordering::Equal),
        }
    }

    /// Their order, where they have one. A time is also compared with a text that holds one.
    pub(super) fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Bool(left), Self::Bool(right)) => Some(left.cmp(right)),
            (Self::Int(left), Self::Int(right)) => Some(left.cmp(right)),
            (Self::Text(left), Self::Text(right)) => Some(left.cmp(right)),
            (Self::Time(left), Self::Time(right)) => Some(left.cmp(right)),
            (Self::Span(left), Self::Span(right)) => Some(left.cmp(right)),
            (Self::Time(left), Self::Text(right)) => Some(left.cmp(&right.parse().ok()?)),
            (Self::Text(left), Self::Time(right)) => Some(left.parse::<Timestamp>().ok()?.cmp(right)),
            _ => self.number()?.partial_cmp(&other.number()?),
        }
    }
}
