#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod counted;

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::*;
use crate::model::{Answerer, ModelConfig, Usage, WrittenCall};
use crate::{Message, Prices};

/// What a scripted model does at one request.
#[derive(Clone)]
enum Deed {
    /// Says this after so many seconds, its first piece after so many.
    Say(&'static str, u64, u64),
    /// Calls a tool, its first piece after so many seconds, its last after so many.
    Call(u64, u64),
    /// Breaks off after a first piece, and begins anew a second later.
    Restart(&'static str),
    Fail(ModelError),
    Hang,
}

/// A model that does what it is scripted to, and then goes on with the last of it.
struct Scripted {
    window: u32,
    script: Mutex<VecDeque<Deed>>,
    asked: Mutex<Vec<ModelRequest>>,
}

#[async_trait]
impl Model for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn limits(&self) -> ModelLimits {
        let prices = Prices { prompt: 1.0, cached: None, completion: 1.0 };
        ModelLimits { context_window: self.window, max_output: 2_000, prices, ..ModelLimits::default() }
    }

    async fn complete(&self, request: ModelRequest, deltas: &mpsc::Sender<Delta>) -> Result<ModelAnswer, ModelError> {
        self.asked.lock().unwrap().push(request);
        let deed = {
            let mut script = self.script.lock().unwrap();
            if script.len() > 1 { script.pop_front() } else { script.front().cloned() }
        };
        let pass = |seconds: u64| tokio::time::sleep(Duration::from_secs(seconds));
        let say = async |delta: Delta| drop(deltas.send(delta).await);
        let answer = |content: &str| ModelAnswer {
            content: content.to_owned(),
            usage: Some(Usage { prompt: 10, completion: 2, ..Usage::default() }),
            ..ModelAnswer::default()
        };
        match deed.unwrap() {
            Deed::Say(words, first, whole) => {
                pass(first).await;
                say(Delta::Begun).await;
                say(Delta::Text(words.to_owned())).await;
                pass(whole - first).await;
                Ok(answer(words))
            }
            Deed::Call(first, whole) => {
                pass(first).await;
                say(Delta::Begun).await;
                pass(whole - first).await;
                let call = WrittenCall { name: "logs".to_owned(), ..WrittenCall::default() };
                Ok(ModelAnswer { calls: vec![call], ..answer("") })
            }
            Deed::Restart(words) => {
                say(Delta::Begun).await;
                say(Delta::Text("Let".to_owned())).await;
                say(Delta::Restarted).await;
                pass(1).await;
                say(Delta::Begun).await;
                say(Delta::Text(words.to_owned())).await;
                Ok(answer(words))
            }
            Deed::Fail(error) => Err(error),
            Deed::Hang => std::future::pending().await,
        }
    }
}

fn config(settings: &Value) -> ModelConfig {
    let mut whole = json!({"name": "m"});
    whole.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    serde_json::from_value(whole).unwrap()
}

fn member_with(name: &str, window: u32, settings: &Value, script: Vec<Deed>) -> (Arc<Member>, Arc<Scripted>) {
    let model = Arc::new(Scripted { window, script: Mutex::new(script.into()), asked: Mutex::default() });
    (Arc::new(Member::new(name, Arc::clone(&model) as Arc<dyn Model>, &config(settings))), model)
}

fn member(name: &str, script: Vec<Deed>) -> (Arc<Member>, Arc<Scripted>) {
    member_with(name, 32_000, &json!({}), script)
}

fn request() -> ModelRequest {
    ModelRequest {
        messages: vec![Message::User { content: "Why is cart down? ".repeat(500) }],
        tools: Arc::new([]),
        may_call: true,
        max_output: 2_000,
    }
}

fn down() -> Deed {
    Deed::Fail(ModelError::Unavailable("connection refused".to_owned()))
}

/// What was asked of it so far.
fn asked(model: &Scripted) -> usize {
    model.asked.lock().unwrap().len()
}

/// Asks; gives the answer's words, and what was shown.
async fn ask(pool: &Pool) -> (Result<String, ModelError>, Vec<Delta>) {
    let (sender, mut receiver) = mpsc::channel(64);
    let answered = pool.complete(request(), &sender).await.map(|answer| answer.content);
    drop(sender);
    let mut shown = Vec::new();
    while let Some(delta) = receiver.recv().await {
        shown.push(delta);
    }
    (answered, shown)
}

fn text(words: &str) -> Delta {
    Delta::Text(words.to_owned())
}

#[tokio::test(start_paused = true)]
async fn the_first_answers_and_nobody_else_is_asked() {
    let ((strong, _), (cheap, asked_of_cheap)) =
        (member("strong", vec![Deed::Say("Yes.", 1, 2)]), member("cheap", vec![Deed::Hang]));
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], Some(Period::seconds(5)));
    assert_eq!(ask(&pool).await, (Ok("Yes.".to_owned()), vec![text("Yes.")]));
    assert_eq!(asked(&asked_of_cheap), 0);
}

#[tokio::test(start_paused = true)]
async fn when_one_fails_the_next_is_asked_and_when_all_fail_each_reason_is_told() {
    let ((strong, _), (local, _), (cheap, _)) = (
        member("strong", vec![down()]),
        member("local", vec![Deed::Fail(ModelError::Denied("no such key".to_owned()))]),
        member("cheap", vec![Deed::Say("Yes.", 0, 0), Deed::Fail(ModelError::TimedOut("too slow".to_owned()))]),
    );
    let pool = Pool::new(strong).with_fallbacks(vec![local, cheap], None);
    assert_eq!(ask(&pool).await.0, Ok("Yes.".to_owned()));
    let why = "strong: connection refused; local: no such key; cheap: too slow";
    assert_eq!(ask(&pool).await.0, Err(ModelError::Unavailable(why.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_another_used_that_was_asked_beside_is_told_with_the_answer() {
    let ((strong, _), (cheap, _)) =
        (member("strong", vec![Deed::Hang]), member("cheap", vec![Deed::Say("Yes.", 0, 0)]));
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], Some(Period::seconds(5)));
    let (sender, _receiver) = mpsc::channel(64);
    let hedged = pool.complete(request(), &sender).await.unwrap();
    assert_eq!(hedged.lost, Usage { prompt: 10, cost: 10, ..Usage::default() });
    let (cheap, _) = member("cheap", vec![Deed::Say("Yes.", 0, 0)]);
    assert_eq!(Pool::new(cheap).complete(request(), &sender).await.unwrap().lost, Usage::default());
}

#[tokio::test(start_paused = true)]
async fn a_model_alone_fails_with_its_own_words() {
    let (strong, _) = member("strong", vec![Deed::Fail(ModelError::RateLimited("slow down".to_owned()))]);
    assert_eq!(ask(&Pool::new(strong)).await.0, Err(ModelError::RateLimited("slow down".to_owned())));
}

#[tokio::test(start_paused = true)]
async fn one_that_failed_three_times_is_left_alone_and_tried_again_after_the_pause() {
    let ((strong, asked_of_strong), (cheap, _)) = (
        member("strong", vec![down(), down(), down(), Deed::Say("I am back.", 0, 0)]),
        member("cheap", vec![Deed::Say("Yes.", 0, 0)]),
    );
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], None);
    for _ in 0..5 {
        assert_eq!(ask(&pool).await.0, Ok("Yes.".to_owned()));
    }
    assert_eq!(asked(&asked_of_strong), 3);
    tokio::time::advance(Duration::from_secs(15)).await;
    assert_eq!(ask(&pool).await.0, Ok("I am back.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_left_alone_and_has_no_fallback_says_since_what() {
    let (strong, asked_of_strong) = member("strong", vec![down()]);
    let pool = Pool::new(strong);
    for _ in 0..3 {
        ask(&pool).await.0.unwrap_err();
    }
    let why = "it failed too often and is left alone for 15s more; the last time: connection refused";
    assert_eq!(ask(&pool).await.0, Err(ModelError::Unavailable(why.to_owned())));
    assert_eq!(asked(&asked_of_strong), 3);
}

#[tokio::test(start_paused = true)]
async fn where_nothing_is_wrong_but_that_too_much_is_asked_it_is_told_so_also_while_they_are_left_alone() {
    let slow = || Deed::Fail(ModelError::RateLimited("slow down".to_owned()));
    let pool = Pool::new(member("strong", vec![slow()]).0).with_fallbacks(vec![member("cheap", vec![slow()]).0], None);
    for asked in 0..5 {
        let why = ask(&pool).await.0.unwrap_err();
        assert!(matches!(why, ModelError::RateLimited(_)), "{asked}: {why:?}");
    }
    let pool = Pool::new(member("strong", vec![slow()]).0).with_fallbacks(vec![member("cheap", vec![down()]).0], None);
    let why = "strong: slow down; cheap: connection refused";
    assert_eq!(ask(&pool).await.0, Err(ModelError::Unavailable(why.to_owned())));
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_a_request_leaves_nobody_alone() {
    let refusals = [ModelError::ContextLength("too long".to_owned()), ModelError::Rejected("no".to_owned())];
    for error in refusals {
        let (strong, asked_of_strong) = member("strong", vec![Deed::Fail(error.clone())]);
        let pool = Pool::new(strong);
        for _ in 0..5 {
            assert_eq!(ask(&pool).await.0, Err(error.clone()));
        }
        assert_eq!(asked(&asked_of_strong), 5);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_too_long_for_the_first_is_made_shorter_before_another_is_asked() {
    let error = ModelError::ContextLength("maximum context length is 8192".to_owned());
    let ((strong, _), (cheap, asked_of_cheap)) =
        (member("strong", vec![Deed::Fail(error.clone())]), member("cheap", vec![Deed::Say("Yes.", 0, 0)]));
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], None);
    assert_eq!((ask(&pool).await.0, asked(&asked_of_cheap)), (Err(error), 0));
}

#[tokio::test(start_paused = true)]
async fn a_fallback_with_a_smaller_window_is_not_sent_what_it_can_not_take() {
    let (strong, _) = member("strong", vec![down()]);
    let (small, asked_of_small) = member_with("small", 2_000, &json!({}), vec![Deed::Say("Yes.", 0, 0)]);
    let pool = Pool::new(strong).with_fallbacks(vec![small], None);
    let Err(ModelError::ContextLength(why)) = ask(&pool).await.0 else { panic!("a shorter one may be answered") };
    assert!(
        why.starts_with("strong: connection refused; small: the request is too long for the model: the request has")
    );
    assert!(why.ends_with("of its context_window of 2000 as a request; name a fallback with a larger one"), "{why}");
    assert_eq!(asked(&asked_of_small), 0);
}

#[tokio::test(start_paused = true)]
async fn a_fallback_is_asked_for_no_longer_an_answer_than_it_gives() {
    let (strong, _) = member("strong", vec![down()]);
    let (small, asked_of_small) = member_with("small", 6_000, &json!({}), vec![Deed::Say("Yes.", 0, 0)]);
    let pool = Pool::new(strong).with_fallbacks(vec![small], None);
    assert_eq!(ask(&pool).await.0, Ok("Yes.".to_owned()));
    assert_eq!(asked_of_small.asked.lock().unwrap()[0].max_output, 1_500);
}

#[tokio::test(start_paused = true)]
async fn when_the_first_takes_long_to_begin_another_is_asked_too_and_the_first_whole_answer_counts() {
    let ((strong, _), (cheap, asked_of_cheap)) =
        (member("strong", vec![Deed::Hang]), member("cheap", vec![Deed::Say("Yes.", 1, 2)]));
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], Some(Period::seconds(5)));
    let began = Instant::now();
    assert_eq!(ask(&pool).await, (Ok("Yes.".to_owned()), vec![text("Yes.")]));
    assert_eq!((began.elapsed().as_secs(), asked(&asked_of_cheap)), (7, 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_has_begun_a_call_is_waited_for() {
    let ((strong, _), (cheap, asked_of_cheap)) =
        (member("strong", vec![Deed::Call(4, 30)]), member("cheap", vec![Deed::Say("Yes.", 0, 0)]));
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], Some(Period::seconds(5)));
    assert_eq!((ask(&pool).await.0, asked(&asked_of_cheap)), (Ok(String::new()), 0));
}

#[tokio::test(start_paused = true)]
async fn what_was_shown_of_one_that_loses_is_void() {
    let ((strong, _), (cheap, _)) =
        (member("strong", vec![Deed::Say("I think", 6, 60)]), member("cheap", vec![Deed::Say("Yes.", 2, 3)]));
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], Some(Period::seconds(5)));
    assert_eq!(ask(&pool).await, (Ok("Yes.".to_owned()), vec![text("I think"), Delta::Restarted, text("Yes.")]));
}

#[tokio::test(start_paused = true)]
async fn one_that_fails_while_another_is_at_it_does_not_end_the_request() {
    let ((strong, _), (cheap, _)) = (member("strong", vec![Deed::Say("Yes.", 20, 21)]), member("cheap", vec![down()]));
    let pool = Pool::new(strong).with_fallbacks(vec![cheap], Some(Period::seconds(5)));
    assert_eq!(ask(&pool).await.0, Ok("Yes.".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_breaks_off_and_begins_anew_is_told_so() {
    let (strong, _) = member("strong", vec![Deed::Restart("Yes.")]);
    let shown = vec![text("Let"), Delta::Restarted, text("Yes.")];
    assert_eq!(ask(&Pool::new(strong)).await, (Ok("Yes.".to_owned()), shown));
}

#[tokio::test(start_paused = true)]
async fn no_more_requests_than_may_be_are_under_way_and_a_wait_comes_to_an_end() {
    let one = json!({"in_flight": 1, "in_flight_wait": "10s"});
    let (strong, asked_of_strong) = member_with("strong", 32_000, &one, vec![Deed::Say("Yes.", 8, 8)]);
    let pool = Pool::new(strong);
    let (first, second, third) = tokio::join!(ask(&pool), ask(&pool), ask(&pool));
    assert_eq!((first.0, second.0), (Ok("Yes.".to_owned()), Ok("Yes.".to_owned())));
    let why = "no place for a request to the model came free in 10s (in_flight: 1); raise it, or lower \
               investigation.concurrency";
    assert_eq!(third.0, Err(ModelError::Busy(why.to_owned())));
    assert_eq!(asked(&asked_of_strong), 2);
    assert_eq!(ask(&pool).await.0, Ok("Yes.".to_owned()), "a full line is no failure of the model");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_nobody_waits_for_any_more_gives_its_place_and_its_try_back() {
    let one = json!({"in_flight": 1, "breaker": {"failures": 1}});
    let (strong, _) = member_with("strong", 32_000, &one, vec![down(), Deed::Hang, Deed::Say("Yes.", 0, 0)]);
    let pool = Pool::new(strong);
    ask(&pool).await.0.unwrap_err();
    tokio::time::advance(Duration::from_secs(15)).await;
    tokio::time::timeout(Duration::from_secs(1), ask(&pool)).await.unwrap_err();
    assert_eq!(ask(&pool).await.0, Ok("Yes.".to_owned()));
}

#[test]
fn an_answer_says_what_its_own_tokens_cost() {
    let by = Answerer { model: "cheap".to_owned(), prices: Prices { prompt: 2.0, cached: None, completion: 0.0 } };
    let answer = ModelAnswer { by: Some(by), ..ModelAnswer::default() };
    let saved = serde_json::to_value(&answer).unwrap();
    assert_eq!(serde_json::from_value::<ModelAnswer>(saved).unwrap(), answer);
    let old = json!({"content": "", "calls": [{"id": null, "name": "logs", "arguments": ""}], "finish": "complete", "usage": null});
    let read: ModelAnswer = serde_json::from_value(old).unwrap();
    assert_eq!((read.by, read.calls.len()), (None, 1));
}
