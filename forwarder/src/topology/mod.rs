//! What hangs together with what: of each object that was seen its links, handed on so that it is known without asking.
//!
//! `links` takes them of an object (pure); `Survey` knows by a hash which are known already and sees objects come and go
//! (pure); `Waiting` holds, of each object, what is to be told last; `Surveyor` hands it on. What does not fit, or is
//! lost, is found by listing again: nothing here is ever spooled, and nothing delays a signal.

mod batch;
mod links;
mod survey;
mod surveyor;
mod waiting;

pub use batch::{Atlas, Batch, Entry, Listed, Listing};
pub(crate) use survey::Survey;
pub(crate) use surveyor::Surveyor;
pub(crate) use waiting::Waiting;
