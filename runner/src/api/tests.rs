#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use jiff::Timestamp;
use marple_core::{EvidenceOrigin, IncidentId, Secret};
use marple_tools::EvidenceDraft;
use marple_tools::redact::{RedactConfig, Redactor};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{ApiState, Telemetry, serve};
use crate::clock::Clock;
use crate::correlate::{CorrelateConfig, Correlator, Life, NoOwners};
use crate::store::{IncidentFilter, Incidents, Investigations, Outbox, Signals, SqliteStore, Upkeep};

mod changes;
mod chat;
mod people;

const TOKEN: &str = "s3cret";

struct Server {
    _folder: TempDir,
    store: SqliteStore,
    address: SocketAddr,
    correlation: Option<Life>,
    cancel: CancellationToken,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

fn telemetry() -> Telemetry {
    static ONCE: OnceLock<Telemetry> = OnceLock::new();
    ONCE.get_or_init(Telemetry::install).clone()
}

fn redact() -> Arc<dyn marple_tools::Redact> {
    Arc::new(Redactor::new(&RedactConfig::default()).unwrap())
}

async fn server() -> Server {
    server_and_state().await.0
}

async fn server_and_state() -> (Server, ApiState) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let life = Life::default();
    let state = ApiState::new(
        Arc::new(store.clone()),
        Some(&Secret::new(TOKEN)),
        telemetry(),
        redact(),
        [("correlation", life.watch())],
    );
    let cancel = CancellationToken::new();
    tokio::spawn(serve(listener, state.clone(), cancel.clone()));
    (Server { _folder: folder, store, address, correlation: Some(life), cancel }, state)
}

impl Server {
    async fn raw(&self, request: &[u8]) -> Answer {
        raw(self.address, request).await
    }

    async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        ask(self.address, method, path, body).await
    }
}

async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: marple\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    raw(address, &[head.as_bytes(), body.as_bytes()].concat()).await
}

async fn raw(address: SocketAddr, request: &[u8]) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    read(&mut stream).await
}

async fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = vec![];
    stream.read_to_end(&mut bytes).await.unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn webhook(pods: &[&str]) -> Value {
    let alert = |pod: &&str| {
        json!({
            "status": "firing",
            "labels": {"alertname": "KubePodCrashLooping", "namespace": "shop", "pod": pod, "severity": "warning"},
            "annotations": {"summary": "Pod is crash looping."},
            "startsAt": "2026-01-02T03:04:05Z",
            "endsAt": "0001-01-01T00:00:00Z",
            "generatorURL": ""
        })
    };
    json!({"version": "4", "status": "firing", "alerts": pods.iter().map(alert).collect::<Vec<_>>()})
}

#[tokio::test]
async fn alerts_are_stored_before_they_are_answered_and_counted_once() {
    let server = server().await;
    let mut body = webhook(&["a", "b"]);
    body["alerts"]
        .as_array_mut()
        .unwrap()
        .push(json!({"status": "firing", "labels": {}, "startsAt": "2026-01-02T03:04:05Z"}));
    let answer = server.ask("POST", "/api/alerts", &body.to_string()).await;
    assert_eq!((answer.status, answer.json()), (200, json!({"accepted": 2, "duplicate": 0, "quarantined": 1})));
    assert_eq!(server.store.unprocessed(10).await.unwrap().len(), 2);
    let again = server.ask("POST", "/api/alerts", &body.to_string()).await;
    assert_eq!(again.json(), json!({"accepted": 0, "duplicate": 2, "quarantined": 1}));
    let aside = server.ask("GET", "/api/quarantine", "").await.json();
    assert_eq!((&aside[0]["count"], &aside[0]["pointer"]), (&json!(2), &json!("/alerts/2/labels")));
    assert_eq!(aside[0]["reason"], json!("the alert has no label `alertname`"));
}

#[tokio::test]
async fn signals_of_a_forwarder_come_in_beside_alerts() {
    let server = server().await;
    server.ask("POST", "/api/alerts", &webhook(&["a"]).to_string()).await;
    let (_, mut signal) = server.store.unprocessed(1).await.unwrap().remove(0);
    signal.source = marple_core::SignalSource::Forwarder;
    let answer = server.ask("POST", "/api/signals", &serde_json::to_string(&[signal]).unwrap()).await;
    assert_eq!(answer.json(), json!({"accepted": 1, "duplicate": 0, "quarantined": 0}));
    let firing = server.ask("GET", "/api/signals", "").await.json();
    assert_eq!(firing.as_array().map(Vec::len), Some(1), "what a forwarder holds as firing, and no alert: {firing}");
    assert_eq!(firing[0]["source"], json!("forwarder"));
    let told = server.ask("GET", "/api/signals/told?since=2026-01-01T00:00:00Z", "").await.json();
    assert_eq!((told.as_array().map(Vec::len), &told[0]["fingerprint"]), (Some(1), &firing[0]["fingerprint"]));
    let asked = server.ask("GET", "/api/signals/told", "").await;
    assert_eq!(asked.status, 400, "since when it is asked has to be said: {}", asked.body);
}

#[tokio::test]
async fn secrets_that_an_alert_tells_are_not_kept() {
    let server = server().await;
    let mut body: Value = serde_json::from_str(&webhook(&["a"]).to_string()).unwrap();
    body["alerts"][0]["annotations"] = json!({
        "description": "login failed with password=hunter2-of-the-shop", "api_token": "abc-123-of-the-shop"
    });
    body["alerts"].as_array_mut().unwrap().push(json!({ "status": "odd", "note": "password=hunter2-of-the-shop" }));
    assert_eq!(server.ask("POST", "/api/alerts", &body.to_string()).await.status, 200);
    let (_, signal) = server.store.unprocessed(1).await.unwrap().remove(0);
    let kept = format!("{:?} {:?}", signal.annotations, server.store.quarantine(9).await.unwrap());
    assert!(kept.contains("login failed") && kept.contains("odd") && !kept.contains("of-the-shop"), "{kept}");
}

#[tokio::test]
async fn a_payload_that_is_none_is_refused_with_where_it_is_wrong() {
    let server = server().await;
    let answer = server.ask("POST", "/api/alerts", r#"{"version":"3"}"#).await;
    let error = "version \"3\" of Alertmanager's webhook is not understood; version \"4\" is";
    assert_eq!((answer.status, answer.json()), (400, json!({"error": error, "pointer": "/version"})));
}

#[tokio::test]
async fn only_who_bears_the_token_comes_in() {
    let server = server().await;
    let ask = async |path: &str, authorization: &str| {
        let request = format!("GET {path} HTTP/1.1\r\nHost: m\r\nConnection: close\r\n{authorization}\r\n");
        server.raw(request.as_bytes()).await
    };
    let refused = ask("/api/incidents", "").await;
    assert_eq!(refused.status, 401);
    assert!(refused.head.contains("\r\nwww-authenticate: bearer realm=\"marple\""), "{}", refused.head);
    for wrong in ["Bearer s3cre", "Bearer s3crets", "Basic s3cret", "Bearer "] {
        assert_eq!(ask("/api/incidents", &format!("Authorization: {wrong}\r\n")).await.status, 401, "{wrong}");
    }
    assert_eq!(ask("/api/incidents", "Authorization: bearer s3cret\r\n").await.status, 200);
    for open in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(ask(open, "").await.status, 200, "{open}");
    }
    let post = "POST /api/alerts HTTP/1.1\r\nHost: m\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}";
    assert_eq!(server.raw(post.as_bytes()).await.status, 401);
}

#[tokio::test]
async fn a_body_over_eight_mebibytes_is_refused_and_one_just_under_is_read() {
    let server = server().await;
    let padded = |length: usize| {
        let mut body = webhook(&["a"]);
        body["externalURL"] = json!("");
        let rest = length - body.to_string().len();
        body["externalURL"] = json!("x".repeat(rest));
        body.to_string()
    };
    let over = server.ask("POST", "/api/alerts", &padded((8 << 20) + 1)).await;
    assert_eq!(over.status, 413, "{}", over.body);
    assert!(over.json()["error"].as_str().unwrap().contains("longer than 8 MiB"));
    assert_eq!(server.ask("POST", "/api/alerts", &padded(8 << 20)).await.status, 200);
}

#[tokio::test]
async fn a_body_that_is_cut_off_is_not_taken() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head =
        format!("POST /api/alerts HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 100\r\n\r\n");
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(b"{\"version\"").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut rest = vec![];
    stream.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains(" 200 "));
    assert_eq!(server.store.unprocessed(1).await.unwrap(), []);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up() {
    let server = server().await;
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let head = format!(
        "POST /api/alerts HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\nContent-Length: 9\r\n\r\n{{"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let answer = read(&mut stream).await;
    assert_eq!((answer.status, answer.json()), (408, json!({"error": "the body took longer than 15 s"})));
}

#[tokio::test]
async fn when_too_much_is_being_received_the_sender_is_told_to_come_again() {
    let server = server().await;
    let head = |length: usize| {
        format!(
            "POST /api/alerts HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n"
        )
    };
    // Two bodies of 8 MiB that don't end take all the room; the handlers have them once the third is refused.
    let mut slow = vec![];
    let refused = loop {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        stream.write_all(head(8 << 20).as_bytes()).await.unwrap();
        let mut first = [0_u8; 12];
        let answered = tokio::time::timeout(std::time::Duration::from_millis(200), stream.read_exact(&mut first)).await;
        if answered.is_ok() {
            let mut rest = vec![];
            stream.read_to_end(&mut rest).await.unwrap();
            break String::from_utf8([&first[..], &rest].concat()).unwrap();
        }
        slow.push(stream);
        assert!(slow.len() < 5);
    };
    assert!(refused.starts_with("HTTP/1.1 503"), "{refused}");
    assert!(refused.to_ascii_lowercase().contains("\r\nretry-after: 1\r\n"), "{refused}");
    assert_eq!(slow.len(), 2);
    assert_eq!(server.ask("GET", "/healthz", "").await.status, 200);
}

#[tokio::test]
async fn readiness_tells_of_a_store_that_can_not_be_written_and_of_a_dead_correlation() {
    let mut server = server().await;
    let ready = server.ask("GET", "/readyz", "").await;
    assert_eq!((ready.status, ready.json()), (200, json!({"ready": true, "failed": [], "configuration": "loaded"})));
    server.correlation = None;
    let dead = server.ask("GET", "/readyz", "").await;
    let failed = json!([{"part": "correlation", "why": "its task has ended"}]);
    assert_eq!((dead.status, dead.json()), (503, json!({"ready": false, "failed": failed, "configuration": "loaded"})));
    server.store.close().await;
    assert!(server.store.writable().await.is_err());
    let post = server.ask("POST", "/api/alerts", &webhook(&["a"]).to_string()).await;
    assert_eq!((post.status, post.json()), (503, json!({"error": "marple is shutting down"})));
}

#[tokio::test]
async fn an_incident_is_shown_with_what_is_known_of_it() {
    let server = server().await;
    let changed = Arc::new(Notify::new());
    let store = Arc::new(server.store.clone());
    let (correlator, _teacher) =
        Correlator::new(store, Arc::new(NoOwners), CorrelateConfig::default(), Arc::clone(&changed), Clock::system());
    let task = tokio::spawn(correlator.run(server.cancel.clone()));
    server.ask("POST", "/api/alerts", &webhook(&["a"]).to_string()).await;
    changed.notified().await;
    let listed = server.ask("GET", "/api/incidents?status=open&object=Pod/shop/a&limit=5", "").await.json();
    let incident = &listed[0];
    assert_eq!(incident["title"], json!("Pod shop/a: KubePodCrashLooping"));
    let id: IncidentId = incident["id"].as_str().unwrap().parse().unwrap();
    let draft = EvidenceDraft {
        origin: EvidenceOrigin::Capture,
        title: "logs of Pod shop/a".to_owned(),
        object: None,
        taken_at: "2026-01-02T03:04:05Z".parse().unwrap(),
        content: "panic: no config".to_owned(),
        view: None,
    };
    server.store.evidence(id).keep(draft).await.unwrap();
    let shown = server.ask("GET", &format!("/api/incidents/{}", id.short()), "").await.json();
    assert_eq!(&shown["incident"], incident);
    assert_eq!(shown["members"][0]["headline"], json!("Pod is crash looping."));
    assert_eq!(shown["timeline"][0]["opened"], json!({"name": "KubePodCrashLooping"}));
    assert_eq!((&shown["findings"], &shown["conclusion"]), (&json!([]), &Value::Null));
    assert_eq!(shown["evidence"][0]["title"], json!("logs of Pod shop/a"));
    let whole = server.ask("GET", &format!("/api/incidents/{id}/evidence/e1"), "").await.json();
    assert_eq!(whole["content"], json!("panic: no config"));
    let text = server.ask("GET", &format!("/api/incidents/{id}/evidence/e1/text"), "").await;
    assert_eq!((text.status, text.body.as_str()), (200, "10\r\npanic: no config\r\n0\r\n\r\n"), "in one chunk of HTTP");
    for (path, status) in [
        (format!("/api/incidents/{id}/evidence/e2"), 404),
        (format!("/api/incidents/{id}/evidence/e2/text"), 404),
        (format!("/api/incidents/{id}/evidence/x"), 400),
        ("/api/incidents/00000000".to_owned(), 404),
        ("/api/incidents?status=shut".to_owned(), 400),
        ("/api/incidents?object=cart".to_owned(), 400),
        ("/api/incidents?colour=red".to_owned(), 400),
        ("/api/nothing".to_owned(), 404),
    ] {
        assert_eq!(server.ask("GET", &path, "").await.status, status, "{path}");
    }
    assert_eq!(server.ask("DELETE", "/api/incidents", "").await.status, 405);
    server.cancel.cancel();
    task.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_dead_letter_is_seen_and_resent_and_that_is_recorded() {
    let server = server().await;
    let now = Timestamp::now();
    server.store.outbox_want(IncidentId::new(), &["slack"], 1, now).await.unwrap();
    let id = server.store.outbox_due(now, 1).await.unwrap().remove(0).id;
    let path = format!("/api/outbox/{id}/resend");
    assert_eq!(server.ask("POST", &path, "").await.status, 404);
    server.store.outbox_begin(id, now).await.unwrap();
    server.store.outbox_bury(id, "channel_not_found").await.unwrap();
    let dead = server.ask("GET", "/api/outbox/dead", "").await.json();
    assert_eq!((&dead[0]["id"], &dead[0]["last_error"]), (&json!(id), &json!("channel_not_found")));
    let resent = server.ask("POST", &path, "").await;
    assert_eq!((resent.status, resent.json()), (200, json!({"resent": id})));
    assert_eq!(server.store.outbox_due(Timestamp::now(), 1).await.unwrap().len(), 1);
    let record = server.store.audit_records(1).await.unwrap().remove(0);
    assert_eq!(
        (record.actor.as_str(), record.action.as_str(), record.detail),
        ("api", "outbox resend", json!({"row": id}))
    );
}

#[tokio::test]
async fn what_is_under_way_is_finished_when_the_server_stops() {
    let server = server().await;
    let body = webhook(&["a"]).to_string();
    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let length = body.len();
    let head = format!(
        "POST /api/alerts HTTP/1.1\r\nHost: m\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    // The handler asks for the body: the request is under way.
    let mut asked = [0_u8; 25];
    stream.read_exact(&mut asked).await.unwrap();
    assert_eq!(&asked, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.cancel.cancel();
    stream.write_all(body.as_bytes()).await.unwrap();
    assert_eq!(read(&mut stream).await.status, 200);
    assert!(TcpStream::connect(server.address).await.is_err());
    assert_eq!(server.store.incidents(&IncidentFilter::default()).await.unwrap(), []);
    assert_eq!(server.store.unprocessed(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn metrics_are_named_and_described() {
    let server = server().await;
    server.ask("POST", "/api/alerts", &webhook(&["a"]).to_string()).await;
    let answer = server.ask("GET", "/metrics", "").await;
    assert!(answer.head.contains("content-type: text/plain; version=0.0.4"), "{}", answer.head);
    for line in [
        "# HELP marple_intake_signals_total ",
        "# TYPE marple_store_commit_seconds histogram",
        "marple_intake_signals_total{endpoint=\"alerts\",outcome=\"accepted\"}",
    ] {
        assert!(answer.body.contains(line), "{line} is not in\n{}", answer.body);
    }
}

const APPROVER: &str = "approver-s3cret";

async fn bearing(server: &Server, token: &str, method: &str, path: &str, body: &str) -> Answer {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: marple\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    server.raw(&[head.as_bytes(), body.as_bytes()].concat()).await
}

#[tokio::test]
async fn only_the_approvers_token_approves_and_without_one_nobody_does() {
    use marple_tools::Effect;
    use marple_tools::gate::{Approval, Approve as _, Request};

    use crate::approve::People;

    let (server, state) = server_and_state().await;
    let nobody = bearing(&server, TOKEN, "POST", "/api/approvals/x", "{}").await;
    assert_eq!(
        (nobody.status, nobody.json()["error"].as_str()),
        (403, Some("nobody may approve: set `server.approver_token`"))
    );

    let wait = std::time::Duration::from_mins(1);
    let people =
        Arc::new(People::new(Arc::new(server.store.clone()), redact(), wait, &Secret::new(APPROVER), Clock::system()));
    state.ask(Some((Arc::clone(&people), &Secret::new(APPROVER))));
    let request = Request {
        actor: "investigation".to_owned(),
        tool: "kubernetes_scale".to_owned(),
        arguments: json!({"replicas": 3}),
        effect: Effect::Write,
        preview: None,
    };
    let asking = tokio::spawn(async move { people.approve(&request).await });
    let id = loop {
        let listed = bearing(&server, APPROVER, "GET", "/api/approvals", "").await;
        if let Some(id) = listed.json()[0]["id"].as_str() {
            break id.to_owned();
        }
        tokio::task::yield_now().await;
    };
    let at = format!("/api/approvals/{id}");
    let approve = r#"{"decision": "approve", "by": "ann"}"#;
    assert_eq!(bearing(&server, TOKEN, "GET", "/api/approvals", "").await.status, 200);
    assert_eq!(bearing(&server, "wrong", "GET", "/api/approvals", "").await.status, 401);
    assert_eq!(bearing(&server, TOKEN, "POST", &at, approve).await.status, 401);
    assert_eq!(bearing(&server, APPROVER, "POST", &at, r#"{"decision": "approve", "by": " "}"#).await.status, 400);
    assert_eq!(bearing(&server, APPROVER, "POST", "/api/alerts", "{}").await.status, 401);

    let approved = bearing(&server, APPROVER, "POST", &at, approve).await;
    assert_eq!((approved.status, approved.json()["state"].as_str()), (200, Some("approved")), "{}", approved.body);
    assert_eq!(asking.await.unwrap().unwrap(), Approval::Approved { by: "ann".to_owned() });
    let replayed = bearing(&server, APPROVER, "POST", &at, approve).await;
    assert_eq!(replayed.status, 409, "{}", replayed.body);
}
