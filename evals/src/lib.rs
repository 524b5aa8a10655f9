//! Recorded incidents: bundles, recording and replay at the wire; and what an investigator is worth on them.
//!
//! A recorded incident is state, not calls: [`record()`] reads what the Kubernetes API, Prometheus and Alertmanager
//! hold, [`Replay`] serves it again under their own protocols, so that any client can investigate it, off-line and
//! as often as wanted. A [`case::Case`] says what is right of one; [`run::run`] has any [`Investigator`] investigate a
//! suite of them, [`score::score`] says what its answers are worth, and [`report`] tells it.

pub mod bundle;
pub mod case;
mod demo;
pub mod investigator;
mod json;
pub mod judge;
pub mod promql;
#[cfg(test)]
mod published;
pub mod record;
pub mod replay;
pub mod report;
pub mod run;
pub mod score;
pub mod trial;

pub use bundle::{Bundle, BundleError, Payload};
pub use case::{Case, Suite};
pub use demo::demo_bundle;
pub use investigator::Investigator;
pub use record::{RecordError, RecordOptions, record};
pub use replay::{RealPrometheus, Replay, ReplayError, ReplayOptions};
