//! Against a scripted server of the older transport.

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::*;

struct Double {
    url: String,
    server: JoinHandle<()>,
}

impl Drop for Double {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Double {
    /// A server that names this address for messages.
    async fn start(endpoint: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/sse", listener.local_addr().unwrap());
        let server = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let (mut stream, request) = read(stream).await;
            assert!(request.starts_with("GET /sse HTTP/1.1\r\n"), "{request}");
            assert!(
                request.contains("accept: text/event-stream\r\n") && request.contains("x-team: shop\r\n"),
                "{request}"
            );
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
            stream.write_all(format!("{head}event: endpoint\ndata: {endpoint}\n\n").as_bytes()).await.unwrap();
            let (answers, mut wanted) = mpsc::channel::<String>(8);
            let posts = async {
                loop {
                    let (stream, _) = listener.accept().await.unwrap();
                    post(stream, &answers).await;
                }
            };
            let events = async {
                while let Some(answer) = wanted.recv().await {
                    stream.write_all(format!(": beat\n\nevent: message\ndata: {answer}\n\n").as_bytes()).await.unwrap();
                }
            };
            tokio::join!(posts, events);
        });
        Self { url, server }
    }
}

/// Reads a request's head, and its body where it tells a length.
async fn read(stream: TcpStream) -> (BufReader<TcpStream>, String) {
    let mut stream = BufReader::new(stream);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") {
        assert!(stream.read_line(&mut request).await.unwrap() > 0, "{request}");
    }
    let length = request.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.unwrap();
    (stream, request + &String::from_utf8(body).unwrap())
}

async fn post(stream: TcpStream, answers: &mpsc::Sender<String>) {
    let (mut stream, request) = read(stream).await;
    assert!(request.starts_with("POST /messages?session=7 HTTP/1.1\r\n"), "{request}");
    assert!(
        request.contains("content-type: application/json\r\n") && request.contains("x-team: shop\r\n"),
        "{request}"
    );
    let message: Value = serde_json::from_str(request.split("\r\n\r\n").nth(1).unwrap()).unwrap();
    let result = match message["method"].as_str().unwrap() {
        "initialize" => {
            json!({"protocolVersion": "2024-11-05", "capabilities": {"tools": {}}, "serverInfo": {"name": "x", "version": "1"}})
        }
        "tools/list" => json!({"tools": [{"name": "count", "inputSchema": {"type": "object"}}]}),
        "tools/call" => json!({"content": [{"type": "text", "text": format!("called {}", message["params"]["name"])}]}),
        _ => Value::Null,
    };
    stream.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").await.unwrap();
    if !result.is_null() {
        let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
        answers.send(answer.to_string()).await.unwrap();
    }
}

#[tokio::test]
async fn a_server_of_the_older_transport_is_asked() {
    let double = Double::start("/messages?session=7").await;
    let toolsets = toolsets(settings(Reach::Events(address(&double.url))));
    let tools = toolsets.offered().await.tools;
    assert_eq!(tools.len(), 1, "{:?}", toolsets.list());
    assert_eq!(call(&tools[0], json!({})).await.unwrap().content, "called \"count\"\n");
}

#[tokio::test]
async fn credentials_are_sent_to_no_other_host() {
    let double = Double::start("http://127.0.0.2:80/messages?session=7").await;
    let why = reason(settings(Reach::Events(address(&double.url)))).await;
    assert!(why.contains("it names an address of another host, http://127.0.0.2/messages"), "{why}");
}
