//! Looks at more than fits: a gigabyte of logs, 5,000 pods of 50 MB. The memory of the process stays bounded.
//!
//! One test, for the memory that is measured is that of the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, missing_docs)]

use std::io::{BufRead as _, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

use kube::{Client, Config};
use marple_core::EvidenceId;
use marple_tools::evidence::lines;
use marple_tools::kubernetes::{Cluster, tools};
use marple_tools::redact::RedactConfig;
use marple_tools::{CallStatus, EvidenceLog, Look, MemoryEvidence, Output, Redactor, Tool, Toolbox};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

/// The most memory that a look may take at its peak, in KiB.
const MOST: u64 = 150 << 10;

/// How much the log has, and the list.
const LOG: usize = 1 << 30;
const PODS: usize = 5_000;
const POD: usize = 10 << 10;

#[tokio::test]
async fn a_gigabyte_of_logs_and_5000_pods_of_50_megabytes_stay_within_150_mebibytes() {
    let address = serve();
    rustls::crypto::ring::default_provider().install_default().ok();
    let client = Client::try_from(Config::new(format!("http://{address}").parse().unwrap())).unwrap();
    let tools = tools(Cluster::new(client));

    let begun = Instant::now();
    let before = reset_peak();
    let arguments = json!({"kind": "Pod", "filter": "object.spec.node != 'n3'", "group_by": ["status", "spec.node"]});
    let list = call(&tools, "kubernetes_get", arguments).await;
    let of_list = peak();
    println!("50 MB of pods: {of_list} KiB at the peak ({before} before), {:?}", begun.elapsed());
    assert!(list.content.starts_with("4,500 of 5,000 pods"), "{}", list.content);
    assert!(list.content.lines().count() <= 12, "{}", list.content);
    assert!(of_list <= MOST, "{of_list} KiB");

    let begun = Instant::now();
    let before = reset_peak();
    let whole = call(&tools, "kubernetes_get", json!({"kind": "Pod", "namespace": "shop"})).await;
    assert_eq!(whole.content.lines().count(), PODS + 3, "the evidence has every row, a head and two counts");
    assert!(whole.view.unwrap().chars().count() <= 6_100, "and the view is bounded");
    println!("5,000 rows: {} KiB at the peak ({before} before), {:?}", peak(), begun.elapsed());

    let begun = Instant::now();
    let before = reset_peak();
    let evidence = Arc::new(MemoryEvidence::default());
    let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
    let tools = tools.into_iter().chain(marple_tools::evidence::tools(evidence.clone()));
    let toolbox = Toolbox::new(tools, evidence.clone(), redact, Duration::from_mins(2));
    let arguments = json!({"name": "big", "namespace": "shop", "grep": "refused|GET"});
    let logs = toolbox.call("kubernetes_logs", arguments, &look()).await;
    let of_logs = peak();
    let heads: Vec<&str> = logs.text.lines().take(5).collect();
    println!("a log: {of_logs} KiB at the peak ({before} before), {:?}\n{}", begun.elapsed(), heads.join("\n"));
    assert!(of_logs <= MOST, "{of_logs} KiB");
    assert_eq!(logs.status, CallStatus::Truncated);
    assert!(logs.text.len() <= 12_000, "{}", logs.text.len());

    // A slow machine doesn't come to its end in the time that a look has, and says how far it came. All that was read is kept.
    let read = matching_lines(&logs.text);
    let begun = Instant::now();
    let before = reset_peak();
    let kept = kept_lines(evidence.as_ref(), logs.evidence.unwrap(), read).await;
    assert_eq!(kept, read);
    let wanted = [1, read / 2, read - 1];
    for number in wanted {
        let query = format!("/carts/{number} of");
        let found = toolbox.call("evidence_search", json!({"query": query, "context": 0}), &look()).await;
        assert!(
            found.text.contains(&format!("\n{}: {}", number + heads_of(&logs.text), line(number))),
            "{}",
            found.text
        );
    }
    let page = toolbox.call("evidence_read", json!({"id": "e1", "from": -2, "to": -2}), &look()).await;
    assert!(page.text.contains(&format!("\n{}\n", line(read - 1))), "{}", page.text);
    println!("{} lines searched and read: {} KiB at the peak ({before} before), {:?}", kept, peak(), begun.elapsed());
    assert!(peak() <= MOST, "{} KiB", peak());
}

/// How many lines of the log matched, as the look says: all, but for one that was cut off.
fn matching_lines(text: &str) -> u64 {
    let told = text.lines().find(|line| line.ends_with(" lines match)")).unwrap();
    let (matching, _) = told.trim_start_matches('(').split_once(" of ").unwrap();
    matching.replace(',', "").parse().unwrap()
}

/// How many lines of the evidence stand before those of the log.
fn heads_of(text: &str) -> u64 {
    let before = text.lines().skip(1).position(|line| line == "the lines:").unwrap();
    u64::try_from(before).unwrap() + 1
}

/// A line of the log as the evidence has it.
fn line(number: u64) -> String {
    format!("{number}: 01-02 03:04:05 {}", written(number))
}

/// How many lines of the log are kept, each of which is as it was sent.
async fn kept_lines(evidence: &dyn EvidenceLog, id: EvidenceId, read: u64) -> u64 {
    let layout = evidence.layout(id).await.unwrap().unwrap();
    let mut kept = 0;
    lines(evidence, id, &layout, 0, |_, text| {
        let wanted = line(kept + 1);
        // The last one may be cut off.
        if text == wanted || kept > 0 && kept + 1 == read && wanted.starts_with(text) {
            kept += 1;
        } else {
            assert_eq!(kept, 0, "{text:?} is not {wanted:?}");
        }
        ControlFlow::Continue(())
    })
    .await
    .unwrap();
    kept
}

async fn call(tools: &[Arc<dyn Tool>], name: &str, arguments: Value) -> Output {
    let tool = tools.iter().find(|tool| tool.spec().name == name).unwrap();
    tool.call(arguments, &look()).await.unwrap()
}

fn look() -> Look {
    Look { incident_start: None, now: jiff::Timestamp::now(), cancel: CancellationToken::new() }
}

/// Forgets the peak of the process's memory, and gives what it has now in KiB.
fn reset_peak() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").unwrap();
    peak()
}

fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// An API server that makes up what it sends while it sends it.
fn serve() -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // Who asks may hang up in the middle.
            std::thread::spawn(move || answer(&stream).ok());
        }
    });
    address
}

fn answer(mut stream: &TcpStream) -> std::io::Result<()> {
    let mut request = BufReader::new(stream);
    let mut first = String::new();
    request.read_line(&mut first)?;
    let mut line = String::new();
    while request.read_line(&mut line)? > 2 {
        line.clear();
    }
    let path = first.split(' ').nth(1).unwrap_or_default();
    let resource = |kind: &str, plural: &str| json!({"resource": plural, "responseKind": {"kind": kind}, "scope": "Namespaced", "verbs": ["get", "list"]});
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")?;
    let core =
        json!({"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [resource("Pod", "pods")]}]});
    match path.split('?').next().unwrap_or_default() {
        "/api" => write!(stream, "{}", json!({"kind": "APIGroupDiscoveryList", "items": [core]})),
        "/apis" => write!(stream, "{}", json!({"kind": "APIGroupDiscoveryList", "items": []})),
        "/api/v1/namespaces/shop/pods/big" => write!(stream, "{}", pod_object()),
        "/api/v1/namespaces/shop/pods/big/log" => log(stream),
        "/api/v1/pods" => rows(stream, path, &"x".repeat(POD)),
        "/api/v1/namespaces/shop/pods" => rows(stream, path, ""),
        _ => Ok(()),
    }
}

fn pod_object() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "big"}, "spec": {"containers": [{"name": "app"}]},
        "status": {"containerStatuses": [{"name": "app", "restartCount": 0, "state": {"running": {}}}]}})
}

fn rows(mut stream: &TcpStream, path: &str, filling: &str) -> std::io::Result<()> {
    let from: usize = path.split("continue=").nth(1).and_then(|rest| rest.split('&').next()?.parse().ok()).unwrap_or(0);
    let to = from + 500;
    let next = if to < PODS { to.to_string() } else { String::new() };
    let columns = r#"[{"name":"Name"},{"name":"Status"}]"#;
    write!(stream, r#"{{"kind":"Table","metadata":{{"continue":"{next}"}},"columnDefinitions":{columns},"rows":["#)?;
    for number in from..to {
        let comma = if number > from { "," } else { "" };
        let node = number % 10;
        write!(
            stream,
            r#"{comma}{{"cells":["cart-{number}","Running"],"object":{{"metadata":{{"name":"cart-{number}"}},"spec":{{"node":"n{node}","filling":"{filling}"}}}}}}"#
        )?;
    }
    stream.write_all(b"]}")
}

fn log(stream: &TcpStream) -> std::io::Result<()> {
    let mut stream = BufWriter::with_capacity(1 << 20, stream);
    let mut sent = 0;
    for number in 1.. {
        let line = written(number);
        writeln!(stream, "2026-01-02T03:04:05.000000000Z {line}")?;
        sent += line.len() + 32;
        if sent > LOG {
            break;
        }
    }
    stream.flush()
}

/// What the program wrote on a line, no two alike.
fn written(number: u64) -> String {
    let level = if number.is_multiple_of(100) { "ERROR refused" } else { "INFO GET" };
    format!(
        "{level} /carts/{number} of a customer of a customer of a customer of a customer of a customer of a customer"
    )
}
