//! One toolset.

use std::sync::Arc;

use super::probe::Certain;
use super::{Off, Offer, Probe};
use crate::Tool;

/// Tools that work or fail together, as those of one backend.
#[derive(Clone)]
pub struct Toolset {
    /// Its name, as `prometheus`.
    pub name: String,
    /// What it looks at, in one line for people.
    pub description: String,
    pub(super) probe: Arc<dyn Probe>,
    /// Whether someone counts on it: that it is off is worth a word.
    pub(super) wanted: bool,
}

impl Toolset {
    /// A toolset that works when its probe says so.
    pub fn new(name: impl Into<String>, description: impl Into<String>, probe: impl Probe + 'static) -> Self {
        Self { name: name.into(), description: description.into(), probe: Arc::new(probe), wanted: true }
    }

    /// The same; that it is off is worth a word only where it is wanted.
    #[must_use]
    pub fn wanted(self, wanted: bool) -> Self {
        Self { wanted, ..self }
    }

    /// A toolset that needs nothing but itself.
    pub fn of(name: impl Into<String>, description: impl Into<String>, tools: Vec<Arc<dyn Tool>>) -> Self {
        Self::new(name, description, Certain(Ok(Offer::from(tools))))
    }

    /// A toolset that can't be used as marple is configured, and why.
    pub fn off(name: impl Into<String>, description: impl Into<String>, why: impl Into<String>) -> Self {
        Self::new(name, description, Certain(Err(Off(why.into()))))
    }

    /// A toolset that nothing is configured for, and what would have to be.
    pub fn unset(name: impl Into<String>, description: impl Into<String>, why: impl Into<String>) -> Self {
        Self { wanted: false, ..Self::off(name, description, why) }
    }
}
