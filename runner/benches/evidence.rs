//! A gigabyte of logs as evidence: read, redacted, kept, searched and read again.
//!
//! `cargo bench -p marple-runner --bench evidence`. The memory is that of the whole process at its peak, the server that
//! makes the log up included.
#![allow(clippy::unwrap_used, missing_docs)]

#[cfg(target_os = "linux")]
fn main() {
    linux::main();
}

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("left out: the memory of a process is read where Linux tells it");
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io::{BufRead as _, BufReader, BufWriter, Write};
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::ops::ControlFlow;
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use kube::{Client, Config};
    use marple_agent::citation::check;
    use marple_core::{Citation, Conclusion, EvidenceId, IncidentId};
    use marple_runner::store::{Investigations as _, SqliteStore};
    use marple_tools::evidence::lines;
    use marple_tools::kubernetes::{Cluster, tools};
    use marple_tools::redact::RedactConfig;
    use marple_tools::{EvidenceLog, Look, Redactor, Toolbox};
    use serde_json::{Value, json};
    use sha2::{Digest as _, Sha256};
    use tokio_util::sync::CancellationToken;

    /// The most memory that it may take at its peak, in MiB.
    const MOST: u64 = 150;

    /// How much the log has, in bytes.
    const LOG: usize = 1_000_000_000;

    pub(super) fn main() {
        tokio::runtime::Runtime::new().unwrap().block_on(run());
    }

    async fn run() {
        rustls::crypto::ring::default_provider().install_default().ok();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("marple.db");
        let store = SqliteStore::open(&path).await.unwrap();
        let log = store.evidence(IncidentId::new());
        let client = Client::try_from(Config::new(format!("http://{}", serve()).parse().unwrap())).unwrap();
        let redact = Arc::new(Redactor::new(&RedactConfig::default()).unwrap());
        let all = tools(Cluster::new(client)).into_iter().chain(marple_tools::evidence::tools(Arc::clone(&log)));
        let toolbox = Toolbox::new(all, Arc::clone(&log), redact, Duration::from_secs(30));
        let look = Look { incident_start: None, now: jiff::Timestamp::now(), cancel: CancellationToken::new() };
        let call = async |name: &str, arguments: Value| {
            let outcome = toolbox.call(name, arguments, &look).await;
            assert!(outcome.status.gave(), "{}", outcome.text);
            outcome
        };

        let begun = Instant::now();
        let logs = call("kubernetes_logs", json!({"name": "big", "namespace": "shop", "grep": "refused|GET"})).await;
        let heads: Vec<&str> = logs.text.lines().take(4).collect();
        told("a look at the log", begun, &heads.join("\n"));
        println!("{} KiB of the store's file", std::fs::metadata(&path).unwrap().len() >> 10);

        let begun = Instant::now();
        let (kept, read) = (digest(log.as_ref(), logs.evidence.unwrap()).await, sent());
        told("all lines read again", begun, &format!("{} of {} lines, the same: {}", kept.0, read.0, kept == read));

        let last = kept.0;
        for number in [1, last / 2, last] {
            let begun = Instant::now();
            let arguments = json!({"query": format!("/carts/{number} of"), "context": 0});
            let found = call("evidence_search", arguments).await;
            told("a search", begun, found.text.lines().nth(2).unwrap_or_default());
        }
        let begun = Instant::now();
        let page = call("evidence_read", json!({"id": "e1", "from": last / 2, "to": last / 2 + 1})).await;
        told("lines of the middle", begun, page.text.lines().nth(1).unwrap_or_default());

        let begun = Instant::now();
        let checked = check(conclusion(last), log.as_ref()).await;
        let verified: Vec<bool> = checked.conclusion.citations().map(|citation| citation.verified).collect();
        told("a check of three quotes, of which one is wrong", begun, &format!("{verified:?}"));
        assert!(peak() <= MOST, "{} MiB", peak());
        store.close().await;
    }

    fn told(what: &str, begun: Instant, found: &str) {
        println!(
            "{what}: {:.1} s, {} MiB at the peak so far\n  {}",
            begun.elapsed().as_secs_f64(),
            peak(),
            found.replace('\n', "\n  ")
        );
    }

    /// Quotes of the first and the last line, and one that is nowhere.
    fn conclusion(last: u64) -> Conclusion {
        let cite = |quote: String| Citation { evidence: EvidenceId(1), quote, verified: false };
        let quotes = [
            "/carts/1 of a customer".to_owned(),
            format!("/carts/{last} of a customer"),
            "/carts/0 of a customer".to_owned(),
        ];
        let object = json!({"kind": "Pod", "namespace": "shop", "name": "big"});
        let cause =
            json!({"object": object, "category": "application", "statement": "s", "citations": quotes.map(cite)});
        serde_json::from_value(json!({"verdict": "fault", "summary": "s", "confidence": "high", "cause": cause}))
            .unwrap()
    }

    /// How many lines of the log the evidence has, and their digest.
    async fn digest(log: &dyn EvidenceLog, id: EvidenceId) -> (u64, Vec<u8>) {
        let layout = log.layout(id).await.unwrap().unwrap();
        let (mut count, mut digest) = (0, Sha256::new());
        lines(log, id, &layout, 0, |_, line| {
            if let Some((_, line)) = line.split_once(": 01-02 03:04:05 ") {
                count += 1;
                digest.update(line);
                digest.update("\n");
            }
            ControlFlow::Continue(())
        })
        .await
        .unwrap();
        (count, digest.finalize().to_vec())
    }

    /// The same of what was sent.
    fn sent() -> (u64, Vec<u8>) {
        let (mut count, mut digest) = (0, Sha256::new());
        for line in log() {
            count += 1;
            digest.update(line);
            digest.update("\n");
        }
        (count, digest.finalize().to_vec())
    }

    /// The peak of the process's memory, in MiB.
    fn peak() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() >> 10
    }

    /// What the program wrote, no two lines alike.
    fn log() -> impl Iterator<Item = String> {
        let line = |number: u64| {
            let level = if number.is_multiple_of(100) { "ERROR refused" } else { "INFO GET" };
            let trace = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let (took, status) = (trace % 997, if number.is_multiple_of(100) { 500 } else { 200 });
            format!(
                "{level} /carts/{number} of a customer status={status} took={took}ms trace={trace:016x} agent=\"shop-web/1.4 (linux)\""
            )
        };
        let mut sent = 0;
        (1..).map(line).take_while(move |line| {
            sent += line.len() + STAMP.len() + 1;
            sent <= LOG
        })
    }

    const STAMP: &str = "2026-01-02T03:04:05.000000000Z ";

    /// An API server with one pod.
    fn serve() -> SocketAddr {
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

    fn answer(stream: &TcpStream) -> std::io::Result<()> {
        let mut request = BufReader::new(stream);
        let mut first = String::new();
        request.read_line(&mut first)?;
        let mut line = String::new();
        while request.read_line(&mut line)? > 2 {
            line.clear();
        }
        let mut answer = BufWriter::with_capacity(1 << 20, stream);
        answer.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n")?;
        let pods =
            json!({"resource": "pods", "responseKind": {"kind": "Pod"}, "scope": "Namespaced", "verbs": ["get"]});
        let core = json!({"metadata": {"name": ""}, "versions": [{"version": "v1", "resources": [pods]}]});
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"namespace": "shop", "name": "big"},
            "spec": {"containers": [{"name": "app"}]},
            "status": {"containerStatuses": [{"name": "app", "restartCount": 0, "state": {"running": {}}}]}});
        let path = first.split([' ', '?']).nth(1).unwrap_or_default();
        match path {
            "/api" => write!(answer, "{}", json!({"kind": "APIGroupDiscoveryList", "items": [core]}))?,
            "/apis" => write!(answer, "{}", json!({"kind": "APIGroupDiscoveryList", "items": []}))?,
            "/api/v1/namespaces/shop/pods/big" => write!(answer, "{pod}")?,
            _ => {
                for line in log() {
                    writeln!(answer, "{STAMP}{line}")?;
                }
            }
        }
        answer.flush()
    }
}
