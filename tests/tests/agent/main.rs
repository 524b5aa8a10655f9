//! The investigation against a scripted model that refuses what a strict API would: whatever the model does, an
//! outcome comes, in bounded time, that says what could not be seen.
//!
//! | the model | where |
//! |---|---|
//! | calls several tools at once | `course`: `a_cited_conclusion_arrives…` |
//! | writes broken JSON, wrong ids, no arguments | `faults`: `bad_arguments_and_ids…` |
//! | breaks off, pauses, never answers | `faults`: `a_cut_answer…`, `a_stream_that_pauses…`, `a_model_that_never_answers…` |
//! | answers 429, 500, nonsense, refuses the key | `faults`: `too_many_requests…`, `a_server_that_stays_down…`; `answers`: `a_storm…` |
//! | calls tools that aren't there | `faults`: `wrong_tool_names…` |
//! | says nothing, refuses, is filtered | `answers` |
//! | goes on without end | `faults`: `words_without_end…`, `looks_without_end…`; `answers`: `two_hundred_turns…` |
//! | runs out of its window | `course`: `a_long_investigation…`, `faults`: `a_request_that_is_too_long…` |
//! | reads a log that speaks to it | `course`: `output_that_speaks…`, `providers`: `a_log_that_holds_a_call…` |
//! | calls by words, wants back what it gave | `providers` |
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod answers;
mod course;
mod faults;
mod first_request;
mod providers;
mod resume;
mod scene;
