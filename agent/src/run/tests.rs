#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

mod answers;
mod doubts;
mod sequences;
mod situations;
mod summaries;
mod weighing;
mod window;

use std::num::NonZeroU32;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Citation, Conclusion, Confidence, EvidenceId, Period, Unseen, Verdict};
use marple_tools::{CallOutcome, CallStatus};
use serde_json::{Value, json};

use super::*;
use crate::citation::Checked;
use crate::model::{Finish, WrittenCall};
use crate::{Message, ModelAnswer, ModelError, ModelRequest, Prices};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000).unwrap() + SignedDuration::from_secs(seconds)
}

fn rules() -> Conclusion {
    Conclusion::inconclusive("Nothing that was looked at explains it.")
}

fn case(mode: Mode) -> Case {
    Case { question: (mode == Mode::Answer).then(|| "Why is cart slow?".to_owned()), ..Case::new(mode, rules()) }
}

fn offer(name: &str) -> ToolOffer {
    ToolOffer { name: name.to_owned(), description: "Looks.".to_owned(), parameters: json!({"type": "object"}) }
}

fn opening(mode: Mode, change: impl FnOnce(&mut Opening)) -> Opening {
    let mut opening = Opening {
        case: case(mode),
        small: Vec::new(),
        offers: vec![offer("events"), offer("logs")],
        instructions: Vec::new(),
        limits: ModelLimits { context_window: 32_000, max_output: 2_000, ..ModelLimits::default() },
        budget: Budget::default(),
        refutes: false,
        nonce: "7f3a9c".to_owned(),
        at: at(0),
    };
    change(&mut opening);
    opening
}

fn answer(content: &str, calls: Vec<WrittenCall>) -> Event {
    let answer = ModelAnswer { content: content.to_owned(), calls, ..ModelAnswer::default() };
    Event::ModelAnswered { answer, at: at(1) }
}

fn call(id: &str, name: &str, arguments: &str) -> WrittenCall {
    let id = (!id.is_empty()).then(|| id.to_owned());
    WrittenCall { id, name: name.to_owned(), arguments: arguments.to_owned(), ..WrittenCall::default() }
}

fn concluding(summary: &str) -> WrittenCall {
    call("end", "conclude", &json!({"verdict": "no_fault", "summary": summary, "confidence": "high"}).to_string())
}

fn seen(id: u32, text: &str) -> CallOutcome {
    CallOutcome {
        status: CallStatus::Ok,
        evidence: Some(EvidenceId(id)),
        title: "events of Pod shop/cart-1".to_owned(),
        text: format!("[e{id}] events of Pod shop/cart-1\n{text}"),
        empty: false,
        unseen: None,
    }
}

fn away() -> CallOutcome {
    CallOutcome {
        status: CallStatus::Failed,
        evidence: None,
        title: "logs".to_owned(),
        text: "logs: forbidden".to_owned(),
        empty: false,
        unseen: Some(Unseen { what: "logs".to_owned(), why: "forbidden".to_owned() }),
    }
}

/// The results in a request, by the id of their call.
fn results(request: &ModelRequest) -> Vec<(String, String)> {
    request
        .messages
        .iter()
        .filter_map(|message| match message {
            Message::Tool { call, content } => Some((call.clone(), content.clone())),
            _ => None,
        })
        .collect()
}

/// Fails unless the request is one that a strict server takes.
fn assert_strict(request: &ModelRequest) {
    let mut open: Vec<&str> = Vec::new();
    let mut known: Vec<&str> = Vec::new();
    assert!(matches!(request.messages.first(), Some(Message::System { .. })));
    for (index, message) in request.messages.iter().enumerate() {
        match message {
            Message::Tool { call, content } => {
                let place = open.iter().position(|id| id == call).unwrap_or_else(|| panic!("orphan result {call}"));
                open.swap_remove(place);
                assert!(!content.trim().is_empty(), "empty result of {call}");
            }
            Message::Assistant { content, calls, .. } => {
                assert!(open.is_empty(), "calls without a result: {open:?}");
                assert!(!content.trim().is_empty() || !calls.is_empty(), "an answer without anything");
                for call in calls {
                    assert!(!known.contains(&call.id.as_str()), "the id {} twice", call.id);
                    assert!(call.name.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-".contains(letter)));
                    known.push(&call.id);
                    open.push(&call.id);
                }
            }
            Message::User { .. } => assert!(open.is_empty(), "calls without a result: {open:?}"),
            Message::System { .. } => assert_eq!(index, 0, "instructions in the middle"),
        }
    }
    assert!(open.is_empty(), "calls without a result: {open:?}");
    assert!(!matches!(request.messages.last(), Some(Message::Assistant { .. })), "nothing is asked");
}

fn request(step: Step) -> ModelRequest {
    match step {
        Step::CallModel { request, .. } => {
            assert_strict(&request);
            request
        }
        other => panic!("{other:?}"),
    }
}

fn outcome(step: Step) -> Outcome {
    match step {
        Step::Done(outcome) => *outcome,
        other => panic!("{other:?}"),
    }
}

fn pending(step: Step) -> Vec<ToolCallOf> {
    match step {
        Step::CallTools { calls, .. } => {
            calls.into_iter().map(|call| (call.id, call.name, Value::Object(call.arguments))).collect()
        }
        other => panic!("{other:?}"),
    }
}

type ToolCallOf = (String, String, Value);

fn last_words(request: &ModelRequest) -> String {
    match request.messages.last().unwrap() {
        Message::User { content } | Message::Tool { content, .. } => content.clone(),
        other => panic!("{other:?}"),
    }
}
