//! Calls that need a person's word.

use super::*;

/// What a client sends to go on with what waits.
pub(super) fn word(waits: &Value, approved: bool) -> Value {
    json!({
        "ask": "", "conversation_history": waits["conversation_history"], "enable_tool_approval": true,
        "tool_decisions": [{"tool_call_id": waits["pending_approvals"][0]["tool_call_id"], "approved": approved}],
    })
}

pub(super) async fn decide(bench: &Bench, waits: &Value, approved: bool) -> Answer {
    bench.send(APPROVER, "POST", "/api/chat", "", &word(waits, approved).to_string()).await
}

fn change(what: &str) -> Deed {
    Deed::Call("change", json!({ "what": what }))
}

const CHANGE: &str = "Change both.";

#[tokio::test]
async fn a_call_is_refused_where_the_client_did_not_say_that_it_may_be_asked() {
    let model = ModelDouble::new("double", [change("one"), Deed::Say("It needs a person.")]);
    let bench = Bench::of(&model).await;
    let answer = bench.chat(&json!({"ask": CHANGE})).await;
    let result = &answer["tool_calls"][0]["result"];
    assert_eq!((&result["status"], &answer["pending_approvals"]), (&"error".into(), &Value::Null), "{answer}");
    assert!(result["error"].as_str().unwrap().contains("`enable_tool_approval`"), "{result}");
    assert_eq!((bench.changes(), answer["analysis"].as_str()), (0, Some("It needs a person.")));
}

#[tokio::test]
async fn a_stream_ends_at_each_call_that_needs_a_word_and_each_word_goes_on_with_it() {
    for restarts in [false, true] {
        let model = ModelDouble::new("double", [change("one"), change("two"), Deed::Say("Both.")]);
        let again = ModelDouble::new("double", [change("one"), change("two"), Deed::Say("Both.")]);
        let mut bench = Bench::of(&model).await;
        let asked = json!({"ask": CHANGE, "stream": true, "enable_tool_approval": true});
        let first = events(&bench.post("/api/chat", &asked).await.body);
        let ends = ["start_tool_calling", "tool_calling_result", "approval_required"];
        assert_eq!(names(&first), ends);
        let of = |name: &str| &first.iter().find(|event| event.0 == name).unwrap().2;
        let call = of("tool_calling_result");
        assert_eq!(
            (&call["result"]["status"], &call["tool_call_id"]),
            (&"approval_required".into(), &of("start_tool_calling")["id"])
        );
        if restarts {
            bench.restart(&[("double", &again)]);
        }
        let decided = |waits: &Value| {
            let mut body = word(waits, true);
            body["stream"] = true.into();
            body
        };
        let send =
            async |body: Value| events(&bench.send(APPROVER, "POST", "/api/chat", "", &body.to_string()).await.body);
        let second = send(decided(&first.last().unwrap().2)).await;
        assert_eq!(second.last().unwrap().0, "approval_required", "{restarts}: {second:#?}");
        assert_eq!(second.last().unwrap().2["pending_approvals"][0]["params"]["what"], "two");
        let third = send(decided(&second.last().unwrap().2)).await;
        let end = third.last().unwrap();
        assert_eq!((end.0.as_str(), &end.2["analysis"]), ("ai_answer_end", &"Both.".into()), "{third:#?}");
        assert_eq!(bench.changes(), 2, "{restarts}");
        let said: Vec<&Value> = end.2["conversation_history"].as_array().unwrap().iter().collect();
        let asked: Vec<&Value> = said.iter().filter(|one| one["role"] == "user").map(|one| &one["content"]).collect();
        assert_eq!(asked, [CHANGE], "{restarts}");
    }
}

#[tokio::test]
async fn a_decision_that_can_not_be_used_now_can_be_sent_again() {
    let model = ModelDouble::new("double", [change("one")]);
    let mut bench = Bench::of(&model).await;
    let waits = bench.chat(&json!({"ask": CHANGE, "enable_tool_approval": true})).await;
    let hanging = std::iter::repeat_with(|| Deed::Later("Yes.")).take(8);
    let again = ModelDouble::new("double", hanging.chain([change("one"), Deed::Say("Changed.")]));
    bench.restart(&[("double", &again)]);
    let mut busy = Vec::new();
    for number in 1..=8 {
        let mut stream = TcpStream::connect(bench.server.address).await.unwrap();
        let body = json!({"ask": "Is it green?"}).to_string();
        stream.write_all(&request(TOKEN, "POST", "/api/chat", "", &body)).await.unwrap();
        busy.push(stream);
        again.waits(number).await;
    }
    let full = decide(&bench, &waits, true).await;
    assert_eq!((full.status, &full.json()["error_code"]), (429, &5204.into()), "{}", full.body);
    drop(busy);
    again.waits(0).await;
    for (field, value) in [
        ("conversation_history", json!([])),
        ("model", json!("another")),
        ("images", json!(["http://x"])),
        ("incident", json!(IncidentId::new())),
    ] {
        let mut body = word(&waits, true);
        body[field] = value;
        let refused = bench.send(APPROVER, "POST", "/api/chat", "", &body.to_string()).await;
        assert!([400, 404].contains(&refused.status), "{field}: {} {}", refused.status, refused.body);
    }
    let done = tokio::time::timeout(Duration::from_secs(20), async {
        loop {
            // The last of those that left may still hold its place for a moment.
            let done = decide(&bench, &waits, true).await;
            if done.status != 429 {
                break done;
            }
            tokio::task::yield_now().await;
        }
    });
    let done = done.await.unwrap();
    assert_eq!((done.status, &done.json()["analysis"]), (200, &"Changed.".into()), "{}", done.body);
    assert_eq!(bench.changes(), 1);
    assert_eq!(decide(&bench, &waits, true).await.status, 409, "an answer counts once");
}
