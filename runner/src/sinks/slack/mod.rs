//! A Slack channel: one message an incident, changed as the incident changes, with the details in its thread.
//!
//! **No message twice.** Slack takes no idempotency key, so each message carries the incident, the receiver and its
//! part in its `metadata`, and before each post the receipt says durably that it is about to be made. Where an answer
//! was lost, or the program died, the next attempt looks for that metadata in the channel's history, and adopts what
//! it finds. That needs the scope `channels:history` (`groups:history` in a private channel); without it the message
//! is posted again, for one too many is better than none. One gap remains: a post that Slack carries out after its
//! answer timed out *and* after the next attempt has looked.

mod api;
mod config;
mod message;
mod mrkdwn;
mod pace;
mod receipt;
mod refusal;
mod sink;

pub use config::SlackConfig;
pub use sink::SlackSink;
