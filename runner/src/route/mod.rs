//! Which incident goes to which receiver.

mod config;
mod matcher;
mod routes;

pub use config::{RouteConfig, RouteRule};
pub use matcher::{Matcher, MatcherError, Operator};
pub use routes::{RouteError, Routes};
