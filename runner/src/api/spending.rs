//! What the language model costs, and its switch.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use serde::{Deserialize, Serialize};

use super::ApiState;
use super::endings::Saying;
use super::problem::Problem;
use crate::account::{Account, Balance};
use crate::render::one_line;
use crate::store::Stop;

/// The longest reason, in characters.
const REASON: usize = 1_000;

/// How it stands.
#[derive(Debug, Serialize)]
pub(super) struct Standing {
    /// The day, in UTC.
    day: String,
    prompt_tokens: u64,
    cached_tokens: u64,
    completion_tokens: u64,
    /// US dollars.
    cost: f64,
    budget: Budget,
    /// Who has stopped the model.
    stopped: Option<Stop>,
}

#[derive(Debug, Serialize)]
struct Budget {
    prompt_tokens: u64,
    cost: f64,
}

impl Standing {
    fn of(balance: Balance) -> Self {
        let Balance { day, used, prompt_tokens, cost, stopped } = balance;
        Self {
            day: day.to_string(),
            prompt_tokens: used.prompt,
            cached_tokens: used.cached,
            completion_tokens: used.completion,
            cost: used.dollars(),
            budget: Budget { prompt_tokens, cost },
            stopped,
        }
    }
}

fn account(state: &ApiState) -> Result<Account, Problem> {
    state.balance().ok_or_else(|| Problem::full("marple is starting"))
}

/// What the language model has cost today, and whether it may be asked.
pub(super) async fn shown(State(state): State<ApiState>) -> Result<Json<Standing>, Problem> {
    Ok(Json(Standing::of(account(&state)?.balance().await?)))
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Word {
    by: Option<String>,
    why: Option<String>,
}

impl Word {
    fn read(state: &ApiState, body: &[u8]) -> Result<(String, Option<String>), Problem> {
        let word: Self = if body.is_empty() {
            Self::default()
        } else {
            serde_json::from_slice(body).map_err(|error| {
                Problem::bad_request(format!("the body is as {{\"by\": \"ada\", \"why\": \"too dear\"}}: {error}"))
            })?
        };
        let redact = state.redact();
        let why = word.why.map(|why| redact.redact(&one_line(&why)));
        if why.as_ref().is_some_and(|why| why.chars().count() > REASON) {
            return Err(Problem::bad_request(format!("`why` has at most {REASON} characters")));
        }
        Ok((redact.redact(&Saying { by: word.by }.named()?), why))
    }
}

/// Stops the language model: what is under way is broken off.
pub(super) async fn stop(State(state): State<ApiState>, body: Bytes) -> Result<Json<Standing>, Problem> {
    let (by, why) = Word::read(&state, &body)?;
    account(&state)?.stop(&by, why).await?;
    shown(State(state)).await
}

/// Lets it be asked again.
pub(super) async fn resume(State(state): State<ApiState>, body: Bytes) -> Result<Json<Standing>, Problem> {
    let (by, _) = Word::read(&state, &body)?;
    account(&state)?.resume(&by).await?;
    shown(State(state)).await
}
