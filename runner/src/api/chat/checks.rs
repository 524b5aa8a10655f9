//! HolmesGPT's `/api/checks/execute`: a question that passes or fails.

use std::time::{Duration, Instant};

use axum::Json;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{End, body, heard};
use crate::api::ApiState;
use crate::api::problem::Problem;
use crate::chat::Question;

/// How long a check may take where nobody says, and at most.
const TIMEOUT: u64 = 30;
const LONGEST: u64 = 900;

/// What the answer has to begin with.
const WISH: &str = "This is a check. Begin the answer with the one word PASS where all that is asked holds, or FAIL where \
                    it does not or can't be seen; then the reasons.";

/// A check.
#[derive(Debug, Deserialize)]
pub(super) struct Check {
    query: String,
    #[serde(default)]
    timeout: Option<u64>,
    #[serde(default)]
    destinations: Option<Vec<Value>>,
    #[serde(default)]
    model: Option<String>,
}

/// Makes a check.
pub(super) async fn execute(
    State(state): State<ApiState>,
    sent: Result<Json<Check>, JsonRejection>,
) -> Result<Json<Value>, Problem> {
    let chat = super::chat(&state)?;
    let Check { query, timeout, destinations, model } = body(sent)?;
    if query.trim().is_empty() {
        return Err(Problem::bad_request("`query` is empty: say what has to hold"));
    }
    if destinations.is_some_and(|destinations| !destinations.is_empty()) {
        return Err(Problem::bad_request("`destinations`: a check tells its result to who asks, and nobody else"));
    }
    let within = Duration::from_secs(timeout.unwrap_or(TIMEOUT).clamp(1, LONGEST));
    let began = Instant::now();
    let question = Question { text: query, wishes: WISH.to_owned(), model, ..Question::default() };
    let (talk, listener) = chat.begin(question).await?;
    let ended = tokio::time::timeout(within, heard(listener)).await;
    let (status, message, error) = match ended {
        Err(_) => ("error", String::new(), Some(format!("no answer in {} s; raise `timeout`", within.as_secs()))),
        Ok(Err(problem)) => ("error", String::new(), Some(problem.into_words())),
        Ok(Ok((_, End::Asked(_)))) => ("error", String::new(), Some("it waits for a person's word".to_owned())),
        Ok(Ok((_, End::Answered(answered)))) => match verdict(&answered.text) {
            Some((status, rest)) => (status, rest, None),
            None => ("error", answered.text, Some("the answer says neither PASS nor FAIL".to_owned())),
        },
    };
    Ok(Json(json!({
        "status": status,
        "message": message.lines().next().unwrap_or_default(),
        "rationale": message,
        "duration": began.elapsed().as_secs_f64(),
        "error": error,
        "model_used": talk.model(),
    })))
}

/// What an answer begins with, and the rest of it.
fn verdict(answer: &str) -> Option<(&'static str, String)> {
    let bare = answer.trim_start_matches(|letter: char| !letter.is_ascii_alphabetic());
    let rest = |rest: &str| rest.trim_start_matches(|letter: char| !letter.is_alphanumeric()).to_owned();
    [("PASS", "pass"), ("FAIL", "fail")].into_iter().find_map(|(word, status)| {
        let after = bare.strip_prefix(word)?;
        let whole = !after.starts_with(|letter: char| letter.is_alphanumeric());
        whole.then(|| (status, rest(after)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_word_of_an_answer_decides() {
        assert_eq!(verdict("PASS. All pods are ready [e1]."), Some(("pass", "All pods are ready [e1].".to_owned())));
        assert_eq!(verdict("**FAIL** — cart restarts."), Some(("fail", "cart restarts.".to_owned())));
        assert_eq!(verdict("It does not PASS."), None);
        assert_eq!(verdict("PASSWORDS are old"), None);
        assert_eq!(verdict(""), None);
    }
}
