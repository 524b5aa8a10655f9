//! What was altered in the cluster: of two states of an object the fields that differ, with who wrote them.
//!
//! From the wire inwards: `family` says which kinds there are and which fields of an object matter; `trim` takes them;
//! [`State`] is what is kept of an object, small; `compare` makes [`marple_core::Change`]s of two states and `author` tells
//! who wrote, `departures` how it came that an object went (all pure); `History` keeps the states and sees objects come, change and go (pure); `Recorder` hands on what
//! they come to, until it is kept.

mod author;
mod batch;
mod compare;
mod delivered;
mod departures;
mod family;
mod history;
mod objects;
mod read;
mod recorder;
mod state;
mod trim;

pub use batch::{Batch, Chronicle, Entry, Kept, Listed, Reached};
pub(crate) use family::{Family, KNOWN};
pub(crate) use history::{Glimpse, History};
pub(crate) use recorder::Recorder;
pub use state::State;
