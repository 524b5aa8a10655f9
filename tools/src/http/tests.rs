#![allow(clippy::unwrap_used, missing_docs)]

use std::io::ErrorKind;
use std::net::{IpAddr, TcpListener};
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::guard::Names;
use super::*;
use crate::network::dns::double::{Answer, NameServer};
use crate::{Look, Output, ToolError};

/// Looks names up with a scripted name server.
struct By(Arc<NameServer>);

#[async_trait]
impl Names for By {
    async fn addresses(&self, host: &str) -> std::io::Result<Vec<IpAddr>> {
        Ok(self.0.addresses(host).await)
    }
}

fn http(config: Value, names: Option<&Arc<NameServer>>) -> Http {
    rustls::crypto::ring::default_provider().install_default().ok();
    let config: HttpConfig = serde_json::from_value(config).unwrap();
    match names {
        Some(server) => Http::with_names(&config, &(Arc::new(By(Arc::clone(server))) as Arc<dyn Names>)).unwrap(),
        None => Http::new(&config).unwrap(),
    }
}

async fn call(http: Http, url: &str) -> Result<Output, ToolError> {
    let tool = tools(http).pop().unwrap();
    let look = Look { incident_start: None, now: jiff::Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
    tool.call(json!({ "url": url }), &look).await
}

async fn refusal(http: Http, url: &str) -> String {
    match call(http, url).await {
        Err(ToolError::Arguments(text)) => text,
        other => panic!("{url}: {other:?}"),
    }
}

/// The text with each count of milliseconds as `N ms`.
fn timeless(text: &str) -> String {
    regex::Regex::new(r"\b\d+ ms").unwrap().replace_all(text, "N ms").into_owned()
}

/// A listener that nobody may connect to.
struct Forbidden(TcpListener);

impl Forbidden {
    fn at(address: &str, port: u16) -> Self {
        let listener = TcpListener::bind((address, port)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    fn assert_alone(&self) {
        assert_eq!(self.0.accept().unwrap_err().kind(), ErrorKind::WouldBlock, "a connection was made");
    }
}

async fn name_server(script: &[(&str, &str, Answer)]) -> Arc<NameServer> {
    Arc::new(NameServer::start(script).await)
}

fn redirect(to: &str) -> ResponseTemplate {
    ResponseTemplate::new(302).insert_header("location", to)
}

async fn answer(server: &MockServer, at: &str, template: ResponseTemplate) {
    Mock::given(method("GET")).and(path(at)).respond_with(template).mount(server).await;
}

#[test]
fn the_schema_costs_no_more_than_90_tokens() {
    let counter = tiktoken_rs::o200k_base().unwrap();
    let endpoints = json!([{"hosts": ["status.example.com", "*.wiki.example.com"]}, {"hosts": ["grafana.monitoring.svc"], "ports": [3000], "paths": ["/api/*"]}]);
    let tools = tools(http(json!({ "endpoints": endpoints }), None));
    let spec = tools[0].spec();
    let offered = json!({"type": "function", "function": {"name": spec.name, "description": spec.description, "parameters": spec.parameters}});
    assert_eq!(
        spec.description,
        "GET of a page or API, as text. Only status.example.com, *.wiki.example.com, grafana.monitoring.svc:3000/api/*."
    );
    assert!(counter.encode_ordinary(&offered.to_string()).len() <= 90);
}

#[test]
fn without_an_endpoint_nothing_is_offered() {
    assert!(tools(http(json!({}), None)).is_empty());
}

#[tokio::test]
async fn a_page_is_asked_for_with_its_login_and_told_as_text() {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/status"))
        .and(header("authorization", "Bearer tok-12345678"))
        .and(header("x-team", "shop-team"))
        .respond_with(ResponseTemplate::new(503).set_body_raw("<p>down, says tok-12345678</p>", "text/html"))
        .expect(1)
        .mount(&server)
        .await;
    let endpoint = json!({"hosts": ["127.0.0.1"], "ports": [server.address().port()], "auth": {"bearer": "tok-12345678"}, "headers": {"X-Team": "shop-team"}});
    let output = call(http(json!({"endpoints": [endpoint]}), None), &format!("{}/status?full=1#top", server.uri()))
        .await
        .unwrap();
    assert_eq!(
        timeless(&output.content),
        "HTTP 503 Service Unavailable, text/html, 26 bytes in N ms\n\ndown, says [secret]\n"
    );
    let asked = server.received_requests().await.unwrap();
    assert_eq!(asked[0].url.query(), Some("full=1"));
}

#[tokio::test]
async fn a_redirect_to_loopback_is_not_followed() {
    let (server, inner) = (MockServer::start().await, Forbidden::at("127.0.0.2", 0));
    for (from, to) in [
        ("/address", format!("http://127.0.0.2:{}/", inner.port())),
        ("/number", format!("http://2130706434:{}/", inner.port())),
        ("/mapped", format!("http://[::ffff:127.0.0.2]:{}/", inner.port())),
        ("/scheme-relative", format!("//127.0.0.2:{}/", inner.port())),
        ("/name", format!("http://inner.test:{}/", inner.port())),
    ] {
        answer(&server, from, redirect(&to)).await;
    }
    let names = name_server(&[("inner.test", "A", Answer::Addresses(&["127.0.0.2"]))]).await;
    for from in ["/address", "/number", "/mapped", "/scheme-relative", "/name"] {
        let ports = [server.address().port(), inner.port()];
        let endpoint = json!({"hosts": ["*"], "ports": ports, "networks": ["127.0.0.1"]});
        let told = match call(http(json!({"endpoints": [endpoint]}), Some(&names)), &format!("{}{from}", server.uri()))
            .await
        {
            Err(ToolError::Arguments(text)) => text,
            other => panic!("{from}: {other:?}"),
        };
        assert!(told.contains("a loopback address"), "{from}: {told}");
    }
    inner.assert_alone();
}

#[tokio::test]
async fn a_redirect_to_a_host_that_is_not_listed_is_told_and_not_followed() {
    let (server, inner) = (MockServer::start().await, Forbidden::at("127.0.0.1", 0));
    answer(&server, "/", redirect(&format!("http://127.0.0.1:{}/admin?token=abc", inner.port()))).await;
    answer(&server, "/file", redirect("file:///etc/passwd")).await;
    let endpoint = || json!({"endpoints": [{"hosts": ["127.0.0.1"], "ports": [server.address().port()]}]});
    let told = timeless(&call(http(endpoint(), None), &server.uri()).await.unwrap().content);
    let port = server.address().port();
    assert_eq!(
        told,
        format!(
            "HTTP 302 Found, no content type, 0 bytes in N ms\nits redirect was not followed: http://127.0.0.1:{}/admin is not in \
             `http.endpoints`, which has 127.0.0.1:{port}\n\n",
            inner.port()
        )
    );
    let file = call(http(endpoint(), None), &format!("{}/file", server.uri())).await.unwrap().content;
    assert!(file.contains("its redirect was not followed: file is neither http nor https"), "{file}");
    inner.assert_alone();
}

#[tokio::test]
async fn a_name_that_changes_its_answer_gains_nothing() {
    let server = MockServer::start().await;
    answer(&server, "/", ResponseTemplate::new(200).set_body_string("good")).await;
    let inner = Forbidden::at("127.0.0.2", server.address().port());
    let names = name_server(&[("shop.test", "A", Answer::Turns(&["127.0.0.1", "127.0.0.2"]))]).await;
    let config = json!({"endpoints": [{"hosts": ["shop.test"], "ports": [inner.port()], "networks": ["127.0.0.1"]}]});
    let url = format!("http://shop.test:{}/", inner.port());
    let http = http(config, Some(&names));
    let page = http.get(&url).await.unwrap();
    assert_eq!(page.body, b"good");
    assert_eq!(names.asked(), ["shop.test A"], "what was checked is what was connected to");
    let refused = http.get(&url).await.map(|page| page.status).unwrap_err().to_string();
    assert_eq!(
        refused,
        "shop.test leads to 127.0.0.2, a loopback address, which no `networks` of its endpoint in `http` lists"
    );
    assert_eq!(names.asked().len(), 2);
    inner.assert_alone();
}

#[tokio::test]
async fn one_address_inside_is_enough_to_refuse_a_name() {
    let inner = Forbidden::at("127.0.0.1", 0);
    let names = name_server(&[
        ("both.test", "A", Answer::Addresses(&["93.184.216.34", "127.0.0.1"])),
        ("private.test", "A", Answer::Addresses(&["10.1.2.3"])),
        ("cloud.test", "A", Answer::Addresses(&["169.254.169.254"])),
    ])
    .await;
    let told = async |host: &str, config: Value| {
        refusal(http(config, Some(&names)), &format!("http://{host}:{}/", inner.port())).await
    };
    let all =
        |networks: Value| json!({"endpoints": [{"hosts": ["*.test"], "ports": [inner.port()], "networks": networks}]});
    assert!(told("both.test", all(json!([]))).await.contains("127.0.0.1, a loopback address"));
    assert!(told("private.test", all(json!([]))).await.contains("10.1.2.3, a private address"));
    assert!(
        told("cloud.test", all(json!(["0.0.0.0/0", "169.254.169.254"]))).await.contains("a cloud's metadata service")
    );
    inner.assert_alone();
}

#[tokio::test]
async fn no_way_of_writing_this_machine_leads_to_it() {
    let inner = Forbidden::at("127.0.0.1", 0);
    let port = inner.port();
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.1",
        "0177.0.0.1",
        "017700000001",
        "127.1",
        "127.0.0.1.",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "0.0.0.0",
        "0",
        "１２７.0.0.1",
        "localhost",
        "%31%32%37.0.0.1",
    ] {
        let every = json!({"endpoints": [{"hosts": ["*"], "ports": [port]}], "block_internal_ips": false});
        let told = refusal(http(every, None), &format!("http://{host}:{port}/")).await;
        assert!(told.contains("loopback") || told.contains("unspecified"), "{host}: {told}");
    }
    inner.assert_alone();
}

#[tokio::test]
async fn a_user_in_an_address_does_not_pass_for_its_host() {
    let inner = Forbidden::at("127.0.0.1", 0);
    let port = inner.port();
    for url in [
        format!("http://status.example.com@127.0.0.1:{port}/"),
        format!("http://status.example.com:80@127.0.0.1:{port}/"),
        format!("http://status.example.com%2f@127.0.0.1:{port}/"),
        format!("http:\\\\status.example.com@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{port}\\@status.example.com/"),
        format!("http://127.0.0.1:{port}#@status.example.com/"),
        format!("http://127.0.0.1:{port}?.status.example.com"),
        format!("ht\ntp://127.0.0.1:{port}/"),
        format!("gopher://127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
        "status.example.com".to_owned(),
    ] {
        let config = json!({"endpoints": [{"hosts": ["*.example.com"], "ports": [port, 80]}]});
        let told = refusal(http(config, None), &url).await;
        assert!(told.contains("not in `http.endpoints`") || told.contains("wanted is as https://"), "{url}: {told}");
    }
    inner.assert_alone();
}

#[tokio::test]
async fn only_listed_paths_and_ports_are_asked() {
    let server = MockServer::start().await;
    answer(&server, "/public/a", ResponseTemplate::new(200)).await;
    let port = server.address().port();
    let got = async |path: &str| {
        let config = json!({"endpoints": [{"hosts": ["127.0.0.1"], "ports": [port], "paths": ["/public/*"]}]});
        call(http(config, None), &format!("http://127.0.0.1:{port}{path}")).await.is_ok()
    };
    assert!(got("/public/a").await && got("/x/../public/a").await);
    for path in [
        "/admin",
        "/public/../admin",
        "/public/%2e%2e/admin",
        "/public/..%2fadmin",
        "/public/%252e%252e/a",
        "/PUBLIC/a",
        "/public\\..\\admin",
    ] {
        assert!(!got(path).await, "{path}");
    }
    let config = json!({"endpoints": [{"hosts": ["127.0.0.1"]}]});
    assert!(refusal(http(config, None), &server.uri()).await.contains("which has 127.0.0.1"));
}

#[tokio::test]
async fn a_login_goes_along_a_redirect_within_its_host_and_no_further() {
    let (first, second) = (MockServer::start().await, MockServer::start().await);
    answer(&first, "/a", redirect("/b")).await;
    answer(&first, "/b", redirect(&format!("{}/c", second.uri()))).await;
    answer(&second, "/c", ResponseTemplate::new(200).set_body_string("end")).await;
    let ports = [first.address().port(), second.address().port()];
    let endpoint = json!({"hosts": ["127.0.0.1"], "ports": ports, "auth": {"basic": {"username": "u", "password": "p"}}, "headers": {"X-Key": "k"}});
    let output = call(http(json!({"endpoints": [endpoint]}), None), &format!("{}/a", first.uri())).await.unwrap();
    assert!(output.content.contains(&format!("redirected to {}/c\n\nend", second.uri())), "{}", output.content);
    let seen = async |server: &MockServer| {
        let requests = server.received_requests().await.unwrap();
        let told = |request: &wiremock::Request| {
            let names = ["authorization", "x-key"].iter().filter(|name| request.headers.contains_key(**name)).count();
            format!("{} {} {names}", request.method, request.url.path())
        };
        requests.iter().map(told).collect::<Vec<_>>()
    };
    assert_eq!(
        (seen(&first).await, seen(&second).await),
        (vec!["GET /a 2".to_owned(), "GET /b 2".to_owned()], vec!["GET /c 0".to_owned()])
    );
}

#[tokio::test]
async fn three_redirects_are_followed_and_a_fourth_is_not() {
    let server = MockServer::start().await;
    for (at, to) in [("/1", "/2"), ("/2", "/3"), ("/3", "/4"), ("/4", "/5")] {
        answer(&server, at, redirect(to)).await;
    }
    let config = json!({"endpoints": [{"hosts": ["127.0.0.1"], "ports": [server.address().port()]}]});
    let content = call(http(config, None), &format!("{}/1", server.uri())).await.unwrap().content;
    assert!(content.contains("not followed: more than 3 redirects"), "{content}");
    assert_eq!(server.received_requests().await.unwrap().len(), 4);
}

/// A server that says this to each connection and closes it. It ends when the set is dropped.
async fn saying(bytes: Vec<u8>, closing: bool) -> (u16, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request).await.unwrap();
            let _ = stream.write_all(&bytes).await;
            if !closing {
                std::future::pending::<()>().await;
            }
        }
    });
    (port, tasks)
}

#[tokio::test]
async fn half_a_body_and_a_silence_say_so() {
    let config = |port: u16, timeout: &str| json!({"endpoints": [{"hosts": ["127.0.0.1"], "ports": [port]}], "timeout": timeout});
    let half = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf".to_vec();
    let (port, _server) = saying(half.clone(), true).await;
    let error = call(http(config(port, "5s"), None), &format!("http://127.0.0.1:{port}/a?token=x")).await.unwrap_err();
    assert!(error.to_string().starts_with(&format!("http://127.0.0.1:{port}/a can't be reached: ")), "{error}");
    let (port, _server) = saying(half, false).await;
    let error = call(http(config(port, "1s"), None), &format!("http://127.0.0.1:{port}/a?token=x")).await.unwrap_err();
    assert_eq!(error.to_string(), format!("http://127.0.0.1:{port}/a gave no answer in 1 s"));
}

#[tokio::test]
async fn a_large_body_is_cut_and_what_is_no_text_not_shown() {
    let server = MockServer::start().await;
    answer(&server, "/large", ResponseTemplate::new(200).set_body_raw("line\n".repeat(400_000), "text/plain")).await;
    answer(&server, "/image", ResponseTemplate::new(200).set_body_raw(vec![1; 3_000], "image/png")).await;
    answer(&server, "/json", ResponseTemplate::new(200).set_body_json(json!({"a": [1]}))).await;
    let got = async |path: &str| {
        let config = json!({"endpoints": [{"hosts": ["127.0.0.1"], "ports": [server.address().port()]}]});
        timeless(&call(http(config, None), &format!("{}{path}", server.uri())).await.unwrap().content)
    };
    let large = got("/large").await;
    assert!(
        large.starts_with("HTTP 200 OK, text/plain, 1,048,576 bytes in N ms\n")
            && large.ends_with("\n… the rest of the body was not read …\n")
    );
    assert_eq!(
        got("/image").await,
        "HTTP 200 OK, image/png, 3,000 bytes in N ms\n\n(image/png, 3,000 bytes: no text, not shown)"
    );
    assert_eq!(got("/json").await, "HTTP 200 OK, application/json, 9 bytes in N ms\n\n{\n  \"a\": [\n    1\n  ]\n}");
}

#[test]
fn a_configuration_that_can_not_be_used_says_what_is_wrong() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let fault = |endpoint: Value| {
        let config: HttpConfig = serde_json::from_value(json!({"endpoints": [endpoint]})).unwrap();
        Http::new(&config).map(|_| ()).unwrap_err().to_string()
    };
    assert_eq!(fault(json!({"hosts": []})), "http: an endpoint has no `hosts`");
    assert_eq!(
        fault(json!({"hosts": ["https://a.example.com"]})),
        "http: the endpoint of https://a.example.com: \"https://a.example.com\" is no host; write it as status.example.com or *.example.com"
    );
    assert!(
        fault(json!({"hosts": ["a"], "headers": {"no name": "x"}})).contains("\"no name\", which is no header's name")
    );
    assert!(
        serde_json::from_value::<HttpConfig>(json!({"endpoints": [{"hosts": ["a"], "networks": ["10.0.0.0/40"]}]}))
            .unwrap_err()
            .to_string()
            .contains("no network")
    );
}
