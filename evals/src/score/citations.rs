//! How far the statements of a conclusion are proven.

use marple_core::{Citation, Conclusion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How far the statements of a conclusion are proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Citations {
    /// Statements that want a proof: the cause, each link of the chain, each thing that is ruled out.
    pub statements: u32,
    /// Those with a citation.
    pub cited: u32,
    /// Those with a citation whose quote was found in its evidence; absent where nobody looked.
    pub verified: Option<u32>,
}

impl Citations {
    /// Of a conclusion, whose citations were looked up or not.
    pub(super) fn of(conclusion: &Conclusion, checked: bool) -> Self {
        let cause = conclusion.cause.iter().map(|cause| cause.citations.as_slice());
        let chain = conclusion.chain.iter().map(|link| link.citations.as_slice());
        let ruled_out = conclusion.ruled_out.iter().map(|claim| claim.citations.as_slice());
        let statements: Vec<&[Citation]> = cause.chain(chain).chain(ruled_out).collect();
        let count = |such: &dyn Fn(&[Citation]) -> bool| -> u32 {
            statements.iter().filter(|citations| such(citations)).map(|_| 1).sum()
        };
        Self {
            statements: count(&|_| true),
            cited: count(&|citations| !citations.is_empty()),
            verified: checked.then(|| count(&|citations| citations.iter().any(|citation| citation.verified))),
        }
    }
}
