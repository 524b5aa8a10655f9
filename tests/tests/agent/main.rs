//! The investigation against a scripted model that refuses what a strict API would: whatever the model does, an
//! outcome comes, in bounded time, that says what could not be seen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod course;
mod faults;
mod first_request;
mod resume;
mod scene;
