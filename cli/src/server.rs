//! Asks a marple that serves.

use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::arguments::Server;
use crate::environment;

/// How long the marple that serves may take.
const TIMEOUT: Duration = Duration::from_secs(15);

/// What it answers, with its own words where it refuses.
pub(crate) async fn ask(server: &Server, method: Method, path: &str, body: Option<&Value>) -> anyhow::Result<Value> {
    let client = reqwest::Client::builder().timeout(TIMEOUT).build()?;
    let url = format!("{}{path}", server.url.trim_end_matches('/'));
    let mut request = client.request(method, &url);
    if let Some(token) = environment::token(server.token_file.as_deref())? {
        request = request.bearer_auth(token.expose());
    }
    if let Some(body) = body {
        request = request.json(body);
    }
    let answer = request.send().await.with_context(|| format!("{url} (--url)"))?;
    let status = answer.status();
    let body = answer.text().await.with_context(|| url.clone())?;
    if status == StatusCode::UNAUTHORIZED {
        bail!("{url} refuses the token: set MARPLE_TOKEN or --token-file to the one of `server.token`");
    }
    if !status.is_success() {
        bail!("{url} answered {status}: {}", body.chars().take(300).collect::<String>());
    }
    Ok(serde_json::from_str(&body).unwrap_or(Value::Null))
}
