//! What the tests across crates stand on: a real cluster, faults staged on it, and doubles that check what they are sent.

pub mod api_server;
pub mod chance;
pub mod cluster;
pub mod forwarding;
pub mod kubeconfig;
pub mod lone_server;
pub mod model;
mod process;
pub mod program;
pub mod proxy;
pub mod slack;
pub mod stage;
pub mod tap;
pub mod usage;
pub mod webhook;
