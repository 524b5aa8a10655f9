//! Prometheus: a client of its API, the tools that ask it, and what is caught of it when an incident opens.

mod absence;
mod answer;
mod around;
mod change;
mod client;
mod discover;
#[cfg(test)]
mod double;
mod error;
mod expression;
mod graph;
mod labels;
mod narrowed;
mod number;
mod report;
mod selector;
mod summary;
mod tools;
mod toolset;
#[cfg(test)]
mod vendors;
mod window;
mod written;

pub use answer::{ActiveAlert, Answer, Metadata, Point, Rule, RuleKind, Series, Target, Warned};
pub use around::{Around, Measured, around};
pub use client::{Prometheus, Window};
pub use discover::Reach;
pub use error::PrometheusError;
pub use graph::{Graph, PngError};
pub use tools::tools;
pub use toolset::toolset;
