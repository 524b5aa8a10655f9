//! What was looked at in a conversation.

use async_trait::async_trait;
use marple_agent::{Exchange, Progress, Run, SaveError, Told};
use marple_tools::MemoryEvidence;

use super::*;
use crate::dispatch::Topic;

fn look(what: &str) -> Deed {
    Deed::Call("look", json!({ "what": what }))
}

#[tokio::test]
async fn the_evidence_of_a_conversation_goes_on_and_can_be_opened() {
    let script = [
        look("grass"),
        Deed::Say("Grass is [e1]."),
        look("leaves"),
        Deed::Say("Leaves too [e2]."),
        look("moss"),
        Deed::Say("Moss too [e3]."),
    ];
    let model = ModelDouble::new("double", script);
    let bench = Bench::of(&model).await;
    let first = bench.chat(&json!({"ask": "What is green?"})).await;
    let conversation = first["metadata"]["conversation_id"].clone();
    bench.chat(&json!({"ask": "What else?", "conversation_id": conversation})).await;
    assert!(model.case(2).contains("e1 a look at grass"), "{}", model.case(2));
    // A client that knows no ids of conversations gives back the history.
    let history = &first["conversation_history"];
    let third = bench.chat(&json!({"ask": "And more?", "conversation_history": history})).await;
    assert_eq!(third["metadata"]["conversation_id"], conversation);

    let base = format!("/api/conversations/{}/evidence", conversation.as_str().unwrap());
    let listed = bench.get(&base).await.json();
    let titles: Vec<String> =
        listed.as_array().unwrap().iter().map(|one| format!("{} {}", one["id"], one["title"])).collect();
    assert_eq!(titles, ["\"e1\" \"a look at grass\"", "\"e2\" \"a look at leaves\"", "\"e3\" \"a look at moss\""]);
    assert_eq!(bench.get(&format!("{base}/e2")).await.json()["content"], "leaves is green\n");
    assert_eq!(bench.get(&format!("{base}/e1/text")).await.body, "grass is green\n");
    assert_eq!(bench.send("wrong", "GET", &format!("{base}/e1"), "", "").await.status, 401);
    for (path, status) in [
        (format!("{base}/e9"), 404),
        (format!("{base}/x"), 400),
        (format!("/api/conversations/{}/evidence", marple_core::ConversationId::new()), 404),
        ("/api/conversations/x/evidence".to_owned(), 400),
    ] {
        assert_eq!(bench.get(&path).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn after_a_restart_the_ids_of_a_conversation_go_on_after_those_that_were_cited() {
    let model = ModelDouble::new("double", [look("grass"), Deed::Say("Grass is [e1].")]);
    let again = ModelDouble::new("double", [look("leaves"), Deed::Say("Leaves too [e2].")]);
    let mut bench = Bench::of(&model).await;
    let first = bench.chat(&json!({"ask": "What is green?"})).await;
    bench.restart(&[("double", &again)]);
    let conversation = &first["metadata"]["conversation_id"];
    let second = bench.chat(&json!({"ask": "What else?", "conversation_id": conversation})).await;
    let data = second["tool_calls"][0]["result"]["data"].as_str().unwrap();
    assert!(data.starts_with("[e2] a look at leaves"), "{data}");
}

struct Nobody;

#[async_trait]
impl Progress for Nobody {
    async fn save(&self, _run: &Run) -> Result<(), SaveError> {
        Ok(())
    }

    async fn told(&self, _told: Told) {}
}

#[tokio::test]
async fn what_is_asked_at_a_terminal_is_told_without_secrets_and_goes_on_with_its_evidence() {
    let model = ModelDouble::new("double", [look("grass"), Deed::Say("[e1]"), Deed::Say("Still.")]);
    let once = Once { investigator: Some(investigator(&model)), ..once().0 };
    let log = Arc::new(MemoryEvidence::default());
    let told = |words: &str| format!("{words} password={PASSWORD}");
    for earlier in [Vec::new(), vec![Exchange { question: told("First?"), answer: told("It is [e1].") }]] {
        let topic = Topic::Question { question: told("Is it green?"), earlier };
        let cancel = CancellationToken::new();
        once.investigate_in(Arc::clone(&log), topic, Timestamp::now(), &cancel, &Nobody).await.unwrap();
    }
    for request in 0..model.asked() {
        assert!(!model.told(request).contains(PASSWORD), "{}", model.told(request));
    }
    let case = model.case(2);
    assert!(case.contains("First? password=[redacted:") && case.contains("e1 a look at grass"), "{case}");
}
