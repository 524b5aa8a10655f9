//! What tells a trial from every other one.

use std::fmt;

use marple_core::hex;
use serde::{Deserialize, Serialize};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::case::SuiteCase;
use crate::investigator::Identity;

/// A digest of all that an answer hangs on: what was asked, the recording, and the investigator with its model, its
/// prompts, its settings and the program that it is. What is right is no part of it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Key(String);

impl Key {
    /// Of one trial.
    pub fn of(case: &SuiteCase, investigator: &Identity, number: u32) -> Self {
        let content = json!([case.case.ask, case.digest, investigator.kind, investigator.digest, number]);
        Self(hex(&Sha256::digest(content.to_string().as_bytes())))
    }

    /// Its beginning, enough to tell files apart.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
