//! Amounts of bytes as people write them in a configuration.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// An amount of bytes, written as `512MiB`, `2GiB`, or `2Gi` as Kubernetes has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Size(u64);

/// A text that is no amount of bytes.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("an amount of bytes is a whole number with a unit, as 512MiB or 2GiB; got {0:?}")]
pub struct SizeError(String);

/// The units and how many bytes each has, the largest first.
const UNITS: [(&str, u64); 4] = [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

impl Size {
    /// So many MiB.
    pub const fn mebibytes(count: u64) -> Self {
        Self(count << 20)
    }

    /// So many GiB.
    pub const fn gibibytes(count: u64) -> Self {
        Self(count << 30)
    }

    /// How many bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || SizeError(text.chars().take(40).collect());
        let trimmed = text.trim();
        let digits = trimmed.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = trimmed.split_at_checked(digits).ok_or_else(wrong)?;
        let is = |name: &&str| unit.trim() == *name || Some(unit.trim()) == name.strip_suffix('B');
        let (_, bytes) = UNITS.iter().find(|(name, _)| is(name)).ok_or_else(wrong)?;
        number.parse::<u64>().ok().and_then(|number| number.checked_mul(*bytes)).map(Self).ok_or_else(wrong)
    }
}

impl fmt::Display for Size {
    /// In the largest unit that it is a whole number of; what is less than a KiB is rounded up.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match UNITS.iter().find(|(_, bytes)| self.0 >= *bytes && self.0.is_multiple_of(*bytes)) {
            Some((unit, bytes)) => write!(formatter, "{}{unit}", self.0 / bytes),
            None => write!(formatter, "{}KiB", self.0.div_ceil(1 << 10)),
        }
    }
}

impl From<Size> for String {
    fn from(size: Size) -> Self {
        size.to_string()
    }
}

impl TryFrom<String> for Size {
    type Error = SizeError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl JsonSchema for Size {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Size".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "description": "An amount of bytes, as 512MiB or 2GiB.", "examples": ["512MiB", "2GiB"] })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn reads_and_writes_the_units_of_computers() {
        for (text, bytes, written) in [
            ("512MiB", 512 << 20, "512MiB"),
            ("2Gi", 2 << 30, "2GiB"),
            ("2048 MiB", 2 << 30, "2GiB"),
            ("3KiB", 3 << 10, "3KiB"),
        ] {
            let size: Size = text.parse().unwrap();
            assert_eq!((size.bytes(), size.to_string()), (bytes, written.to_owned()));
        }
    }

    #[test]
    fn refuses_what_has_no_unit_or_another() {
        for text in ["", "10", "10MB", "-5MiB", "GiB", "99999999999TiB"] {
            assert!(text.parse::<Size>().is_err(), "{text:?}");
        }
    }
}
