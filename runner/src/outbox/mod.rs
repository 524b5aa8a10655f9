//! Delivers what is to be said, until its sink confirms it.
//!
//! The store holds a row for each incident and receiver: which revision people should see, which they have seen, and
//! the sink's receipt. Revisions in between are skipped. Delivery is at least once; the sinks see to it that a
//! repetition isn't seen twice.

mod config;
mod decide;
mod deliveries;
mod delivery;
mod views;

pub use config::DeliveryConfig;
pub use deliveries::Deliveries;
pub use views::{ViewError, Views};
