//! Whether a task is still there.

use std::sync::{Arc, Weak};

/// Held by a task as long as it runs.
#[derive(Debug, Default)]
pub struct Life(Arc<()>);

/// Tells whether a task still runs.
#[derive(Clone, Debug)]
pub struct Alive(Weak<()>);

impl Life {
    /// What tells of it.
    pub fn watch(&self) -> Alive {
        Alive(Arc::downgrade(&self.0))
    }
}

impl Alive {
    /// Whether it runs.
    pub fn is_alive(&self) -> bool {
        self.0.strong_count() > 0
    }
}
