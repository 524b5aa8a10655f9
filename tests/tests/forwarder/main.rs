//! The forwarder on a real cluster: each fault is told within seconds, about the right object, and resolved by its repair.
//!
//! Needs `MARPLE_TEST_CONTEXT`, the name of a kubeconfig context; without it each test says so and passes. Faults of one
//! place are staged together, in one namespace, so that their waits run side by side.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod nodes;
mod pods;
mod runs;
mod scope;
mod services;
mod stage;
mod volumes;
mod workloads;
