//! What depends on what.

use marple_core::ObjectRef;
use serde::{Deserialize, Serialize};

/// One object depends on another.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Dependency {
    /// What depends.
    pub from: ObjectRef,
    /// On what.
    pub to: ObjectRef,
    /// How that is known, as `env DATABASE names Service payments/db`.
    pub how: String,
}
