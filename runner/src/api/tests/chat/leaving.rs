//! Clients that leave, come back, or wait.

use tokio::io::AsyncBufReadExt as _;

use super::*;

const QUESTION: &str = "Is it green?";

/// Sends a request and reads its answer's head where it has one at once; the connection stays open.
async fn open(bench: &Bench, path: &str, body: &Value) -> TcpStream {
    let mut stream = TcpStream::connect(bench.server.address).await.unwrap();
    stream.write_all(&request(TOKEN, "POST", path, "", &body.to_string())).await.unwrap();
    stream
}

#[tokio::test]
async fn a_question_whose_client_can_not_come_back_is_cancelled_with_its_connection() {
    let message = json!([{"role": "user", "content": QUESTION}]);
    for (path, body) in [
        ("/v1/chat/completions", json!({"messages": message})),
        ("/v1/chat/completions", json!({"messages": message, "stream": true})),
        ("/api/chat", json!({"ask": QUESTION})),
        ("/api/chat", json!({"ask": QUESTION, "enable_tool_approval": true})),
        ("/api/investigate", json!({"title": "Down"})),
        ("/api/checks/execute", json!({"query": QUESTION, "timeout": 600})),
    ] {
        let model = ModelDouble::new("double", [Deed::Later("Yes.")]);
        let bench = Bench::of(&model).await;
        let connection = open(&bench, path, &body).await;
        model.waits(1).await;
        drop(connection);
        model.waits(0).await;
    }
}

#[tokio::test]
async fn a_question_that_a_shutdown_ends_can_be_asked_again() {
    let model = ModelDouble::new("double", [Deed::Later("Yes.")]);
    let bench = Bench::of(&model).await;
    let (body, stops) = (json!({"ask": QUESTION}), async {
        model.waits(1).await;
        bench.stop.cancel();
    });
    let (ended, ()) = tokio::join!(bench.post("/api/chat", &body), stops);
    assert_eq!(
        (ended.status, ended.json()["error"].as_str().unwrap().contains("ask again")),
        (503, true),
        "{}",
        ended.body
    );
}

#[tokio::test]
async fn a_stream_that_broke_off_is_gone_on_with() {
    let model = ModelDouble::new("double", [Deed::Later("Yes.")]);
    let bench = Bench::of(&model).await;
    let mut lines =
        tokio::io::BufReader::new(open(&bench, "/api/chat", &json!({"ask": QUESTION, "stream": true})).await).lines();
    let talk = loop {
        let line = lines.next_line().await.unwrap().unwrap();
        if let Some(talk) = line.strip_prefix("x-talk-id: ") {
            break talk.to_owned();
        }
    };
    model.waits(1).await;
    drop(lines);
    let ahead = bench.send(TOKEN, "GET", &format!("/api/chat/{talk}"), "Last-Event-ID: 99\r\n", "").await;
    assert_eq!(ahead.status, 400, "nobody has seen what is not told yet: {}", ahead.body);
    let path = format!("/api/chat/{talk}");
    let resumed = bench.get(&path);
    let release = async {
        model.waits(1).await;
        model.release();
    };
    let (resumed, ()) = tokio::join!(resumed, release);
    let told = events(&resumed.body);
    assert_eq!(names(&told), ["ai_answer_end"], "{}", resumed.body);

    // A client that has all of it is told that there is no more, however often it asks.
    let last = told.last().unwrap().1.unwrap();
    for seen in [last, last + 1, last + 1_000] {
        let headers = format!("Last-Event-ID: {seen}\r\n");
        let again = bench.send(TOKEN, "GET", &path, &headers, "");
        let again = tokio::time::timeout(Duration::from_secs(20), again).await.unwrap();
        assert_eq!((again.status, again.body.as_str()), (204, ""), "{seen}");
    }
}

/// Lets time pass without waiting for it.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

#[tokio::test]
async fn an_answer_is_remembered_for_five_minutes_from_its_end_and_then_forgotten() {
    let model = ModelDouble::new("double", [Deed::Later("Yes."), Deed::Say("Yes.")]);
    let bench = Bench::of(&model).await;
    let chat = bench.state.chat().unwrap();
    let question = || crate::chat::Question {
        text: QUESTION.to_owned(),
        hearing: crate::chat::Hearing { comes_back: true, ..Default::default() },
        ..Default::default()
    };
    let (talk, mut listener) = chat.begin(question()).await.unwrap();
    model.waits(1).await;
    pass(Duration::from_mins(9)).await;
    model.release();
    while listener.next().await.is_some() {}
    pass(Duration::from_mins(4)).await;
    let (_, mut other) = chat.begin(question()).await.unwrap();
    while other.next().await.is_some() {}
    assert!(chat.find(talk.id()).is_some(), "thirteen minutes after it began, and four after it ended");
    pass(Duration::from_mins(2)).await;
    let forgotten = async {
        while chat.find(talk.id()).is_some() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), forgotten).await.unwrap();
}

#[tokio::test]
async fn questions_that_wait_for_a_person_leave_their_places_to_others() {
    let calls = (0..8).map(|number| Deed::Call("change", json!({"what": format!("part {number}")})));
    let model = ModelDouble::new("double", calls.chain([Deed::Say("Fine."), Deed::Say("Changed.")]));
    let bench = Bench::of(&model).await;
    let mut waiting = Vec::new();
    for _ in 0..8 {
        waiting.push(bench.chat(&json!({"ask": "Change it.", "enable_tool_approval": true})).await);
    }
    assert_eq!(bench.chat(&json!({"ask": QUESTION})).await["analysis"], "Fine.");
    let done = approvals::decide(&bench, &waiting[3], true).await;
    assert_eq!((done.status, &done.json()["analysis"], bench.changes()), (200, &"Changed.".into(), 1));
}
