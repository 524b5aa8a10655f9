//! The identity of an alert.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Labels;

/// Identifies an alert over its life: 64 bits, printed as 16 hexadecimal digits.
///
/// The one that Alertmanager sends is taken as it is; where none came, [`Fingerprint::of`] computes the same value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(into = "String", try_from = "String")]
#[schemars(with = "String")]
pub struct Fingerprint(u64);

/// A text that is not 1 to 16 hexadecimal digits.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a fingerprint is 1 to 16 hexadecimal digits, got {0:?}")]
pub struct FingerprintError(String);

const OFFSET: u64 = 14_695_981_039_346_656_037;
const PRIME: u64 = 1_099_511_628_211;
const SEPARATOR: u8 = 0xff;

impl Fingerprint {
    /// The fingerprint that Alertmanager gives these labels: FNV-1a (64 bit) over each name and value in the order of
    /// the names, each followed by a byte 0xff (`LabelSet.Fingerprint` of prometheus/common).
    pub fn of(labels: &Labels) -> Self {
        let mut hash = OFFSET;
        let mut add = |bytes: &[u8]| {
            for byte in bytes {
                hash = (hash ^ u64::from(*byte)).wrapping_mul(PRIME);
            }
        };
        for (name, value) in labels.iter() {
            add(name.as_bytes());
            add(&[SEPARATOR]);
            add(value.as_bytes());
            add(&[SEPARATOR]);
        }
        Self(hash)
    }

    /// The 64 bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// From its 64 bits.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:016x}", self.0)
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = (1..=16).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u64::from_str_radix(text, 16) {
            Ok(bits) if digits => Ok(Self(bits)),
            _ => Err(FingerprintError(text.chars().take(40).collect())),
        }
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = FingerprintError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_set_has_the_offset_basis() {
        assert_eq!(Fingerprint::of(&Labels::new()).to_string(), "cbf29ce484222325");
    }

    #[test]
    fn it_is_printed_as_it_is_read() {
        let fingerprint: Fingerprint = "00ab12cd34ef5678".parse().unwrap();
        assert_eq!(fingerprint.to_string(), "00ab12cd34ef5678");
    }

    #[test]
    fn signs_and_long_texts_are_refused() {
        assert!("+1".parse::<Fingerprint>().is_err());
        assert!("00000000000000001".parse::<Fingerprint>().is_err());
        assert!("".parse::<Fingerprint>().is_err());
    }
}
