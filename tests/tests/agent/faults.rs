//! What goes wrong with a model.

use std::time::{Duration, Instant};

use marple_agent::{Ending, Limit, Mode, ModelConfigError, OpenAi, Told};
use marple_core::{Period, Secret, Verdict};
use marple_tests::model::{Call, KEY, ModelDouble, Received, Reply};
use serde_json::json;

use crate::scene::{
    Journal, budget, case, config, investigate, investigate_with, investigator, look, told_unseen, toolbox,
};

#[tokio::test]
async fn a_model_that_is_down_leaves_the_rules_conclusion_and_says_so() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut config = config(&format!("http://{free}/v1"));
    config.retries = 0;
    let (outcome, _) = investigate_with(&config, budget()).await;
    assert!(matches!(outcome.ending, Ending::ModelUnavailable { .. }), "{:?}", outcome.ending);
    let why = told_unseen(&outcome);
    assert!(
        why.starts_with(&format!("the language model failed: the model's server {free} can't be reached (")),
        "{why}"
    );
    assert!(why.contains("check the model's url"), "{why}");
}

#[tokio::test]
async fn a_model_that_never_answers_ends_with_the_time() {
    let model = ModelDouble::start([Reply::Hang.forever()]).await.unwrap();
    let mut budget = budget();
    budget.duration = Period::from(Duration::from_millis(400));
    let started = Instant::now();
    let (outcome, _) = investigate_with(&config(&model.url), budget).await;
    assert_eq!(outcome.ending, Ending::BudgetSpent { limit: Limit::Time });
    assert!(started.elapsed() < Duration::from_secs(4), "{:?}", started.elapsed());
    assert_eq!(told_unseen(&outcome), "the budget of time was spent before the model concluded");
}

#[tokio::test]
async fn a_stream_that_pauses_is_left_and_asked_again() {
    let model = ModelDouble::start([Reply::Pause, Reply::all_is_well()]).await.unwrap();
    let mut config = config(&model.url);
    config.idle_timeout = Period::from(Duration::from_millis(100));
    let (outcome, _) = investigate_with(&config, budget()).await;
    assert_eq!((outcome.ending, outcome.turns), (Ending::Concluded, 1));
    let model = ModelDouble::start([Reply::Pause]).await.unwrap();
    config.url.clone_from(&model.url);
    config.retries = 0;
    let (outcome, _) = investigate_with(&config, budget()).await;
    assert!(told_unseen(&outcome).contains("paused for 100ms in its answer; raise idle_timeout"), "{outcome:?}");
}

#[tokio::test]
async fn a_model_that_is_silent_is_asked_once_so_that_its_fallback_has_time() {
    let silent = ModelDouble::start([Reply::Hang.forever()]).await.unwrap();
    let mut config = config(&silent.url);
    config.request_timeout = Period::from(Duration::from_millis(200));
    config.retries = 4;
    let (outcome, _) = investigate_with(&config, budget()).await;
    assert!(told_unseen(&outcome).contains("gave no whole answer in 200ms"), "{outcome:?}");
    assert_eq!(silent.requests().len(), 1);
}

#[tokio::test]
async fn a_server_that_asks_to_wait_gets_no_further_attempt_after_the_time_of_a_request() {
    let wait = Reply::Status { code: 429, retry_after: Some("0.15".to_owned()), message: "come back".to_owned() };
    let busy = ModelDouble::start([wait.forever()]).await.unwrap();
    let mut config = config(&busy.url);
    config.request_timeout = Period::from(Duration::from_millis(400));
    config.retries = 50;
    let (outcome, _) = investigate_with(&config, budget()).await;
    assert!(told_unseen(&outcome).contains("is asked too much"), "{outcome:?}");
    assert!((2..=3).contains(&busy.requests().len()), "{}", busy.requests().len());
}

#[tokio::test]
async fn a_cut_answer_is_void_and_asked_for_again() {
    let model = ModelDouble::start([Reply::Cut, Reply::all_is_well()]).await.unwrap();
    let (outcome, journal) = investigate(&model).await;
    assert_eq!((outcome.conclusion.summary.as_str(), outcome.turns), ("All is well.", 1));
    let told = journal.told.lock().unwrap();
    assert_eq!(told[..2], [Told::Text("Let me".to_owned()), Told::Restarted]);
    assert_eq!(model.requests()[0], model.requests()[1]);
}

#[tokio::test]
async fn too_many_requests_and_server_errors_are_asked_again() {
    let model =
        ModelDouble::start([Reply::status(429, "slow down"), Reply::status(503, "overloaded"), Reply::all_is_well()])
            .await
            .unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!(outcome.ending, Ending::Concluded);
    assert_eq!(model.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_stays_down_or_asks_for_an_hour_is_given_up() {
    let model = ModelDouble::start([Reply::status(500, "boom").forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert!(told_unseen(&outcome).ends_with("failed (500: boom)"), "{outcome:?}");
    assert_eq!(model.requests().len(), 3, "two retries are configured");
    let hour = Reply::Status { code: 429, retry_after: Some("3600".to_owned()), message: "come back".to_owned() };
    let model = ModelDouble::start([hour]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert!(told_unseen(&outcome).ends_with("is asked too much (429: come back)"), "{outcome:?}");
}

#[tokio::test]
async fn a_wrong_key_and_a_wrong_name_are_not_tried_again_and_name_the_setting() {
    for (code, setting) in [(401, "set the model's api_key"), (404, "check the model's name and url")] {
        let message = format!("no: {KEY}");
        let model = ModelDouble::start([Reply::Status { code, retry_after: None, message }]).await.unwrap();
        let (outcome, _) = investigate(&model).await;
        let why = told_unseen(&outcome);
        assert!(why.contains(setting), "{why}");
        assert!(!why.contains(KEY), "{why}");
        assert_eq!(model.requests().len(), 1);
    }
    let config = config("http://user:pass@127.0.0.1:1/v1");
    let shown = format!("{:?}", OpenAi::new(&config, reqwest::Client::new()).unwrap());
    assert!(!shown.contains(KEY), "{shown}");
}

#[tokio::test]
async fn a_page_instead_of_an_answer_is_told() {
    let model = ModelDouble::start([Reply::Nonsense.forever()]).await.unwrap();
    let mut config = config(&model.url);
    config.retries = 1;
    let (outcome, _) = investigate_with(&config, budget()).await;
    let why = told_unseen(&outcome);
    assert!(why.ends_with("answered what is no chat completion: <html><body>It works!</body></html>"), "{why}");
}

#[tokio::test]
async fn words_without_end_come_to_an_end() {
    let model = ModelDouble::start([Reply::text("Interesting! Let me think.").forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!(outcome.ending, Ending::Unusable { why: "it neither looked nor concluded".to_owned() });
    assert_eq!(outcome.turns, 5);
    told_unseen(&outcome);
    model.assert_clean();
}

#[tokio::test]
async fn wrong_tool_names_come_to_an_end() {
    let model = ModelDouble::start([Reply::call("kubectl get pods", json!({"all": true})).forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!(outcome.ending, Ending::Unusable { why: "none of its calls could be made".to_owned() });
    assert_eq!((outcome.turns, outcome.calls), (5, 0));
    told_unseen(&outcome);
    model.assert_clean();
}

#[tokio::test]
async fn bad_arguments_and_ids_are_told_and_mended() {
    let call = |id: Option<&str>, arguments: &str| Call {
        id: id.map(str::to_owned),
        name: "logs".to_owned(),
        arguments: arguments.to_owned(),
    };
    let model = ModelDouble::start([
        Reply::Written(vec![call(None, "{\"of\": \"a\"}"), call(Some("x"), "{\"of\": "), call(Some("x"), "[1]")]),
        Reply::Written(vec![call(Some("x"), "{\"of\": \"b\"}"), call(None, "")]),
        Reply::all_is_well(),
    ])
    .await
    .unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!((outcome.ending, outcome.turns, outcome.calls), (Ending::Concluded, 3, 3));
    model.assert_clean();
}

#[tokio::test]
async fn the_same_call_without_end_is_made_once() {
    let model = ModelDouble::start([Reply::call("logs", json!({"of": "cart-1"})).forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert!(matches!(outcome.ending, Ending::Unusable { .. }), "{:?}", outcome.ending);
    assert_eq!((outcome.turns, outcome.calls), (5, 1));
    model.assert_clean();
}

#[tokio::test]
async fn looks_without_end_are_ended_by_the_budget() {
    let new = Reply::act(|received: &Received| {
        vec![("logs".to_owned(), json!({"of": format!("cart-{}", received.texts().count())}))]
    });
    let model = ModelDouble::start([new.clone().forever()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!(outcome.ending, Ending::BudgetSpent { limit: Limit::Turns });
    assert_eq!((outcome.turns, outcome.calls), (8, 6));
    assert_eq!(told_unseen(&outcome), "the budget of requests to the model was spent before the model concluded");
    let script = std::iter::repeat_n(new, 6).chain([Reply::all_is_well()]);
    let model = ModelDouble::start(script).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    let why = "the budget of requests to the model nears its end".to_owned();
    assert_eq!(outcome.ending, Ending::Forced { why });
    assert_eq!(outcome.conclusion.verdict, Verdict::NoFault);
    let last = model.requests().pop().unwrap();
    assert_eq!(last["tools"].as_array().unwrap().len(), 1, "only the conclusion is offered");
}

#[tokio::test]
async fn a_request_that_is_too_long_is_folded_and_sent_again() {
    let long = |n: u32| Reply::call("long", json!({"of": n.to_string()}));
    let refusal = Reply::Status {
        code: 400,
        retry_after: None,
        message: "This model's maximum context length is 8192 tokens.".to_owned(),
    };
    let model = ModelDouble::start([long(1), long(2), long(3), refusal, Reply::all_is_well()]).await.unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!(outcome.ending, Ending::Concluded);
    let sizes: Vec<usize> = model.requests().iter().map(|request| request.to_string().len()).collect();
    assert!(sizes[4] * 4 <= sizes[3] * 3 + 4_000, "{sizes:?}");
}

#[tokio::test]
async fn a_field_that_the_server_does_not_know_is_left_out() {
    let message =
        "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
    let refusal = Reply::Status { code: 400, retry_after: None, message: message.to_owned() };
    let model = ModelDouble::start([refusal, Reply::all_is_well()]).await.unwrap();
    let mut config = config(&model.url);
    config.retries = 0;
    let (outcome, _) = investigate_with(&config, budget()).await;
    assert_eq!(outcome.ending, Ending::Concluded);
    let requests = model.requests();
    assert_eq!((&requests[0]["max_tokens"], &requests[1]["max_completion_tokens"]), (&json!(2000), &json!(2000)));
}

#[tokio::test]
async fn a_server_that_neither_streams_nor_counts_nor_numbers_is_understood() {
    let whole = |message| Reply::Whole(json!({"choices": [{"message": message}]}));
    let arguments = json!({"verdict": "no_fault", "summary": "All is well.", "confidence": "low"});
    let model = ModelDouble::start([
        whole(json!({"content": null, "tool_calls": [{"function": {"name": "logs", "arguments": {"of": "cart-1"}}}]})),
        whole(json!({"content": "", "tool_calls": [{"id": "", "function": {"name": "conclude", "arguments": arguments}}]})),
    ])
    .await
    .unwrap();
    let (outcome, _) = investigate(&model).await;
    assert_eq!((outcome.ending, outcome.calls), (Ending::Concluded, 1));
    assert!(outcome.usage.prompt > 1_000 && outcome.usage.completion > 0, "{:?}", outcome.usage);
}

#[tokio::test]
async fn a_store_that_fails_does_not_end_the_investigation() {
    let model = ModelDouble::start([Reply::call("logs", json!({})), Reply::all_is_well()]).await.unwrap();
    let journal = Journal { full: true, ..Journal::default() };
    let outcome = investigator(&config(&model.url), budget())
        .investigate(case(Mode::Conclude), None, &toolbox().await, &look(), &journal)
        .await;
    assert_eq!(outcome.ending, Ending::Concluded);
}

#[tokio::test]
async fn cancelling_ends_it_at_once_and_leaves_the_saved_state_as_it_was() {
    let model = ModelDouble::start([Reply::Hang]).await.unwrap();
    let (look, journal) = (look(), Journal::default());
    let investigator = investigator(&config(&model.url), budget());
    let toolbox = toolbox().await;
    let running = investigator.investigate(case(Mode::Conclude), None, &toolbox, &look, &journal);
    let cancel = async {
        while model.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        look.cancel.cancel();
    };
    let (outcome, ()) = tokio::join!(running, cancel);
    assert_eq!(outcome.ending, Ending::Cancelled);
    assert_eq!(told_unseen(&outcome), "the investigation was cancelled");
    assert_eq!(journal.saved.lock().unwrap().len(), 1, "what was saved before goes on at the next start");
}

#[test]
fn a_configuration_that_can_never_work_is_refused_before_the_first_request() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = reqwest::Client::new;
    let error = OpenAi::new(&config("models.local/v1"), client()).unwrap_err();
    assert!(error.to_string().starts_with("the model's url \"models.local/v1\" is no http or https URL"), "{error}");
    let mut config = config("http://models.local/v1");
    config.extra_headers.insert("x team".to_owned(), Secret::new("a"));
    assert_eq!(OpenAi::new(&config, client()).unwrap_err(), ModelConfigError::Header { name: "x team".to_owned() });
}
