//! `marple spending`: what the language model costs, and its switch.

use anyhow::Context;
use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::arguments::{Server, Spending};
use crate::environment;
use crate::exit::Exit;
use crate::server::{self, ask};

pub(super) async fn run(arguments: Spending, cancel: CancellationToken) -> Exit {
    let by = |by: Option<String>| by.or_else(|| environment::variable("USER"));
    let work = async {
        match arguments {
            Spending::Show { server } => told(&server, Method::GET, "", None).await,
            Spending::Stop { why, by: who, server } => {
                told(&server, Method::POST, "/stop", Some(json!({ "by": by(who), "why": why }))).await
            }
            Spending::Resume { by: who, server } => {
                told(&server, Method::POST, "/resume", Some(json!({ "by": by(who) }))).await
            }
        }
    };
    server::work(work, &cancel).await
}

/// What the API tells of it.
#[derive(Deserialize)]
struct Standing {
    day: String,
    prompt_tokens: u64,
    completion_tokens: u64,
    cost: f64,
    budget: Budget,
    stopped: Option<Stopped>,
}

#[derive(Deserialize)]
struct Budget {
    prompt_tokens: u64,
    cost: f64,
}

#[derive(Deserialize)]
struct Stopped {
    at: String,
    by: String,
    why: Option<String>,
}

async fn told(server: &Server, method: Method, path: &str, body: Option<serde_json::Value>) -> anyhow::Result<()> {
    let answer = ask(server, method, &format!("/api/spending{path}"), body.as_ref()).await?;
    let Standing { day, prompt_tokens, completion_tokens, cost, budget, stopped } =
        serde_json::from_value(answer).context("the answer is no account of the model")?;
    println!(
        "{day} (UTC): {prompt_tokens} of {} prompt tokens, {completion_tokens} of answers, ${cost:.2} of ${:.2}",
        budget.prompt_tokens, budget.cost
    );
    match stopped {
        None => println!("The language model may be asked."),
        Some(Stopped { at, by, why }) => {
            let why = why.map(|why| format!(" ({why})")).unwrap_or_default();
            println!("Stopped by {by} at {at}{why}; `marple spending resume` lets it go on.");
        }
    }
    Ok(())
}
