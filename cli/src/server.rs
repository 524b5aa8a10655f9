//! Asks a marple that serves.

use std::time::Duration;

use anyhow::{Context, bail};
use marple_core::Secret;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::arguments::Server;
use crate::environment;
use crate::exit::Exit;

/// How long the marple that serves may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// Does what asks it, until that ends or is cancelled.
pub(crate) async fn work(work: impl Future<Output = anyhow::Result<()>>, cancel: &CancellationToken) -> Exit {
    tokio::select! {
        () = cancel.cancelled() => Exit::Interrupted,
        ended = work => match ended {
            Ok(()) => Exit::Done,
            Err(error) => Exit::Failed(error),
        },
    }
}

/// What it answers, with its own words where it refuses.
pub(crate) async fn ask(server: &Server, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let answer = send(&client, server, method, path, body).await?;
    let url = answer.url().clone();
    let body = answer.text().await.with_context(|| url.to_string())?;
    Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
}

/// Sends a request by this client; an answer that is a refusal is an error with its words.
pub(crate) async fn send(
    client: &reqwest::Client,
    server: &Server,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Response> {
    let token = environment::token(server.token_file.as_deref())?;
    send_as(token.as_ref(), client, server, method, path, body).await
}

/// The same by who bears this token.
pub(crate) async fn send_as(
    token: Option<&Secret>,
    client: &reqwest::Client,
    server: &Server,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> anyhow::Result<Response> {
    let url = format!("{}{path}", server.url.trim_end_matches('/'));
    let mut request = client.request(method, &url);
    if let Some(token) = token {
        request = request.bearer_auth(token.expose());
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.with_context(|| format!("{url} (--url)"))?;
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    if status == StatusCode::UNAUTHORIZED {
        bail!("{url} refuses the token: set MARPLE_TOKEN or --token-file to the one of `server.token`");
    }
    let body = answer.text().await.with_context(|| url.clone())?;
    bail!("{url} answered {status}: {}", body.chars().take(300).collect::<String>())
}
