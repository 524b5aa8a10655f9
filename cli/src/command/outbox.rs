//! `marple outbox`: what could not be delivered, and another try.

use std::time::Duration;

use anyhow::{Context, bail};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Outbox, Server};
use crate::environment;
use crate::exit::Exit;

/// How long the marple that serves may take.
const TIMEOUT: Duration = Duration::from_secs(15);

pub(super) async fn run(arguments: Outbox, cancel: CancellationToken) -> Exit {
    let work = async {
        match arguments {
            Outbox::List { server } => list(&server).await,
            Outbox::Resend { id, server } => resend(&server, id).await,
        }
    };
    tokio::select! {
        () = cancel.cancelled() => Exit::Interrupted,
        ended = work => match ended {
            Ok(()) => Exit::Done,
            Err(error) => Exit::Failed(error),
        },
    }
}

async fn list(server: &Server) -> anyhow::Result<()> {
    let rows = ask(server, reqwest::Method::GET, "/api/outbox/dead").await?;
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
    ask(server, reqwest::Method::POST, &format!("/api/outbox/{id}/resend")).await?;
    println!("{id} is tried again.");
    Ok(())
}

async fn ask(server: &Server, method: reqwest::Method, path: &str) -> anyhow::Result<Value> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let url = format!("{}{path}", server.url.trim_end_matches('/'));
    let mut request = client.request(method, &url);
    if let Some(token) = environment::token(server.token_file.as_deref())? {
        request = request.bearer_auth(token.expose());
    }
    let answer = request.send().await.with_context(|| format!("{url} (--url)"))?;
    let status = answer.status();
    let body = answer.text().await.with_context(|| url.clone())?;
    if status == reqwest::StatusCode::UNAUTHORIZED {
        bail!("{url} refuses the token: set MARPLE_TOKEN or --token-file to the one of `server.token`");
    }
    if !status.is_success() {
        bail!("{url} answered {status}: {}", body.chars().take(300).collect::<String>());
    }
    Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
}
