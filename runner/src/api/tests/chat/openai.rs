//! OpenAI's wire.

use super::*;

const COMPLETIONS: &str = "/v1/chat/completions";

fn user(content: impl Into<Value>) -> Value {
    json!([{"role": "user", "content": content.into()}])
}

#[tokio::test]
async fn fields_that_are_null_are_as_absent() {
    let model = ModelDouble::new("double", [Deed::Say("Yes.")]);
    let bench = Bench::of(&model).await;
    let mut body = json!({"messages": user("Is it green?")});
    for field in [
        "model",
        "stream",
        "stream_options",
        "n",
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "tools",
        "tool_choice",
        "user",
        "stop",
        "seed",
        "response_format",
        "logprobs",
        "metadata",
        "parallel_tool_calls",
    ] {
        body[field] = Value::Null;
    }
    let answer = bench.post(COMPLETIONS, &body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["choices"][0]["message"]["content"], "Yes.");
    assert_eq!(answer.json()["model"], "marple");
}

#[tokio::test]
async fn errors_are_those_of_openai_whoever_gives_them() {
    let model =
        ModelDouble::new("double", [Deed::Fail(marple_agent::ModelError::Denied("the key is wrong".to_owned()))]);
    let bench = Bench::of(&model).await;
    let error = |answer: &Answer| {
        let error = answer.json()["error"].clone();
        assert!(error["message"].as_str().is_some_and(|words| !words.is_empty()), "{}", answer.body);
        assert!(header(answer, "content-type").starts_with("application/json"));
        (answer.status, error["type"].clone(), error["param"].clone(), error["code"].clone())
    };
    let null = || Value::Null;
    let closed = bench.send("wrong", "GET", "/v1/models", "", "").await;
    assert_eq!(error(&closed), (401, "authentication_error".into(), null(), "invalid_api_key".into()));
    assert!(closed.head.contains("www-authenticate: bearer"), "{}", closed.head);
    let request = || Value::from("invalid_request_error");
    assert_eq!(error(&bench.get("/v1/nothing").await), (404, request(), null(), null()));
    assert_eq!(error(&bench.get(COMPLETIONS).await), (405, request(), null(), null()));
    assert_eq!(error(&bench.get("/v1/models/a/b").await), (404, request(), "model".into(), "model_not_found".into()));
    let part = |kind: &str| user(json!([{"type": "text", "text": "See."}, {"type": kind, kind: {"url": "http://x"}}]));
    for (body, param) in [
        (json!({"messages": "x"}), null()),
        (json!({"messages": []}), "messages".into()),
        (json!({"messages": user(" ")}), "messages".into()),
        (json!({"messages": part("image_url")}), "messages".into()),
        (json!({"messages": part("input_audio")}), "messages".into()),
        (json!({"messages": user("a"), "response_format": {"type": "json_object"}}), "response_format".into()),
        (json!({"messages": user("a"), "n": 2}), "n".into()),
    ] {
        assert_eq!(error(&bench.post(COMPLETIONS, &body).await), (400, request(), param, null()), "{body}");
    }
    let failed = bench.post(COMPLETIONS, &json!({"messages": user("a"), "response_format": {"type": "text"}})).await;
    assert_eq!(error(&failed), (500, "server_error".into(), null(), null()));
    assert!(failed.body.contains("the key is wrong"), "{}", failed.body);
}

#[tokio::test]
async fn want_of_room_is_a_rate_limit_before_and_in_a_stream() {
    let slow = marple_agent::ModelError::RateLimited("the server is asked too much (slow down)".to_owned());
    let later = std::iter::repeat_with(|| Deed::Later("Yes.")).take(8);
    let model = ModelDouble::new("double", [Deed::Fail(slow)].into_iter().chain(later));
    let bench = Bench::of(&model).await;
    let streamed = bench.post(COMPLETIONS, &json!({"messages": user("a"), "stream": true})).await;
    let told = events(&streamed.body);
    let error = &told.iter().find(|(_, _, data)| data["error"].is_object()).unwrap().2["error"];
    assert_eq!((&error["type"], &error["code"]), (&"rate_limit_error".into(), &"rate_limit_exceeded".into()));
    let mut busy = Vec::new();
    for number in 1..=8 {
        let mut stream = TcpStream::connect(bench.server.address).await.unwrap();
        let body = json!({"messages": user("a")}).to_string();
        stream.write_all(&request(TOKEN, "POST", COMPLETIONS, "", &body)).await.unwrap();
        busy.push(stream);
        model.waits(number).await;
    }
    let full = bench.post(COMPLETIONS, &json!({"messages": user("a")})).await;
    assert_eq!((full.status, &full.json()["error"]["type"]), (429, &"rate_limit_error".into()), "{}", full.body);
}

#[tokio::test]
async fn any_of_the_models_is_chosen_by_its_name() {
    let strong = ModelDouble::new("strong", [Deed::Say("Strongly."), Deed::Say("Strongly.")]);
    let quick = ModelDouble::new("quick", [Deed::Say("Quickly."), Deed::Say("Quickly."), Deed::Say("Quickly.")]);
    let bench = Bench::start(&[("quick", &quick), ("big/strong", &strong)]).await;
    let listed = bench.get("/v1/models").await.json();
    let ids: Vec<&str> = listed["data"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["marple", "quick", "big/strong"]);
    for id in ["marple", "big/strong", "big%2Fstrong"] {
        let one = bench.get(&format!("/v1/models/{id}")).await;
        assert_eq!((one.status, one.json()["object"].as_str()), (200, Some("model")), "{id}");
    }
    assert_eq!(bench.get("/api/model").await.json()["model_name"], "[\"quick\",\"big/strong\"]");
    for (model, wanted) in
        [(json!("marple"), "Quickly."), (Value::Null, "Quickly."), (json!("big/strong"), "Strongly.")]
    {
        let answer = bench.post(COMPLETIONS, &json!({"model": model, "messages": user("a")})).await;
        assert_eq!(answer.json()["choices"][0]["message"]["content"], wanted, "{}", answer.body);
    }
    let holmes = bench.chat(&json!({"ask": "a", "model": "big/strong"})).await;
    assert_eq!((&holmes["analysis"], &holmes["metadata"]["model"]), (&"Strongly.".into(), &"big/strong".into()));
    assert_eq!(bench.chat(&json!({"ask": "a", "model": ""})).await["analysis"], "Quickly.");
    let unknown = bench.post(COMPLETIONS, &json!({"model": "gpt-9", "messages": user("a")})).await;
    assert_eq!((unknown.status, &unknown.json()["error"]["code"]), (404, &"model_not_found".into()));
    let words = "there is no model \"gpt-9\"; the models are marple, quick, big/strong";
    assert_eq!(unknown.json()["error"]["message"], words);
    let refused = bench.post("/api/chat", &json!({"ask": "a", "model": "gpt-9"})).await;
    let words = "there is no model \"gpt-9\"; the models are quick, big/strong";
    assert_eq!((refused.status, &refused.json()["error"]), (400, &words.into()));
}
