//! Answers that are none, and that are without end.

use std::num::NonZeroU32;

use marple_agent::{Budget, Ending, Limit};
use marple_core::Period;
use marple_tests::model::{ModelDouble, Received, Reply};
use serde_json::{Value, json};

use crate::scene::{budget, config, investigate, investigate_with, told_unseen};

fn whole(message: &Value, reason: &str) -> Reply {
    Reply::Whole(json!({"choices": [{"message": message, "finish_reason": reason}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 5}}))
}

#[tokio::test]
async fn empty_answers_come_to_an_end_and_one_alone_does_no_harm() {
    let model = ModelDouble::start([Reply::text("").forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!(outcome.ending, Ending::Unusable { why: "it was empty".to_owned() });
    assert_eq!((outcome.turns, model.requests().len()), (5, 5));
    told_unseen(&outcome);
    let model = ModelDouble::start([Reply::text(""), Reply::all_is_well()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!((outcome.ending, outcome.turns), (Ending::Concluded, 2));
}

#[tokio::test]
async fn a_refusal_is_no_conclusion_and_what_was_refused_is_told() {
    let refusal = whole(&json!({"content": null, "refusal": "I can't help with that."}), "stop");
    let model = ModelDouble::start([refusal.clone().forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    let why = "it was a refusal: I can't help with that.".to_owned();
    assert_eq!(outcome.ending, Ending::Unusable { why });
    assert_eq!((outcome.turns, outcome.usage.prompt), (5, 5_000), "each was counted");
    told_unseen(&outcome);
    let model = ModelDouble::start([refusal, Reply::all_is_well()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!((outcome.ending, outcome.turns), (Ending::Concluded, 2));
    assert!(model.requests()[1].to_string().contains("was withheld by the provider's filter"));
}

#[tokio::test]
async fn calls_of_an_answer_that_a_filter_cut_are_not_made() {
    let call = json!([{"id": "a", "type": "function", "function": {"name": "logs", "arguments": "{}"}}]);
    let filtered = whole(&json!({"content": "Let me", "tool_calls": call}), "content_filter");
    let model = ModelDouble::start([filtered, Reply::all_is_well()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!((outcome.ending, outcome.turns, outcome.calls), (Ending::Concluded, 2, 0));
}

#[tokio::test]
async fn a_storm_of_429_ends_with_its_reason_after_the_retries() {
    let model = ModelDouble::start([Reply::status(429, "slow down").forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert!(told_unseen(&outcome).ends_with("is asked too much (429: slow down)"), "{outcome:?}");
    assert_eq!((model.requests().len(), outcome.turns), (3, 0));
}

#[tokio::test]
async fn two_hundred_turns_stay_within_the_window_and_are_ended_by_the_budget() {
    let new = Reply::act(|received: &Received| {
        vec![("echo".to_owned(), json!({"of": received.texts().count().to_string()}))]
    });
    let model = ModelDouble::start([new.forever()]).await.unwrap();
    let budget = Budget {
        turns: NonZeroU32::new(200).unwrap(),
        tool_calls: 1_000,
        prompt_tokens: 100_000_000,
        duration: Period::minutes(10),
        ..budget()
    };
    let (outcome, _) = investigate_with(&config(&model.url), budget).await;
    assert_eq!(outcome.ending, Ending::BudgetSpent { limit: Limit::Turns });
    assert_eq!((outcome.turns, outcome.calls, model.requests().len()), (200, 198, 200));
    assert!(outcome.usage.prompt > 200 * 1_000, "all were counted: {:?}", outcome.usage);
    told_unseen(&outcome);
    model.assert_clean();
}
