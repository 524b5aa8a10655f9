//! A double of Slack's API that refuses what Slack refuses, with Slack's own errors, and remembers every fault of its
//! caller: a test ends with [`SlackDouble::assert_clean`].
//!
//! Rules and limits are those of docs.slack.dev (methods, Block Kit reference, message metadata, rate limits). Beyond
//! them it holds the caller to what marple promises: no mention, no link but of the web, no open fence of code, no text
//! that Slack may turn into links by itself.
#![allow(clippy::indexing_slicing, clippy::missing_panics_doc, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod blocks;
mod double;
mod house;
mod methods;
mod request;
mod state;

pub use blocks::check_blocks;
pub use double::SlackDouble;
pub use house::check_house;
pub use state::{Call, Fault, SlackFile, SlackMessage, Version};
