//! Prometheus: a client of its API, the tools that ask it, and what is caught of it when an incident opens.

mod absence;
mod answer;
mod around;
mod client;
mod config;
#[cfg(test)]
mod double;
mod error;
mod expression;
mod labels;
mod moment;
mod number;
mod report;
mod selector;
mod summary;
mod tools;
mod window;
mod written;

pub use answer::{ActiveAlert, Answer, Metadata, Point, Rule, RuleKind, Series, Warned};
pub use around::{Around, around};
pub use client::{Prometheus, Window};
pub use config::{Authentication, PrometheusConfig};
pub use error::PrometheusError;
pub use tools::tools;
