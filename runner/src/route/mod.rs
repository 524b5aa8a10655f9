//! Which incident goes to which receiver.

mod config;
mod matcher;
mod meets;
mod routes;

pub use config::{RouteConfig, RouteRule};
pub use matcher::{Matcher, MatcherError, Operator};
pub(crate) use meets::meets;
pub use routes::{RouteError, Routes};
