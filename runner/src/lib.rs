//! Takes signals in, folds them into incidents, has them explained, and tells people.

pub mod account;
pub mod api;
pub mod approve;
pub mod chat;
pub mod clock;
pub mod config;
pub mod correlate;
pub mod dispatch;
pub mod handing;
pub mod intake;
pub mod outbox;
pub mod page;
pub mod recordings;
pub mod render;
pub mod route;
pub mod service;
mod signature;
pub mod sinks;
pub mod store;
