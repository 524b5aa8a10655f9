//! Views of what was looked at, written for readers who pay by the word.

mod alike;
mod bounded;
mod certificate;
mod fold;
mod object;
mod plain;
#[cfg(test)]
mod properties;
mod secret;
mod yaml;

pub(crate) use alike::{alike, counted, names};
pub(crate) use bounded::cut;
pub use bounded::{Limits, bounded};
pub(crate) use fold::{Folded, fold, grouped, normalised};
pub use object::object;
pub(crate) use object::trimmed;
pub use plain::plain;
pub(crate) use secret::{certificate_begin, certificate_end, certificate_names, certificate_told, mask_secret};
pub(crate) use yaml::{scalar, write as yaml};
