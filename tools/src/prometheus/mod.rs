//! Prometheus: a client of its API, the tools that ask it, and what is caught of it when an incident opens.

mod answer;
mod around;
mod client;
mod config;
mod error;
mod expression;
mod labels;
mod moment;
mod number;
mod report;
mod selector;
mod summary;
mod window;

use std::sync::Arc;

use crate::Tool;

pub use answer::{ActiveAlert, Answer, Metadata, Point, Rule, RuleKind, Series, Warned};
pub use around::{Around, around};
pub use client::{Prometheus, Window};
pub use config::{Authentication, PrometheusConfig};
pub use error::PrometheusError;

/// The tools that ask this Prometheus.
pub fn tools(_prometheus: Prometheus) -> Vec<Arc<dyn Tool>> {
    Vec::new()
}
