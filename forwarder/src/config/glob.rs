//! Patterns for names.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pattern for a name: `*` stands for any characters, `?` for one, all else for itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct Glob(String);

/// A pattern that no name can match.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0:?} can match no name: a pattern holds lower-case letters, digits, `-`, `*` and `?`")]
pub struct GlobError(String);

impl Glob {
    /// The pattern that any name matches.
    pub fn any() -> Self {
        Self("*".to_owned())
    }

    /// The name itself, where the pattern matches one name only.
    pub fn literal(&self) -> Option<&str> {
        (!self.0.contains(['*', '?'])).then_some(self.0.as_str())
    }

    /// Whether the whole of `name` matches.
    pub fn matches(&self, name: &str) -> bool {
        let (pattern, name) = (self.0.as_bytes(), name.as_bytes());
        // The last `*` seen: where the pattern goes on after it, and how much of the name it has taken.
        let (mut at, mut taken, mut star) = (0, 0, None);
        while let Some(byte) = name.get(taken) {
            match pattern.get(at) {
                Some(b'*') => {
                    star = Some((at + 1, taken));
                    at += 1;
                }
                Some(wanted) if wanted == byte || *wanted == b'?' => {
                    at += 1;
                    taken += 1;
                }
                _ => match star {
                    Some((after, from)) => {
                        star = Some((after, from + 1));
                        at = after;
                        taken = from + 1;
                    }
                    None => return false,
                },
            }
        }
        pattern.get(at..).is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
    }
}

impl TryFrom<String> for Glob {
    type Error = GlobError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-*?".contains(&byte);
        if text.is_empty() || !text.bytes().all(fits) { Err(GlobError(text)) } else { Ok(Self(text)) }
    }
}

impl From<Glob> for String {
    fn from(glob: Glob) -> Self {
        glob.0
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn matches(pattern: &str, name: &str) -> bool {
        Glob::try_from(pattern.to_owned()).unwrap().matches(name)
    }

    #[test]
    fn a_star_takes_as_much_as_the_rest_needs() {
        assert!(matches("*", "shop"));
        assert!(matches("team-*-prod", "team-a-prod-b-prod"));
        assert!(matches("shop*", "shop"));
        assert!(!matches("team-*-prod", "team-a-prod-b"));
        assert!(!matches("shop", "shop-2"));
    }

    #[test]
    fn a_question_mark_takes_exactly_one() {
        assert!(matches("shop-?", "shop-1"));
        assert!(!matches("shop-?", "shop-"));
    }

    #[test]
    fn a_pattern_that_no_namespace_can_match_is_refused() {
        assert_eq!(Glob::try_from("Shop".to_owned()), Err(GlobError("Shop".to_owned())));
        assert_eq!(Glob::try_from(String::new()), Err(GlobError(String::new())));
    }
}
