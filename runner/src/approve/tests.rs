#![allow(clippy::unwrap_used)]

use marple_core::ObjectRef;
use marple_tools::Effect;
use marple_tools::redact::{RedactConfig, Redactor};
use serde_json::json;

use super::*;
use crate::store::{SqliteStore, Upkeep as _};

fn request() -> Request {
    Request {
        actor: "investigation of incident i".to_owned(),
        tool: "kubernetes_scale".to_owned(),
        arguments: json!({ "replicas": 3, "password": "hunter22" }),
        effect: Effect::Write,
        preview: Some(Preview {
            title: "scale Deployment shop/cart from 2 to 3".to_owned(),
            object: Some(ObjectRef::namespaced("Deployment", "shop", "cart")),
            diff: "-  replicas: 2\n+  replicas: 3\n".to_owned(),
            basis: String::new(),
        }),
    }
}

async fn people(wait: Duration) -> (tempfile::TempDir, SqliteStore, Arc<People>) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
    let people = People::new(Arc::new(store.clone()), redact, wait, &Secret::new("s3cret"), Clock::system());
    (folder, store, Arc::new(people))
}

/// Asks, and gives the question once it is kept.
async fn asked(people: &Arc<People>) -> (tokio::task::JoinHandle<Result<Approval, ApproveError>>, ApprovalRow) {
    let asking = Arc::clone(people);
    let task = tokio::spawn(async move { asking.approve(&request()).await });
    loop {
        if let Some(row) =
            people.questions(1).await.unwrap().into_iter().find(|row| row.state == ApprovalState::Waiting)
        {
            return (task, row);
        }
        tokio::task::yield_now().await;
    }
}

fn yes(by: &str) -> Verdict {
    Verdict { approved: true, by: by.to_owned(), why: None }
}

#[tokio::test]
async fn the_first_word_counts_and_a_second_is_refused() {
    let (_folder, store, people) = people(Duration::from_mins(1)).await;
    let (task, row) = asked(&people).await;
    assert_eq!(row.title, "scale Deployment shop/cart from 2 to 3");
    assert!(!row.arguments.to_string().contains("hunter22"), "{}", row.arguments);
    let decided = people.decide(row.id, yes("ann")).await.unwrap();
    assert_eq!((decided.state, decided.decided_by.as_deref()), (ApprovalState::Approved, Some("ann")));
    assert_eq!(task.await.unwrap().unwrap(), Approval::Approved { by: "ann".to_owned() });
    let again = people.decide(row.id, yes("bob")).await.unwrap_err();
    assert_eq!(
        again.to_string(),
        format!("approval {} waits no more: it is approved already; nothing was done", row.id)
    );
    let audit = store.audit_records(9).await.unwrap();
    let told: Vec<(&str, &str)> = audit.iter().map(|record| (record.actor.as_str(), record.action.as_str())).collect();
    assert_eq!(told, [("ann", "call approved")]);
}

#[tokio::test]
async fn a_denial_tells_who_and_why() {
    let (_folder, _store, people) = people(Duration::from_mins(1)).await;
    let (task, row) = asked(&people).await;
    let no = Verdict { approved: false, by: "ann".to_owned(), why: Some("not now".to_owned()) };
    people.decide(row.id, no).await.unwrap();
    let denied = Approval::Denied { by: "ann".to_owned(), why: Some("not now".to_owned()) };
    assert_eq!(task.await.unwrap().unwrap(), denied);
}

#[tokio::test]
async fn what_nobody_waits_for_any_more_can_not_be_approved() {
    let (_folder, _store, people) = people(Duration::from_mins(1)).await;
    let (task, row) = asked(&people).await;
    task.abort();
    assert!(task.await.is_err());
    let gone = people.decide(row.id, yes("ann")).await.unwrap_err();
    assert!(gone.to_string().ends_with("it is withdrawn, for who asked is gone; nothing was done"), "{gone}");

    let never = ApprovalId::new();
    let missing = people.decide(never, yes("ann")).await.unwrap_err();
    assert_eq!(missing.to_string(), format!("there is no approval {never}"));
}

#[tokio::test]
async fn nobody_who_answers_is_no_approval() {
    let (_folder, _store, people) = people(Duration::from_millis(10)).await;
    let refused = people.approve(&request()).await.unwrap_err();
    assert_eq!(refused.to_string(), "nobody answered in 10ms");
    assert_eq!(people.questions(1).await.unwrap()[0].state, ApprovalState::Expired);
}

fn again(store: &SqliteStore, token: &str) -> Arc<People> {
    let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
    let wait = Duration::from_mins(1);
    Arc::new(People::new(Arc::new(store.clone()), redact, wait, &Secret::new(token), Clock::system()))
}

#[tokio::test]
async fn a_question_from_before_a_restart_is_answered_before_or_after_it_is_asked_again_and_once() {
    let (_folder, store, people) = people(Duration::from_mins(1)).await;
    let (task, row) = asked(&people).await;
    task.abort();
    assert!(task.await.is_err());

    let restarted = again(&store, "s3cret");
    let (task, same) = asked(&restarted).await;
    assert_eq!(same.id, row.id, "the same question is not asked twice");
    task.abort();
    assert!(task.await.is_err());

    let restarted = again(&store, "s3cret");
    assert_eq!(restarted.decide(row.id, yes("ann")).await.unwrap().state, ApprovalState::Approved);
    let approved = Approval::Approved { by: "ann".to_owned() };
    assert_eq!(restarted.approve(&request()).await.unwrap(), approved, "what was said meanwhile counts");
    let (_task, new) = asked(&restarted).await;
    assert_ne!(new.id, row.id, "an answer is used once");
}

#[tokio::test]
async fn another_call_than_the_one_that_was_asked_for_is_not_made_by_its_answer() {
    let (_folder, store, people) = people(Duration::from_mins(1)).await;
    let (task, row) = asked(&people).await;
    task.abort();
    let restarted = again(&store, "s3cret");
    restarted.decide(row.id, yes("ann")).await.unwrap();
    let more = Request { arguments: json!({ "replicas": 30 }), ..request() };
    let asking = Arc::clone(&restarted);
    let task = tokio::spawn(async move { asking.approve(&more).await });
    let waits = loop {
        let waiting = |row: &ApprovalRow| row.state == ApprovalState::Waiting;
        if let Some(row) = restarted.questions(9).await.unwrap().into_iter().find(waiting) {
            break row;
        }
        tokio::task::yield_now().await;
    };
    assert_eq!(waits.arguments, json!({ "replicas": 30 }));
    assert!(!task.is_finished());
}

#[tokio::test]
async fn what_rests_on_the_same_is_the_same_however_it_is_redacted_and_what_rests_on_something_else_is_not() {
    let (_folder, store, people) = people(Duration::from_mins(1)).await;
    let of = |diff: &str, basis: &str| {
        let preview = Preview { diff: diff.to_owned(), basis: basis.to_owned(), ..request().preview.unwrap() };
        Request { preview: Some(preview), ..request() }
    };
    let asked = people.ask(&of("+ [redacted:password:1111]", "one")).await.unwrap();
    let id = asked.row.id;
    drop(asked);
    let restarted = again(&store, "s3cret");
    let other = restarted.ask(&of("+ [redacted:password:1111]", "two")).await.unwrap();
    assert_ne!(other.row.id, id);
    let same = restarted.ask(&of("+ [redacted:password:2222]", "one")).await.unwrap();
    assert_eq!(same.row.id, id);
}

#[tokio::test]
async fn a_ticket_names_its_question_and_no_other_can_be_made() {
    let (_folder, store, people) = people(Duration::from_mins(1)).await;
    let (_task, row) = asked(&people).await;
    let ticket = people.ticket(&row);
    assert_eq!(people.of_ticket(&ticket).await.unwrap().id, row.id);
    for forged in ["", "x.y", &format!("{}.{}", row.id, "0".repeat(64)), &format!("{ticket}0")] {
        let error = people.of_ticket(forged).await.unwrap_err().to_string();
        assert!(error.contains("is no ticket of a question"), "{error}");
    }
    let another = again(&store, "another token").of_ticket(&ticket).await.unwrap_err();
    assert!(matches!(another, DecideError::Forged(_)), "{another}");
}
