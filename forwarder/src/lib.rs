//! Watches the API server, decides what matters, and delivers it as signals.
//!
//! The parts, from the wire inwards: `watch` reads objects as streams and keeps none of them; [`object`] says which
//! fields of an object are read at all; [`condition`] tells from one object what is wrong with it (pure); [`tracker`]
//! tells when a condition begins and ends (pure); [`picture`] puts these together over all objects (pure); [`deliver`]
//! hands signals on, at least once. Beside them [`change`] tells what was altered, by watches of its own, and [`topology`] what
//! hangs together with what.

pub mod change;
pub mod condition;
pub mod config;
pub mod deliver;
pub mod election;
pub mod forwarder;
pub mod handed;
pub mod known;
mod metric;
pub mod object;
mod pauses;
pub mod picture;
pub mod topology;
pub mod tracker;
mod until;
mod watch;

pub use change::Chronicle;
pub use condition::Conditions;
pub use config::{ChangedResource, ChangesConfig, CustomResource, ForwarderConfig, Glob, Namespaces, Values};
pub use deliver::{Courier, Deliver, DeliverError, HttpDeliver, RunnerEndpoint, Sequence, SequenceError, SpoolError};
pub use election::Election;
pub use forwarder::{Forwarder, ForwarderError};
pub use handed::{Handed, Happening, HappeningError};
pub use known::{Known, KnownError, Telling};
pub use topology::Atlas;
