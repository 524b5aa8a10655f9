//! The Kubernetes tools.
