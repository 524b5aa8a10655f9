//! Recorded incidents: bundles, recording and replay at the wire.
//!
//! A recorded incident is state, not calls: [`record()`] reads what the Kubernetes API, Prometheus and Alertmanager
//! hold, [`Replay`] serves it again under their own protocols, so that any client can investigate it, off-line and
//! as often as wanted.

pub mod bundle;
mod demo;
mod json;
pub mod promql;
pub mod record;
pub mod replay;

pub use bundle::{Bundle, BundleError, Payload};
pub use demo::demo_bundle;
pub use record::{RecordError, RecordOptions, record};
pub use replay::{Replay, ReplayError, ReplayOptions};
