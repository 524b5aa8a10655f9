//! `marple outbox`: what could not be delivered, and another try.

use anyhow::Context;
use reqwest::Method;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Outbox, Server};
use crate::exit::Exit;
use crate::server::{self, ask};

pub(super) async fn run(arguments: Outbox, cancel: CancellationToken) -> Exit {
    let work = async {
        match arguments {
            Outbox::List { server } => list(&server).await,
            Outbox::Resend { id, server } => resend(&server, id).await,
        }
    };
    server::work(work, &cancel).await
}

async fn list(server: &Server) -> anyhow::Result<()> {
    let rows = ask(server, Method::GET, "/api/outbox/dead", None).await?;
    let rows = rows.as_array().context("the answer is no list")?;
    if rows.is_empty() {
        println!("Nothing is undelivered.");
    }
    for row in rows {
        let text =
            |name: &str| row.get(name).map(|value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        println!(
            "{:>6}  {}  incident {}  {}",
            text("id").unwrap_or_default(),
            text("receiver").unwrap_or_default(),
            text("incident").unwrap_or_default(),
            text("last_error").unwrap_or_default()
        );
    }
    Ok(())
}

async fn resend(server: &Server, id: i64) -> anyhow::Result<()> {
    ask(server, Method::POST, &format!("/api/outbox/{id}/resend"), None).await?;
    println!("{id} is tried again.");
    Ok(())
}
