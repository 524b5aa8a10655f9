//! Views of what was looked at, written for readers who pay by the word.

mod bounded;
mod fold;
mod object;
mod plain;
mod yaml;

pub(crate) use bounded::cut;
pub use bounded::{Limits, bounded};
pub(crate) use fold::{Folded, fold, grouped};
pub use object::object;
pub(crate) use object::{mask_secret, trimmed};
pub use plain::plain;
pub(crate) use yaml::{scalar, write as yaml};
