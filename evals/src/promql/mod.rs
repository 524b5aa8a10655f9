//! Evaluates `PromQL` over recorded series, with the values that Prometheus 3 gives.
//!
//! What is supported is exact: the same samples, the same result. What is not supported (native histograms, the
//! experimental functions, `fill`) is refused with a clear error, never answered wrongly. The rules are those of
//! <https://prometheus.io/docs/prometheus/latest/querying/basics/>: ranges and the lookback are open to the left,
//! markers of staleness end a series at once.

mod aggregate;
mod binary;
mod calendar;
mod compile;
pub mod coverage;
mod error;
mod evaluate;
mod foremost;
mod histogram;
mod matching;
mod metric;
pub mod number;
mod over;
mod plan;
mod rate;
mod relabel;
mod select;
mod store;
mod sum;
#[cfg(test)]
mod tests;

pub use error::QueryError;
pub use select::LOOKBACK;
pub use store::{Element, Points, Result, Store};
