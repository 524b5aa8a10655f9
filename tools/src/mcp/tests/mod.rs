#![allow(clippy::unwrap_used, missing_docs)]

mod events;
mod http;
mod stdio;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use marple_core::Secret;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::schema::name;
use super::*;
use crate::toolset::{Listing, State, Toolsets};
use crate::{Effect, Look, Output, Redact, Tool, ToolError};

struct Plain;

impl Redact for Plain {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

fn settings(reach: Reach) -> Settings {
    Settings { reach, instructions: None, trusted: false, asks: Vec::new() }
}

fn address(url: &str) -> Address {
    rustls::crypto::ring::default_provider().install_default().ok();
    let headers = [("X-Team".to_owned(), Secret::new("shop"))].into();
    Address { url: url.parse().unwrap(), headers, insecure: false }
}

fn toolsets(settings: Settings) -> Toolsets {
    Toolsets::new([toolset("orders", "Orders.", settings)], Arc::new(Plain))
}

async fn listed(settings: Settings) -> Listing {
    let toolsets = toolsets(settings);
    toolsets.check().await;
    toolsets.list().remove(0)
}

/// Why it is off.
async fn reason(settings: Settings) -> String {
    let listing = listed(settings).await;
    assert_eq!(listing.state, State::Off, "{listing:?}");
    listing.reason.unwrap()
}

async fn call(tool: &Arc<dyn Tool>, arguments: Value) -> Result<Output, ToolError> {
    let look = Look { incident_start: None, now: Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
    tool.call(arguments, &look).await
}

#[test]
fn names_carry_the_server_and_have_letters_that_models_take() {
    assert_eq!(name("orders", "list.open items"), "orders_list_open_items");
    assert_eq!(name("github", "github_search"), "github_search");
    assert_eq!(name("a", &"x".repeat(100)).len(), 64);
}
