//! HolmesGPT's wire.

use super::*;

#[tokio::test]
async fn errors_under_the_paths_of_holmesgpt_have_its_detail() {
    let model = ModelDouble::new("double", []);
    let bench = Bench::of(&model).await;
    for (method, path) in [
        ("POST", "/api/chat"),
        ("GET", "/api/chat/0190a5d0-0000-7000-8000-000000000000"),
        ("POST", "/api/investigate"),
        ("POST", "/api/issue_chat"),
        ("POST", "/api/checks/execute"),
        ("GET", "/api/model"),
        ("GET", "/api/info"),
    ] {
        let closed = bench.send("wrong", method, path, "", "").await;
        assert_eq!(closed.status, 401, "{path}");
        assert!(closed.json()["detail"].as_str().is_some_and(|why| why.contains("bearer token")), "{}", closed.body);
    }
    let empty = bench.post("/api/chat", &json!({"ask": ""})).await;
    let why = empty.json()["detail"].clone();
    assert!(empty.status == 400 && why.as_str().is_some_and(|why| why.contains("`ask` is empty")), "{}", empty.body);
    let own = bench.send("wrong", "GET", "/api/incidents", "", "").await;
    assert!(own.status == 401 && own.json()["detail"].is_null(), "{}", own.body);
}

#[tokio::test]
async fn a_look_that_shows_nothing_gave_no_data() {
    let look = |what: &str| Deed::Call("look", json!({ "what": what }));
    let model = ModelDouble::new("double", [look("nothing"), look("grass"), Deed::Say("Yes [e2].")]);
    let bench = Bench::of(&model).await;
    let answer = bench.chat(&json!({"ask": "Is it green?", "stream": null, "enable_tool_approval": null})).await;
    let status = |call: usize| answer["tool_calls"][call]["result"]["status"].clone();
    assert_eq!((status(0), status(1)), ("no_data".into(), "success".into()), "{answer}");
}

#[tokio::test]
async fn a_model_that_is_asked_too_much_is_an_error_with_the_code_of_rate_limits() {
    let fail = |error: marple_agent::ModelError| Deed::Fail(error);
    let limited = || marple_agent::ModelError::RateLimited("the server is asked too much (slow down)".to_owned());
    let away = marple_agent::ModelError::Unavailable("the server is away".to_owned());
    let model = ModelDouble::new("double", [fail(limited()), fail(away), fail(limited())]);
    let bench = Bench::of(&model).await;
    for (code, words) in [(5204, "slow down"), (1, "the server is away")] {
        let told = events(&bench.post("/api/chat", &json!({"ask": "a", "stream": true})).await.body);
        let (name, _, data) = told.last().unwrap();
        assert_eq!((name.as_str(), &data["error_code"], &data["success"]), ("error", &code.into(), &false.into()));
        assert!(data["msg"].as_str().unwrap().contains(words) && data["description"] == data["msg"], "{data}");
    }
    let whole = bench.post("/api/chat", &json!({"ask": "a"})).await;
    assert_eq!((whole.status, &whole.json()["error_code"]), (429, &5204.into()), "{}", whole.body);
}

#[tokio::test]
async fn an_empty_question_goes_on_with_the_one_that_the_history_ends_in() {
    let model = ModelDouble::new("double", [Deed::Say("Yes.")]);
    let bench = Bench::of(&model).await;
    let system = json!({"role": "system", "content": "Be kind."});
    let open = json!([system, {"role": "user", "content": "Is it green?"}, {"role": "assistant", "content": "Let me look.",
        "tool_calls": [{"id": "1"}]}, {"role": "tool", "tool_call_id": "1", "content": "x"}]);
    let answer = bench.chat(&json!({"ask": "", "conversation_history": open})).await;
    let said = answer["conversation_history"].as_array().unwrap();
    let told: Vec<&Value> = said.iter().map(|one| &one["content"]).collect();
    assert_eq!(told, ["Be kind.", "Is it green?", "Yes."]);
    assert!(model.case(0).contains("Is it green?") && model.case(0).contains("Be kind."), "{}", model.case(0));
    let answered = bench.post("/api/chat", &json!({"ask": "", "conversation_history": said})).await;
    assert_eq!(answered.status, 400, "{}", answered.body);
    let part = json!([{"role": "user", "content": [{"type": "image_url"}]}]);
    assert_eq!(bench.post("/api/chat", &json!({"ask": "a", "conversation_history": part})).await.status, 400);
}

#[tokio::test]
async fn the_history_holds_what_was_asked_and_nothing_that_was_wished_beside_it() {
    let model = ModelDouble::new("double", [Deed::Say("Yes."), Deed::Say("Still."), Deed::Say("And now.")]);
    let bench = Bench::of(&model).await;
    let mut history = json!([{"role": "system", "content": "Be kind."}]);
    for (turn, question) in ["Is it green?", "And now?", "And then?"].into_iter().enumerate() {
        let body = json!({"ask": question, "conversation_history": history, "additional_system_prompt": "Be short."});
        history = bench.chat(&body).await["conversation_history"].clone();
        let case = model.case(turn);
        assert!(case.contains(&format!("{question}\n\nBe kind.\nBe short.")), "{case}");
    }
    let of = |role: &str| -> Vec<&str> {
        let said = history.as_array().unwrap().iter().filter(|one| one["role"] == role);
        said.map(|one| one["content"].as_str().unwrap()).collect()
    };
    assert_eq!(of("user"), ["Is it green?", "And now?", "And then?"]);
    assert_eq!(of("system"), ["Be kind."]);
    assert!(model.case(2).contains("- asked: Is it green?\n  answered: Yes.\n- asked: And now?"), "{}", model.case(2));
}

#[tokio::test]
async fn no_secret_that_people_or_clients_tell_reaches_the_model() {
    let secret = format!("password={PASSWORD}");
    let told = |words: &str| format!("{words} {secret}");
    let history = json!([
        {"role": "system", "content": told("System")}, {"role": "user", "content": told("First?")},
        {"role": "assistant", "content": told("Answer.")},
    ]);
    let mut messages = history.clone();
    messages.as_array_mut().unwrap().push(json!({"role": "user", "content": told("Second?")}));
    let tools = json!([{"name": told("kubectl"), "description": told("pods"), "output": told("Output")}]);
    let requests = [
        (
            "/api/chat",
            json!({"ask": told("Second?"), "conversation_history": history,
            "additional_system_prompt": told("Prompt")}),
        ),
        ("/v1/chat/completions", json!({ "messages": messages })),
        (
            "/api/investigate",
            json!({"title": told("Title"), "description": told("Description"),
            "subject": {"a": secret}, "context": {"b": secret}, "sections": {"Cause": secret}}),
        ),
        (
            "/api/issue_chat",
            json!({"ask": told("Second?"), "issue_type": secret, "conversation_history": history,
            "investigation_result": {"result": told("Result"), "tools": tools}}),
        ),
        ("/api/checks/execute", json!({"query": told("All is green")})),
    ];
    let look = || Deed::Call("evidence_read", json!({"id": "e1"}));
    let script = requests.iter().flat_map(|_| [look(), Deed::Say("PASS")]);
    let model = ModelDouble::new("double", script);
    let bench = Bench::of(&model).await;
    for (path, body) in &requests {
        let answer = bench.post(path, body).await;
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
    }
    assert_eq!(model.asked(), 2 * requests.len());
    for request in 0..model.asked() {
        let told = model.told(request);
        assert!(!told.contains(PASSWORD), "{request}: {told}");
        assert!(told.contains("[redacted:"), "{request}: {told}");
    }
}

#[tokio::test]
async fn an_investigation_gives_the_sections_and_calls_that_were_wanted() {
    let answer = "## Cause\nGrass [e1].\n\n## Next steps\nMow it.";
    let script = (0..3).flat_map(|_| [Deed::Call("look", json!({"what": "grass"})), Deed::Say(answer)]);
    let model = ModelDouble::new("double", script);
    let bench = Bench::of(&model).await;
    let ask = async |more: Value| {
        let mut body = json!({"source": "prometheus", "title": "Green"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = bench.post("/api/investigate", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.json()
    };
    let plain = ask(json!({"sections": null})).await;
    assert_eq!(
        (&plain["sections"], &plain["tool_calls"], &plain["analysis"]),
        (&json!({}), &json!([]), &answer.into())
    );
    let sections = json!({"Cause": "What it is", "Next steps": "What to do", "Logs": null});
    let calls = ask(json!({"sections": sections, "include_tool_calls": true})).await;
    assert_eq!(calls["sections"], json!({"Cause": "Grass [e1].", "Next steps": "Mow it.", "Logs": null}));
    let result = |answer: &Value| answer["tool_calls"][0]["result"].clone();
    assert_eq!((&result(&calls)["status"], &result(&calls)["data"]), (&"success".into(), &Value::Null));
    let results = ask(json!({"include_tool_calls": true, "include_tool_call_results": true})).await;
    assert!(result(&results)["data"].as_str().is_some_and(|data| data.contains("grass is green")), "{results}");
    assert!(model.case(2).contains("## Next steps\nWhat to do"), "{}", model.case(2));
}

#[tokio::test]
async fn what_a_client_has_looked_at_itself_is_evidence_of_its_question() {
    let read = Deed::Call("evidence_read", json!({"id": "e2", "from": -5}));
    let model = ModelDouble::new("double", [read, Deed::Say("The second [e2].")]);
    let bench = Bench::of(&model).await;
    let tools = json!([
        {"name": "kubectl_get", "description": "pods", "output": "cart-1 Running"},
        {"name": "kubectl_logs", "output": format!("first line\n{}panic: no config\n", "filler\n".repeat(200))},
        {"name": "null", "output": null},
    ]);
    let body = json!({"ask": "Which one?", "investigation_result": {"result": "It lacks memory.", "tools": tools}});
    let answer = bench.post("/api/issue_chat", &body).await.json();
    assert_eq!(answer["analysis"], "The second [e2].", "{answer}");
    let case = model.case(0);
    assert!(case.contains("kubectl_get: pods (as the client tells it)"), "{case}");
    assert!(case.contains("e2 kubectl_logs (as the client tells it)"), "{case}");
    assert!(model.told(1).contains("panic: no config"), "{}", model.told(1));
}
