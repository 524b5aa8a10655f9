//! The Prometheus tools.
