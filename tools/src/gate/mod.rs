//! Decides what may be called.
