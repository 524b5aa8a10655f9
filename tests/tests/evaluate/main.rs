//! `marple eval` as its users run it: over recordings, by the rules, by the agent with a scripted model, and by a program
//! that knows nothing of marple.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod add_case;
mod agent;
mod ground;
mod program;
mod rules;
mod suite;
