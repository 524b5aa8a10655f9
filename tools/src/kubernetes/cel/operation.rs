//! What two values give, and functions.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::SignedDuration;
use marple_core::Period;
use regex::{Regex, RegexBuilder};

use super::Fault;
use super::term::Term;
use crate::kubernetes::quantity;

/// An operation on two values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Equal,
    Unequal,
    Less,
    AtMost,
    More,
    AtLeast,
    In,
    Plus,
    Minus,
    Times,
    Over,
    Rest,
}

impl Operation {
    /// By how tightly they bind, the loosest first.
    pub(super) const LEVELS: [&'static [Self]; 3] = [
        &[Self::Equal, Self::Unequal, Self::Less, Self::AtMost, Self::More, Self::AtLeast, Self::In],
        &[Self::Plus, Self::Minus],
        &[Self::Times, Self::Over, Self::Rest],
    ];

    pub(super) const fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::More => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Plus => "+",
            Self::Minus => "-",
            Self::Times => "*",
            Self::Over => "/",
            Self::Rest => "%",
        }
    }

    pub(super) fn of<'a>(self, left: &Term<'a>, right: &Term<'a>) -> Result<Term<'a>, Fault> {
        let unfit = || Fault::Unfit(format!("`{}` does not fit {} and {}", self.sign(), left.kind(), right.kind()));
        let ordered = |wanted: fn(Ordering) -> bool| left.order(right).map(wanted).map(Term::Bool).ok_or_else(unfit);
        match self {
            Self::Equal => Ok(Term::Bool(left.same(right))),
            Self::Unequal => Ok(Term::Bool(!left.same(right))),
            Self::Less => ordered(Ordering::is_lt),
            Self::AtMost => ordered(Ordering::is_le),
            Self::More => ordered(Ordering::is_gt),
            Self::AtLeast => ordered(Ordering::is_ge),
            Self::In => {
                right.items().map(|items| Term::Bool(items.iter().any(|item| item.same(left)))).ok_or_else(unfit)
            }
            Self::Plus | Self::Minus | Self::Times | Self::Over | Self::Rest => {
                self.computed(left, right).ok_or_else(unfit)
            }
        }
    }

    /// Nothing where the values don't fit, or what they give can't be held.
    fn computed<'a>(self, left: &Term<'a>, right: &Term<'a>) -> Option<Term<'a>> {
        match (left, right) {
            (Term::Int(left), Term::Int(right)) => match self {
                Self::Plus => left.checked_add(*right),
                Self::Minus => left.checked_sub(*right),
                Self::Times => left.checked_mul(*right),
                Self::Over => left.checked_div(*right),
                _ => left.checked_rem(*right),
            }
            .map(Term::Int),
            (Term::Text(left), Term::Text(right)) if self == Self::Plus => {
                Some(Term::Text(Cow::Owned(format!("{left}{right}"))))
            }
            (Term::Time(left), Term::Span(right)) => match self {
                Self::Plus => left.checked_add(*right).ok().map(Term::Time),
                Self::Minus => left.checked_sub(*right).ok().map(Term::Time),
                _ => None,
            },
            (Term::Time(left), Term::Time(right)) if self == Self::Minus => {
                Some(Term::Span(left.duration_since(*right)))
            }
            (Term::Span(left), Term::Span(right)) => match self {
                Self::Plus => left.checked_add(*right).map(Term::Span),
                Self::Minus => left.checked_sub(*right).map(Term::Span),
                _ => None,
            },
            _ => {
                let (left, right) = (left.number()?, right.number()?);
                Some(Term::Float(match self {
                    Self::Plus => left + right,
                    Self::Minus => left - right,
                    Self::Times => left * right,
                    Self::Over => left / right,
                    _ => left % right,
                }))
            }
        }
    }
}

/// A pattern of `matches`, of bounded size.
pub(super) fn pattern(text: &str) -> Result<Regex, String> {
    RegexBuilder::new(text)
        .size_limit(1 << 20)
        .build()
        .map_err(|error| format!("{text:?} is no regular expression: {error}"))
}

/// What a function or method gives.
pub(super) fn call<'a>(name: &str, arguments: &[Term<'a>]) -> Result<Term<'a>, Fault> {
    let number = |text: &str| quantity::parse(text).map(Term::Float);
    let given = match (name, arguments) {
        ("size", [Term::Text(text)]) => count(text.chars().count()),
        ("size", [list]) => list.items().and_then(|items| count(items.len())),
        ("contains", [Term::Text(text), Term::Text(part)]) => Some(Term::Bool(text.contains(part.as_ref()))),
        ("startsWith", [Term::Text(text), Term::Text(part)]) => Some(Term::Bool(text.starts_with(part.as_ref()))),
        ("endsWith", [Term::Text(text), Term::Text(part)]) => Some(Term::Bool(text.ends_with(part.as_ref()))),
        ("matches", [Term::Text(text), Term::Text(wanted)]) => {
            Some(Term::Bool(pattern(wanted).map_err(Fault::Unfit)?.is_match(text)))
        }
        ("lowerAscii", [Term::Text(text)]) => Some(Term::Text(Cow::Owned(text.to_ascii_lowercase()))),
        ("timestamp", [Term::Text(text)]) => text.parse().ok().map(Term::Time),
        ("timestamp", [time @ Term::Time(_)]) => Some(time.clone()),
        ("duration", [Term::Text(text)]) => span(text).map(Term::Span),
        ("quantity", [Term::Text(text)]) => number(text),
        ("quantity" | "double", [value]) if value.number().is_some() => value.number().map(Term::Float),
        ("double", [Term::Text(text)]) => text.parse().ok().map(Term::Float),
        ("int", [Term::Text(text)]) => text.parse().ok().map(Term::Int),
        ("int", [whole @ Term::Int(_)]) => Some(whole.clone()),
        #[expect(clippy::cast_possible_truncation, reason = "CEL's int() cuts the fraction off")]
        ("int", [Term::Float(number)]) => Some(Term::Int(*number as i64)),
        ("string", [text @ Term::Text(_)]) => Some(text.clone()),
        ("string", [Term::Int(number)]) => Some(Term::Text(Cow::Owned(number.to_string()))),
        ("string", [Term::Bool(flag)]) => Some(Term::Text(Cow::Owned(flag.to_string()))),
        // Quantities, as Kubernetes' own library of CEL compares them.
        ("isGreaterThan", [left, right]) => left.order(right).map(|order| Term::Bool(order.is_gt())),
        ("isLessThan", [left, right]) => left.order(right).map(|order| Term::Bool(order.is_lt())),
        _ => None,
    };
    given.ok_or_else(|| {
        let kinds: Vec<&str> = arguments.iter().map(Term::kind).collect();
        Fault::Unfit(format!("there is no {name}({})", kinds.join(", ")))
    })
}

fn count<'a>(number: usize) -> Option<Term<'a>> {
    i64::try_from(number).ok().map(Term::Int)
}

fn span(text: &str) -> Option<SignedDuration> {
    let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
    let period: Period = text.parse().ok()?;
    SignedDuration::try_from(period.duration()).ok()?.checked_mul(sign)
}
