#![allow(clippy::unwrap_used, missing_docs)]

use std::sync::Arc;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::toolset::{Listing, State, Toolsets};
use crate::{Effect, Look, Redact, Tool};

struct Plain;

impl Redact for Plain {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

fn environment() -> Environment {
    [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("REDIS_URL", "redis://cache:6379"), ("TOKEN", "t0ken")]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into_iter()
        .collect()
}

/// The toolsets of a file with this text.
fn written(yaml: &str, trusted: &[&str]) -> Toolsets {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tools.yaml");
    std::fs::write(&file, yaml).unwrap();
    let trusted = trusted.iter().map(ToString::to_string).collect();
    let config = ToolsetsConfig { files: vec![file], trusted, ..ToolsetsConfig::default() };
    Toolsets::new(from_files(&config, &environment()), Arc::new(Plain))
}

async fn listed(yaml: &str) -> Vec<Listing> {
    let toolsets = written(yaml, &[]);
    toolsets.check().await;
    toolsets.list()
}

/// Why the only toolset is off, without the file's name.
async fn reason(yaml: &str) -> String {
    let listing = listed(yaml).await.remove(0);
    assert_eq!(listing.state, State::Off, "{listing:?}");
    listing.reason.unwrap().split(" (/").next().unwrap().to_owned()
}

/// One toolset with one tool, and these lines in it.
fn with(toolset: &str, tool: &str) -> String {
    format!(
        "toolsets:\n  redis:\n    description: Redis.\n{}    tools:\n      - name: redis_info\n        description: Looks.\n{}",
        lines(4, toolset),
        lines(8, tool)
    )
}

fn lines(indent: usize, text: &str) -> String {
    text.lines().map(|line| format!("{:indent$}{line}\n", "")).collect()
}

async fn tool(yaml: &str, trusted: &[&str]) -> Arc<dyn Tool> {
    let toolsets = written(yaml, trusted);
    let mut tools = toolsets.offered().await.tools;
    assert_eq!(tools.len(), 1, "{:?}", toolsets.list());
    tools.remove(0)
}

#[tokio::test]
async fn the_corpus_is_read_unchanged() {
    let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/src/toolset/file/corpus");
    let config = ToolsetsConfig { files: vec![corpus.into()], ..ToolsetsConfig::default() };
    let toolsets = Toolsets::new(from_files(&config, &environment()), Arc::new(Plain));
    toolsets.check().await;
    let told: Vec<String> = toolsets
        .list()
        .into_iter()
        .map(|one| {
            let reason = one.reason.map(|reason| format!(" {}", reason.split(" (/").next().unwrap_or_default()));
            format!("{} {:?}{} {:?} {:?}", one.name, one.state, reason.unwrap_or_default(), one.tools, one.notes)
        })
        .collect();
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn parameters_are_inferred_and_those_that_may_be_left_out_are_optional() {
    let command =
        "command: |\n  echo {{ kind }} {{ name | default('x') }} {% if namespace %}-n {{ namespace }}{% endif %}\n";
    assert_eq!(
        tool(&with("", command), &[]).await.spec().parameters,
        json!({
            "type": "object",
            "properties": {"kind": {"type": "string"}, "name": {"type": "string"}, "namespace": {"type": "string"}},
            "required": ["kind"]
        })
    );
}

#[tokio::test]
async fn declared_parameters_keep_what_a_model_needs() {
    let declared = "command: echo {{ section }} {{ keys }}\nparameters:\n  section: {enum: [memory, clients], description: \"Which\\n  part.\"}\n  keys: {type: array, required: false}\n";
    assert_eq!(
        tool(&with("", declared), &[]).await.spec().parameters,
        json!({
            "type": "object",
            "properties": {
                "section": {"type": "string", "description": "Which part.", "enum": ["memory", "clients"]},
                "keys": {"type": "array", "items": {"type": "string"}}
            },
            "required": ["section"]
        })
    );
}

#[tokio::test]
async fn a_command_is_asked_for_unless_its_toolset_is_trusted() {
    let yaml = with("approval_required_tools: [\"redis_fl*\"]\n", "command: echo x\n");
    let told = |tool: Arc<dyn Tool>| (tool.spec().effect, tool.asks());
    assert_eq!(told(tool(&yaml, &[]).await), (Effect::Exec, false));
    assert_eq!(told(tool(&yaml, &["red*"]).await), (Effect::Read, false));
    assert_eq!(told(tool(&yaml.replace("redis_info", "redis_flush"), &["redis"]).await), (Effect::Read, true));
}

#[tokio::test]
async fn what_the_model_is_told_may_name_tools_and_settings() {
    let yaml = with(
        "config: {url: \"{{ env.REDIS_URL }}\"}\nllm_instructions: |\n  Use {{ tool_names | join(', ') }} on {{ config.url }}.\n",
        "command: echo x\n",
    );
    let offered = written(&yaml, &[]).offered().await;
    let told: Vec<&str> = offered.instructions.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(told, ["Use redis_info on redis://cache:6379."]);
}

#[tokio::test]
async fn prerequisites_decide_and_the_reason_says_how_to_go_on() {
    async fn reason_of(toolset: String) -> String {
        reason(&with(&(toolset + "installation_instructions: apt install redis\n"), "command: echo x\n")).await
    }
    let off = |prerequisite: &str| reason_of(format!("prerequisites:\n  - {prerequisite}\n"));
    assert_eq!(
        off("env: [REDIS_URL, REDIS_PASSWORD]").await,
        "the environment has no REDIS_PASSWORD; apt install redis"
    );
    assert_eq!(off("{enabled: false, disabled_reason: not here}").await, "not here; apt install redis");
    assert_eq!(
        off("command: \"echo no route; exit 4\"").await,
        "the prerequisite `echo no route; exit 4` failed (exit status: 4): no route; apt install redis"
    );
    assert_eq!(
        off("{command: echo version 6, expected_output: version 7}").await,
        "the prerequisite `echo version 6` did not write \"version 7\" but: version 6; apt install redis"
    );
    let holds = "prerequisites:\n  - env: [REDIS_URL]\n  - enabled: true\n  - {command: \"test $REDIS_URL && echo version 7\", expected_output: version 7}\n";
    assert_eq!(listed(&with(holds, "command: echo x\n")).await[0].state, State::On);
}

#[tokio::test]
async fn a_fault_is_told_with_its_place_and_takes_no_other_toolset_off() {
    let faults = [
        with("", "comand: echo\n"),
        with("descripton: x\n", "command: echo\n"),
        with("", "command: echo\nscript: echo\n"),
        with("", "user_description: x\n"),
        with("", "command: echo {{ x\n"),
        with("", "command: echo 'x\n"),
        with("", "command: echo {{ env.NOT_THERE }}\n"),
        with("config: {url: \"{{ env.NOT_THERE }}\"}\n", "command: echo\n"),
        with("", "command: echo\nparameters: {x: {type: text}}\n"),
        with("", "command: echo\nparameters: {x: {kind: string}}\n"),
        with("prerequisites: [{env: [A], command: b}]\n", "command: echo\n"),
        with("transformers: [{name: llm_sumarize}]\n", "command: echo\n"),
        with("", "command: echo\n").replace("redis_info", "redis info"),
        "toolsets: {redis: {enabled: false}}".to_owned(),
        "toolsets: {redis: {description: x}}".to_owned(),
        "toolsets: {prometheus/metrics: {enabled: true, config: {}}}".to_owned(),
        "toolsets: {wiki: {type: http, config: {endpoints: [{hosts: [wiki.example.com], auth: {type: digest}}]}}}"
            .to_owned(),
        "toolsets: {wiki: {type: http, config: {endpoints: [{hosts: [wiki.example.com], auth: {type: bearer}}]}}}"
            .to_owned(),
        "toolsets: {wiki: {type: http, config: {endpoints: [{hosts: [\"https://wiki\"]}]}}}".to_owned(),
        "toolsets: {wiki: {type: http, config: {endpoints: [{hosts: [wiki.example.com], methods: [POST]}]}}}"
            .to_owned(),
        "toolsets: {wiki: {type: http, config: {endpoints: [{hosts: [wiki.example.com], path: [/a]}]}}}".to_owned(),
        "mcp_servers: {x: {config: {mode: stdio, url: \"http://x\"}}}".to_owned(),
        "mcp_servers: {x: {config: {}}}".to_owned(),
        "mcp_servers: {x: {config: {url: \"ftp://x\"}}}".to_owned(),
        "mcp_servers: {x: {config: {url: \"https://a:b@x\"}}}".to_owned(),
        "mcp_servers: {x: {config: {url: \"https://x\", headers: {Authorization: \"Bearer {{ env.NOT_THERE }}\"}}}}"
            .to_owned(),
        "mcp_servers: {x: {config: {url: \"https://x\", hedaers: {}}}}".to_owned(),
        "mcp_servers: {x: {description: x}}".to_owned(),
        "toolsets: {redis: 5}".to_owned(),
        "toolsets: [redis]".to_owned(),
        "toolset: {}".to_owned(),
        "a: [".to_owned(),
        String::new(),
    ];
    let mut told = Vec::new();
    for yaml in faults {
        told.push(reason(&yaml).await);
    }
    insta::assert_snapshot!(told.join("\n"));
    let two = with("", "comand: echo\n")
        + "  other:\n    description: Other.\n    tools:\n      - {name: other, description: Looks., command: echo x}\n";
    let states: Vec<State> = listed(&two).await.into_iter().map(|one| one.state).collect();
    assert_eq!(states, [State::Off, State::On]);
}

#[tokio::test]
async fn a_tool_whose_program_is_missing_is_left_out() {
    let yaml = with("", "command: redis-cli-of-tomorrow info\n")
        + "      - {name: redis_echo, description: Looks., command: echo x}\n";
    let listing = listed(&yaml).await.remove(0);
    assert_eq!(listing.tools, ["redis_echo"]);
    assert_eq!(listing.notes, ["redis_info is left out: redis-cli-of-tomorrow is not installed"]);
    assert_eq!(
        reason(&with("docs_url: https://redis.io\n", "command: redis-cli-of-tomorrow info\n")).await,
        "redis-cli-of-tomorrow: not installed where marple runs, or not on its PATH; https://redis.io"
    );
}

#[tokio::test]
async fn a_tool_of_a_file_runs() {
    let tool =
        tool(&with("", "command: echo \"key {{ key }}\" | tr a-z A-Z\nuser_description: reads {{ key }}\n"), &[]).await;
    let look = Look { incident_start: None, now: Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
    let output = tool.call(json!({"key": "a'b"}), &look).await.unwrap();
    assert_eq!((output.title.as_str(), output.content.as_str()), ("reads a'b", "KEY A'B\n"));
    let missing = tool.call(json!({}), &look).await.unwrap_err().to_string();
    assert_eq!(missing, "redis_info: argument `key` is missing");
}

#[tokio::test]
async fn pages_of_a_file_are_got_with_their_login_once_their_check_answers() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let server = wiremock::MockServer::start().await;
    let answers = |path: &str, status: u16, body: &str| {
        wiremock::Mock::given(wiremock::matchers::method("GET"))
            .and(wiremock::matchers::path(path))
            .and(wiremock::matchers::header("authorization", "Bearer t0ken"))
            .respond_with(wiremock::ResponseTemplate::new(status).set_body_raw(body, "text/plain"))
    };
    answers("/api/status", 200, "all is well").mount(&server).await;
    let yaml = |check: &str| {
        format!(
            "toolsets:\n  status page:\n    type: http\n    description: The status page.\n    config:\n      \
             timeout_seconds: 5\n      endpoints:\n        - hosts: [127.0.0.1]\n          paths: [/api/*]\n          \
             methods: [GET, POST]\n          auth: {{type: bearer, token: \"{{{{ env.TOKEN }}}}\"}}\n          \
             health_check_url: {}{check}\n",
            server.uri()
        )
    };
    let away = reason(&yaml("/healthz")).await;
    assert!(away.starts_with(&format!("{}/healthz answered HTTP 404", server.uri())), "{away}");

    answers("/healthz", 204, "").mount(&server).await;
    let tool = tool(&yaml("/healthz"), &[]).await;
    assert_eq!(tool.spec().name, "status_page_get");
    let look = Look { incident_start: None, now: Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
    let page = tool.call(json!({"url": format!("{}/api/status", server.uri())}), &look).await.unwrap();
    assert!(page.content.ends_with("all is well"), "{}", page.content);
    let outside = tool.call(json!({"url": format!("{}/healthz", server.uri())}), &look).await.unwrap_err();
    assert!(outside.to_string().contains("127.0.0.1/api/*"), "{outside}");
    let notes = listed(&yaml("/healthz")).await.remove(0).notes;
    assert_eq!(notes, ["127.0.0.1: POST is left out: pages are only got"]);
}

#[tokio::test]
async fn files_that_are_not_there_are_told() {
    let config = ToolsetsConfig { files: vec!["/nonexistent/tools.yaml".into()], ..ToolsetsConfig::default() };
    let toolsets = Toolsets::new(from_files(&config, &environment()), Arc::new(Plain));
    toolsets.check().await;
    let listing = toolsets.list().remove(0);
    assert_eq!(listing.name, "/nonexistent/tools.yaml");
    assert_eq!(listing.reason.as_deref(), Some("No such file or directory (os error 2)"));
}

/// Values as a careless or hostile author might write them.
fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i32>().prop_map(|value| json!(value)),
        "[ -~\n]{0,20}".prop_map(|value| json!(value)),
        Just(json!("{{ env.X }}")),
        Just(json!("echo {{ a }} | b '")),
    ];
    let keys = prop_oneof![
        Just("toolsets"),
        Just("tools"),
        Just("name"),
        Just("description"),
        Just("command"),
        Just("script"),
        Just("parameters"),
        Just("prerequisites"),
        Just("config"),
        Just("enabled"),
        Just("env"),
        Just("type"),
        Just("transformers"),
        Just("other")
    ];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(|values| json!(values)),
            proptest::collection::vec((keys.clone(), inner), 0..6).prop_map(|fields| {
                fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect::<Map<_, _>>().into()
            }),
        ]
    })
}

#[tokio::test]
async fn an_mcp_server_of_a_file_is_asked() {
    let yaml = r#"
mcp_servers:
  clock:
    description: Tells the time
    llm_instructions: Ask it once.
    config:
      mode: stdio
      command: bash
      args: ["-c", "while read -r line; do case $line in *'\"initialize\"'*) echo '{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-06-18\",\"capabilities\":{\"tools\":{}},\"serverInfo\":{\"name\":\"x\",\"version\":\"1\"}}}';; *tools/list*) echo '{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[{\"name\":\"'$ZONE'\",\"inputSchema\":{\"type\":\"object\"}}]}}';; esac; done"]
      env: {ZONE: "{{ env.REDIS_URL }}"}
"#;
    let listing = listed(yaml).await.remove(0);
    assert_eq!((listing.tools, listing.reason), (vec!["clock_redis___cache_6379".to_owned()], None));
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused_with_words(text in "[ -~\n]{0,120}") {
        if let Err(why) = read(&text) {
            prop_assert!(!why.is_empty());
        }
    }

    #[test]
    fn any_entry_becomes_a_toolset(entry in value()) {
        let config = ToolsetsConfig::default();
        let builder = Builder { file: "tools.yaml", config: &config, environment: &environment() };
        prop_assert_eq!(builder.toolset("x", entry.clone()).name, "x");
        prop_assert_eq!(builder.server("x", entry).name, "x");
    }
}
