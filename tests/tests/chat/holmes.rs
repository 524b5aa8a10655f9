//! HolmesGPT's wire, as its clients read it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use marple_tests::cluster_or_return;
use marple_tests::model::{MODEL, ModelDouble, Reply};
use marple_tests::program::{Program, TOKEN, client};
use serde_json::{Value, json};

use super::{ANSWER, limited, looking, program};

/// An event of a stream: its id, name and data.
type Event = (usize, String, Value);

async fn ask(program: &Program, path: &str, body: &Value) -> Result<(u16, Value)> {
    let answer = client()
        .post(program.url(path))
        .timeout(Duration::from_secs(40))
        .header("x-api-key", TOKEN)
        .json(body)
        .send()
        .await?;
    Ok((answer.status().as_u16(), answer.json().await?))
}

/// The events of a stream, to its end.
async fn events(answer: reqwest::Response) -> Result<Vec<Event>> {
    ensure!(answer.status().is_success(), "{}", answer.text().await?);
    let text = answer.text().await?;
    let mut events = Vec::new();
    for block in text.split("\n\n").filter(|block| block.contains("data:")) {
        let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let data = serde_json::from_str(field("data:").context("data")?)?;
        events.push((field("id:").context("id")?.parse()?, field("event:").context("event")?.to_owned(), data));
    }
    Ok(events)
}

async fn stream(program: &Program, body: &Value) -> Result<(String, Vec<Event>)> {
    let request = client().post(program.url("/api/chat")).timeout(Duration::from_secs(40)).bearer_auth(TOKEN);
    let answer = request.json(body).send().await?;
    let talk = answer.headers().get("x-talk-id").context("x-talk-id")?.to_str()?.to_owned();
    Ok((talk, events(answer).await?))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_holmesgpt_finds_its_events_and_fields_and_goes_on_with_the_conversation() -> Result<()> {
    let cluster = cluster_or_return!();
    let model = ModelDouble::start(looking().into_iter().chain(looking())).await?;
    let mut program = program(&cluster, &model).await?;
    let (talk, told) = stream(&program, &json!({"ask": "Is kube-system well?", "stream": true})).await?;

    let names: Vec<&str> =
        told.iter().map(|(_, name, _)| name.as_str()).filter(|name| *name != "token_count").collect();
    assert_eq!(names, ["start_tool_calling", "tool_calling_result", "ai_answer_end"], "{told:#?}");
    assert_eq!(told.iter().map(|event| event.0).collect::<Vec<_>>(), (1..=told.len()).collect::<Vec<_>>());
    let of =
        |name: &str| told.iter().find(|event| event.1 == name).map(|event| event.2.clone()).context(name.to_owned());
    let (started, result) = (of("start_tool_calling")?, of("tool_calling_result")?);
    assert_eq!(started["tool_name"], "kubernetes_describe");
    assert_eq!(
        (&result["tool_call_id"], &result["role"], &result["name"]),
        (&started["id"], &"tool".into(), &"kubernetes_describe".into())
    );
    let given = &result["result"];
    assert_eq!((&given["schema_version"], &given["status"]), (&"robusta:v1.0.0".into(), &"success".into()));
    assert!(
        given["data"].as_str().is_some_and(|data| data.contains("description of Namespace kube-system")),
        "{given}"
    );
    assert_eq!(given["params"]["name"], "kube-system");
    let counted = of("token_count")?["metadata"].clone();
    assert!(counted["usage"]["prompt_tokens"].as_u64().is_some() && counted["max_tokens"].as_u64().is_some());
    let end = of("ai_answer_end")?;
    assert_eq!(end["analysis"], ANSWER);
    let roles: Vec<&str> =
        end["conversation_history"].as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "assistant"], "{end:#}");

    // A stream that broke off goes on after the event that was seen last.
    let resumed =
        client().get(program.url(&format!("/api/chat/{talk}"))).bearer_auth(TOKEN).header("last-event-id", "2");
    let rest = events(resumed.send().await?).await?;
    assert_eq!(rest.iter().map(|event| event.0).collect::<Vec<_>>(), (3..=told.len()).collect::<Vec<_>>());

    let more = json!({"ask": "Since when?", "conversation_history": end["conversation_history"], "model": MODEL});
    let (status, answer) = ask(&program, "/api/chat", &more).await?;
    assert_eq!((status, &answer["analysis"]), (200, &ANSWER.into()), "{answer}");
    let call = &answer["tool_calls"][0];
    assert_eq!((&call["tool_name"], &call["result"]["status"]), (&"kubernetes_describe".into(), &"success".into()));
    assert!(answer["metadata"]["costs"]["total_cost"].is_number(), "{answer}");
    let case = model.requests()[2]["messages"][1]["content"].as_str().context("the case")?.to_owned();
    assert!(case.contains("- asked: Is kube-system well?") && !case.contains("You are marple"), "{case}");
    model.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_is_known_by_its_id_and_older_clients_are_answered() -> Result<()> {
    let cluster = cluster_or_return!();
    let model = ModelDouble::start([
        Reply::text("First."),
        Reply::text("Second."),
        Reply::text("Third."),
        Reply::text("Fourth."),
    ])
    .await?;
    let mut program = program(&cluster, &model).await?;
    let (_, first) = ask(&program, "/api/chat", &json!({"ask": "How are you?"})).await?;
    let conversation = first["metadata"]["conversation_id"].clone();
    assert!(conversation.is_string(), "{first}");
    // It is kept over a restart.
    program.stop().await?;
    program.start().await?;
    let (_, second) = ask(&program, "/api/chat", &json!({"ask": "And now?", "conversation_id": conversation})).await?;
    assert_eq!(second["analysis"], "Second.", "{second}");
    let issue = json!({"source": "prometheus", "title": "CartDown", "description": "cart is down", "subject": {"name": "cart"},
        "context": {}, "source_instance_id": "1"});
    let (_, third) = ask(&program, "/api/investigate", &issue).await?;
    assert_eq!((&third["analysis"], &third["sections"]), (&"Third.".into(), &json!({})), "{third}");
    let question = json!({"ask": "Why?", "investigation_result": {"result": "It lacks memory.", "tools": []}, "issue_type": "CartDown"});
    let (_, fourth) = ask(&program, "/api/issue_chat", &question).await?;
    assert_eq!(fourth["analysis"], "Fourth.");
    let cases: Vec<String> =
        model.requests().iter().map(|request| request["messages"][1]["content"].as_str().unwrap().to_owned()).collect();
    assert!(cases[1].contains("- asked: How are you?\n  answered: First."), "{}", cases[1]);
    assert!(cases[2].contains("CartDown") && cases[2].contains("{\"name\":\"cart\"}"), "{}", cases[2]);
    assert!(cases[3].contains("answered: It lacks memory."), "{}", cases[3]);

    let models = client().get(program.url("/api/model")).bearer_auth(TOKEN).send().await?.json::<Value>().await?;
    assert_eq!(models, json!({ "model_name": format!("[\"{MODEL}\"]") }));
    let info = client().get(program.url("/api/info")).bearer_auth(TOKEN).send().await?.json::<Value>().await?;
    assert!(info["toolsets_summary"]["enabled"].as_u64().is_some_and(|enabled| enabled > 0), "{info}");
    assert_eq!((&info["auth_enabled"], &info["models"]), (&true.into(), &json!([MODEL])));
    for (body, wanted) in [
        (json!({"ask": " "}), "`ask` is empty"),
        (json!({"ask": "a", "model": "another"}), "there is no model \"another\""),
        (json!({"ask": "a", "images": ["http://x"]}), "`images`"),
        (json!({"ask": "a", "conversation_id": "x"}), "`conversation_id`"),
    ] {
        let (status, answer) = ask(&program, "/api/chat", &body).await?;
        assert!(status == 400 && answer["error"].as_str().is_some_and(|why| why.contains(wanted)), "{status} {answer}");
    }
    let closed = client().post(program.url("/api/chat")).json(&json!({"ask": "a"})).send().await?;
    assert_eq!(closed.status(), 401);
    assert!(closed.json::<Value>().await?["detail"].is_string());
    model.assert_clean();
    program.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_provider_that_limits_is_told_with_the_code_of_rate_limits() -> Result<()> {
    let cluster = cluster_or_return!();
    let model = ModelDouble::start([Reply::status(429, "slow down").forever()]).await?;
    let mut program = limited(&cluster, &model).await?;
    let (_, told) = stream(&program, &json!({"ask": "How are you?", "stream": true})).await?;
    let (_, name, data) = told.last().context("an event")?;
    assert_eq!((name.as_str(), &data["error_code"]), ("error", &5204.into()), "{data}");
    model.assert_clean();
    program.stop().await
}
