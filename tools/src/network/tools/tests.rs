#![allow(clippy::unwrap_used, missing_docs)]

use std::net::SocketAddr;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use rcgen::{CertificateParams, DnType, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::network::dns::double::{Answer, NameServer};
use crate::{Look, Output, ToolError};

const NOW: &str = "2026-01-02T03:00:00Z";

async fn call(allow: &[&str], arguments: Value) -> Result<Output, ToolError> {
    let config: NetworkConfig = serde_json::from_value(json!({ "allow": allow })).unwrap();
    let tool = tools(&config).pop().unwrap();
    let look = Look { incident_start: None, now: NOW.parse().unwrap(), cancel: CancellationToken::new() };
    tool.call(arguments, &look).await
}

async fn refusal(allow: &[&str], arguments: Value) -> String {
    match call(allow, arguments).await {
        Err(ToolError::Arguments(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// The text with each count of milliseconds as `N ms`.
fn timeless(text: &str) -> String {
    regex::Regex::new(r"\b\d+ ms").unwrap().replace_all(text, "N ms").into_owned()
}

#[test]
fn the_schema_costs_no_more_than_110_tokens() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    let config = NetworkConfig { allow: vec!["*".to_owned().try_into().unwrap()] };
    let tokens: Vec<usize> = tools(&config)
        .iter()
        .map(|tool| tool.spec())
        .map(|spec| json!({"type": "function", "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters}}))
        .map(|spec| counter.encode_ordinary(&spec.to_string()).len())
        .collect();
    assert!(tokens.len() == 1 && tokens.iter().sum::<usize>() <= 110, "{tokens:?}");
}

#[test]
fn where_nothing_is_allowed_nothing_is_offered() {
    assert!(tools(&NetworkConfig::default()).is_empty());
}

#[tokio::test]
async fn a_name_is_told_with_all_that_its_server_says() {
    let server = NameServer::start(&[
        ("cart.shop.svc", "A", Answer::Addresses(&["10.96.3.4"])),
        ("cart.shop.svc", "AAAA", Answer::Nothing),
        ("broken.shop.svc", "A", Answer::Failure),
    ])
    .await;
    let at = server.address.to_string();
    let told = async |name: &str| {
        let arguments = json!({"host": name, "name_server": at});
        let output = call(&["*.shop.svc", "127.0.0.1"], arguments).await.unwrap();
        (output.title, timeless(&output.content))
    };
    assert_eq!(
        told("cart.shop.svc.").await,
        (
            format!("DNS A, AAAA of cart.shop.svc. at {at}"),
            format!(
                "cart.shop.svc A: 10.96.3.4 (TTL 5 s) (from {at} in N ms)\n\
                 cart.shop.svc AAAA: none, though the name exists (from {at} in N ms)\n"
            )
        )
    );
    assert_eq!(
        told("gone.shop.svc.").await.1,
        format!("gone.shop.svc: NXDOMAIN, there is no such name (from {at} in N ms)\n")
    );
    assert_eq!(
        told("broken.shop.svc.").await.1,
        format!("broken.shop.svc A: SERVFAIL, the server could not answer (from {at} in N ms)\n")
    );
}

#[tokio::test]
async fn only_listed_names_are_looked_up_and_only_listed_servers_asked() {
    let server = NameServer::start(&[]).await;
    let at = server.address.to_string();
    let name = refusal(&["*.shop.svc", "127.0.0.1"], json!({"host": "a-secret.evil.com.", "name_server": at})).await;
    assert_eq!(
        name,
        "a-secret.evil.com. is not in `network.allow`, which has *.shop.svc, 127.0.0.1; whoever runs marple can add it"
    );
    let other = refusal(&["*.shop.svc"], json!({"host": "cart.shop.svc", "name_server": at})).await;
    assert!(other.starts_with(&format!("{at} is not in `network.allow`")), "{other}");
    assert_eq!(server.asked(), Vec::<String>::new());
}

#[tokio::test]
async fn an_open_and_a_closed_port_are_told_apart() {
    let open = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let told = async |address: SocketAddr| {
        let arguments = json!({"host": address.ip().to_string(), "port": address.port()});
        timeless(&call(&["127.0.0.0/8"], arguments).await.unwrap().content)
    };
    let address = open.local_addr().unwrap();
    assert_eq!(told(address).await, format!("{address}: connected in N ms\n"));
    assert_eq!(
        told(closed).await,
        format!("{closed}: refused: the host answers, but nothing listens on this port, or a policy rejects (N ms)\n")
    );
    let nowhere = call(&["*.invalid"], json!({"host": "shop.invalid", "port": 80})).await.unwrap().content;
    assert!(nowhere.starts_with("shop.invalid has no address: "), "{nowhere}");
}

#[tokio::test]
async fn no_way_of_writing_leads_where_the_configuration_does_not() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    server.set_nonblocking(true).unwrap();
    let port = server.local_addr().unwrap().port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.0.0.1",
        "::ffff:127.0.0.1",
        "[::ffff:7f00:1]",
        "localhost",
        "0.0.0.0",
    ] {
        // Every name is listed, and no network.
        let told = refusal(&["*"], json!({"host": host, "port": port})).await;
        assert!(told.contains("not in `network.allow`") || told.contains("a loopback address"), "{host}: {told}");
    }
    let metadata = refusal(&["0.0.0.0/0"], json!({"host": "169.254.169.254", "port": 80})).await;
    assert_eq!(metadata, "169.254.169.254 is a cloud's metadata service, which is never connected to");
    assert_eq!(server.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock, "a connection was made");
}

/// A TLS server whose certificate has these names and ends so long after now. It ends when the set is dropped.
async fn tls_server(names: &[&str], ends_in: SignedDuration) -> (SocketAddr, JoinSet<()>) {
    rustls::crypto::ring::default_provider().install_default().ok();
    let now: Timestamp = NOW.parse().unwrap();
    let at = |time: Timestamp| std::time::SystemTime::from(time).into();
    let mut parameters =
        CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    parameters.distinguished_name.push(DnType::CommonName, "shop");
    parameters.not_before = at(now - SignedDuration::from_hours(24 * 90));
    parameters.not_after = at(now + ends_in);
    let key = KeyPair::generate().unwrap();
    let certificate = parameters.self_signed(&key).unwrap();
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], PrivateKeyDer::Pkcs8(key.serialize_der().into()))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, acceptor) = (listener.local_addr().unwrap(), TlsAcceptor::from(Arc::new(config)));
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            acceptor.accept(stream).await.ok();
        }
    });
    (address, tasks)
}

#[tokio::test]
async fn a_certificate_is_told_with_its_names_and_how_long_it_lasts() {
    let told = async |ends_in: SignedDuration| {
        let (address, _server) = tls_server(&["cart.shop.svc", "*.shop.example.com", "10.0.0.7"], ends_in).await;
        let arguments = json!({"host": "127.0.0.1", "port": address.port(), "tls": true});
        let content = call(&["127.0.0.1"], arguments).await.unwrap().content;
        timeless(&content).replace(&address.to_string(), "ADDRESS")
    };
    let good = told(SignedDuration::from_hours(24 * 12)).await;
    let lines: Vec<&str> = good.lines().collect();
    assert_eq!(lines[0], "ADDRESS: connected in N ms");
    assert!(lines[1].starts_with("TLS 1.3, not trusted by this machine: "), "{good}");
    assert_eq!(
        lines[2..],
        [
            "certificate CN=shop: valid 2025-10-04T03:00:00Z to 2026-01-14T03:00:00Z, expires in 12d",
            "  names: cart.shop.svc, *.shop.example.com, 10.0.0.7",
            "  issued by CN=shop",
        ]
    );
    let expired = told(SignedDuration::from_hours(-36)).await;
    assert!(expired.contains("to 2025-12-31T15:00:00Z, EXPIRED 1d12h ago\n"), "{expired}");
}

#[tokio::test]
async fn a_port_that_speaks_no_tls_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        use tokio::io::AsyncWriteExt as _;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"220 mail.example.com ESMTP\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let arguments = json!({"host": "127.0.0.1", "port": port, "tls": true});
    let content = call(&["127.0.0.1"], arguments).await.unwrap().content;
    assert!(content.contains("\nno TLS: "), "{content}");
}
