//! The number of a delivery, by which a runner drops what it has.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The place of a delivery in a stream of deliveries. Those of a stream are posted in order, one at a time: a runner that
/// has a number has all before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Sequence {
    /// Names the stream: each process begins its own.
    pub stream: Uuid,
    /// From 1.
    pub number: u64,
}

/// A text that is no sequence.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{header} is a stream's UUID, `/` and a number, got {text:?}", header = Sequence::HEADER)]
pub struct SequenceError {
    text: String,
}

impl Sequence {
    /// The header in which it is sent.
    pub const HEADER: &'static str = "marple-delivery";

    /// The first of a new stream.
    pub(super) fn first() -> Self {
        Self { stream: Uuid::now_v7(), number: 1 }
    }

    /// The one after it.
    pub(super) const fn next(self) -> Self {
        Self { number: self.number.saturating_add(1), ..self }
    }
}

impl fmt::Display for Sequence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.stream, self.number)
    }
}

impl FromStr for Sequence {
    type Err = SequenceError;

    fn from_str(text: &str) -> Result<Self, SequenceError> {
        text.split_once('/')
            .and_then(|(stream, number)| Some(Self { stream: stream.parse().ok()?, number: number.parse().ok()? }))
            .ok_or_else(|| SequenceError { text: text.chars().take(60).collect() })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written_and_a_fault_is_named() {
        let second = Sequence::first().next();
        assert_eq!((second.number, second.to_string().parse()), (2, Ok(second)));
        let fault = "one/2".parse::<Sequence>().unwrap_err().to_string();
        assert_eq!(fault, "marple-delivery is a stream's UUID, `/` and a number, got \"one/2\"");
    }
}
