//! A backend that is reached over HTTP: where it is, how it is spoken to, and what its answers and failures are.
//!
//! Each backend (Prometheus, a log store, a trace store) has one, and adds what only it knows: its paths, its queries
//! and the form of its answers. Nothing that logs in is ever part of an error, also where the backend repeats it.

mod client;
mod config;
pub(crate) mod credentials;
mod error;
mod form;
mod reply;
#[cfg(test)]
mod tests;
pub(crate) mod tls;

pub use client::Endpoint;
pub(crate) use client::ServicePath;
pub use config::{Authentication, ClientCertificate, EndpointConfig};
pub use error::{EndpointError, Peer};
pub(crate) use error::{chain, deepest};
pub use reply::Reply;
