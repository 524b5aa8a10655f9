//! Going on from a saved state.

use marple_agent::{Ending, Mode, Run};
use marple_tests::model::{ModelDouble, Received, Reply};
use serde_json::{Value, json};

use crate::scene::{Journal, budget, case, config, investigator, look, toolbox};

fn conclusion(received: &Received) -> Value {
    json!({"verdict": "fault", "summary": "The ConfigMap is missing.", "confidence": "high",
        "cause": {"object": "ConfigMap shop/cart-settings", "category": "configuration", "statement": "It doesn't exist.",
            "citations": [received.cite("not found")]}})
}

fn script() -> Vec<Reply> {
    let wrong = |_: &Received| {
        json!({"verdict": "fault", "summary": "s", "confidence": "high", "cause": {"object": "ConfigMap shop/cart-settings",
            "category": "configuration", "statement": "s", "citations": [{"evidence": "e1", "quote": "invented"}]}})
    };
    vec![
        Reply::call("logs", json!({"of": "cart-1"})),
        Reply::call("no_such_tool", json!({})),
        Reply::Calls(vec![("events".to_owned(), json!({})), ("metrics".to_owned(), json!({}))]),
        Reply::conclude(wrong),
        Reply::conclude(conclusion),
    ]
}

#[tokio::test]
async fn from_each_saved_step_it_comes_to_the_same_end_and_repeats_no_saved_request() {
    let toolbox = toolbox().await;
    let model = ModelDouble::start(script()).await.unwrap();
    let journal = Journal::default();
    let whole = investigator(&config(&model.url), budget())
        .investigate(case(Mode::Conclude), None, &toolbox, &look(), &journal)
        .await;
    assert_eq!((&whole.ending, whole.turns, whole.calls), (&Ending::Concluded, 5, 3));
    let requests = model.requests();
    let saved = journal.saved.lock().unwrap().clone();
    assert!(saved.len() >= 9, "{} states", saved.len());
    for state in saved {
        let run: Run = serde_json::from_str(&state).unwrap();
        let answered = run.turns() as usize;
        let rest: Vec<Reply> = script().into_iter().skip(answered).collect();
        // The double has not seen the wrong name that an earlier one called; it stands in the conversation.
        let rest = if answered > 1 && answered < 5 {
            vec![Reply::known("no_such_tool")].into_iter().chain(rest).collect()
        } else {
            rest
        };
        let again = ModelDouble::start(rest).await.unwrap();
        let outcome = investigator(&config(&again.url), budget())
            .investigate(case(Mode::Conclude), Some(run), &toolbox, &look(), &Journal::default())
            .await;
        assert_eq!(outcome, whole, "resumed after {answered} answers");
        assert!(again.requests() == requests[answered..], "other requests when resumed after {answered} answers");
        again.assert_clean();
    }
}
