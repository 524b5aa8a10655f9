#![allow(clippy::unwrap_used)]

use std::sync::Mutex;

use async_trait::async_trait;
use marple_tools::gate::ApproveError;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

/// A person who says this, and remembers what was shown.
struct Person {
    says: Approval,
    shown: Mutex<Vec<Preview>>,
}

#[async_trait]
impl Approve for Person {
    async fn approve(&self, request: &Request) -> Result<Approval, ApproveError> {
        self.shown.lock().unwrap().push(request.preview.clone().unwrap());
        Ok(self.says.clone())
    }
}

/// A marple that answers each request with the next of these streams, and gives what it was sent: token and body.
async fn serving(streams: Vec<String>) -> (String, tokio::task::JoinHandle<Vec<(String, Value)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let mut sent = Vec::new();
        for stream in streams {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            let body = loop {
                let mut piece = [0; 4_096];
                let read = client.read(&mut piece).await.unwrap();
                request.extend_from_slice(piece.get(..read).unwrap());
                let text = String::from_utf8_lossy(&request).into_owned();
                let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
                let field = |name: &str| {
                    let line =
                        head.lines().find(|line| line.to_ascii_lowercase().starts_with(name)).unwrap_or_default();
                    line.split_once(": ").map(|(_, value)| value.to_owned()).unwrap_or_default()
                };
                if body.len() == field("content-length").parse::<usize>().unwrap() {
                    break (field("authorization"), serde_json::from_str(body).unwrap());
                }
            };
            sent.push(body);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            client.write_all(format!("{head}{stream}").as_bytes()).await.unwrap();
        }
        sent
    });
    (url, served)
}

fn event(name: &str, data: &Value) -> String {
    format!("event: {name}\ndata: {data}\n\n")
}

#[tokio::test]
async fn the_person_is_shown_what_would_change_and_the_answer_goes_on_by_that_word() {
    crate::connect::crypto();
    let pending = json!({"tool_call_id": "ticket", "tool_name": "kubernetes_scale", "params": {"replicas": 1},
        "description": "scale Deployment shop/cart from 0 to 1\n-  replicas: 0\n+  replicas: 1\n"});
    let waits =
        json!({"conversation_history": [{"role": "user", "content": "Scale it."}], "pending_approvals": [pending]});
    let end = json!({"analysis": "Done.", "metadata": {"conversation_id": "c1"}});
    for (says, approved, feedback) in [
        (Approval::Approved { by: "ann".to_owned() }, true, None),
        (Approval::Denied { by: "ann".to_owned(), why: Some("not now".to_owned()) }, false, Some("not now")),
    ] {
        let streams = vec![event("approval_required", &waits), event("ai_answer_end", &end)];
        let (url, served) = serving(streams).await;
        let person = Arc::new(Person { says, shown: Mutex::default() });
        let mut there = There {
            server: Server { url, token_file: None },
            client: reqwest::Client::new(),
            incident: None,
            conversation: None,
            person: Some(person.clone()),
            approver: Some(Secret::new("approver")),
        };
        let answer = there.answer("Scale it.", Steps::Words, &CancellationToken::new()).await.unwrap();
        assert_eq!((answer.as_str(), there.conversation.as_deref()), ("Done.", Some("c1")));
        let shown = person.shown.lock().unwrap().first().cloned().unwrap();
        assert_eq!(shown.title, "scale Deployment shop/cart from 0 to 1");
        assert_eq!(shown.diff, "-  replicas: 0\n+  replicas: 1\n");
        let sent = served.await.unwrap();
        let (_, asked) = sent.first().unwrap();
        assert_eq!(asked.pointer("/enable_tool_approval"), Some(&json!(true)));
        let (token, decided) = sent.get(1).unwrap();
        assert_eq!(token, "Bearer approver");
        let word = json!([{"tool_call_id": "ticket", "approved": approved, "feedback": feedback}]);
        assert_eq!(
            (decided.get("ask"), decided.get("tool_decisions"), decided.get("conversation_history")),
            (Some(&json!("")), Some(&word), waits.get("conversation_history"))
        );
    }
}

#[tokio::test]
async fn where_nobody_can_be_asked_the_other_is_told_so() {
    crate::connect::crypto();
    let (url, served) = serving(vec![event("ai_answer_end", &json!({"analysis": "No."}))]).await;
    let mut there = There {
        server: Server { url, token_file: None },
        client: reqwest::Client::new(),
        incident: None,
        conversation: None,
        person: None,
        approver: None,
    };
    there.answer("Scale it.", Steps::Words, &CancellationToken::new()).await.unwrap();
    let sent = served.await.unwrap();
    assert_eq!(sent.first().unwrap().1.pointer("/enable_tool_approval"), Some(&json!(false)));
}
