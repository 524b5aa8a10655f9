//! The program as its user meets it: what it prints, and how it ends.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, missing_docs)]

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

/// Runs the program with nothing of this machine's environment but its paths.
fn marple(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_marple"));
    command.args(arguments).env_clear().env("HOME", "/nonexistent").env("PATH", std::env::var_os("PATH").unwrap());
    command.output().unwrap()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

fn configured(yaml: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("marple.yaml");
    std::fs::write(&file, yaml).unwrap();
    (folder, file.display().to_string())
}

#[test]
fn the_help_names_every_command_and_the_exit_codes() {
    let help = marple(&["help"]);
    assert_eq!(code(&help), 0);
    insta::assert_snapshot!("help", text(&help.stdout));
}

#[test]
fn a_graph_is_written_as_svg_or_png_and_nothing_else() {
    let graph = marple(&["graph", "up", "--out", "up.jpg", "--prometheus", "http://127.0.0.1:9"]);
    assert_eq!(code(&graph), 2);
    assert_eq!(text(&graph.stderr), "marple: --out up.jpg: only .svg and .png can be written\n");
}

#[test]
fn the_demo_names_the_cause_its_chain_its_evidence_and_what_to_do() {
    let demo = marple(&["demo"]);
    let shown = text(&demo.stdout);
    assert_eq!(code(&demo), 0, "{shown}\n{}", text(&demo.stderr));
    let expected = [
        "Cause   Deployment payments/ledger",
        "containers[app].resources.limits.memory: 192Mi -> 64Mi",
        "reason: OOMKilled",
        "Deployment shop/storefront",
        "kubectl set resources -n payments deployment/ledger -c app --limits=memory=192Mi",
        "every quote checked",
        "13 alerts",
    ];
    for words in expected {
        assert!(shown.contains(words), "{words:?} is missing in\n{shown}");
    }
    assert_eq!(shown.matches("Cause   ").count(), 1, "one cause is one incident:\n{shown}");
    assert!(!shown.contains("recommendations"), "what was shipped a minute before is not blamed:\n{shown}");
}

#[test]
fn the_demo_as_json_is_what_the_webhook_would_send() {
    let demo = marple(&["demo", "--json"]);
    let shown: Value = serde_json::from_slice(&demo.stdout).unwrap();
    assert_eq!(shown["version"], 1);
    assert_eq!(shown["conclusion"]["cause"]["object"]["name"], "ledger");
    let citations = shown["conclusion"]["cause"]["citations"].as_array().unwrap();
    for citation in citations {
        let evidence = shown["evidence"].as_array().unwrap().iter().find(|one| one["id"] == citation["evidence"]);
        let quoted = evidence.unwrap()["text"].as_str().unwrap();
        assert!(quoted.contains(citation["quote"].as_str().unwrap()), "{citation} is not in its evidence");
    }
    assert!(!citations.is_empty());
}

#[test]
fn the_example_of_the_handbook_can_be_used() {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/marple.example.yaml");
    let checked = marple(&["config", "check", &example.display().to_string()]);
    let said = text(&checked.stdout);
    assert_eq!(code(&checked), 0, "{}", text(&checked.stderr));
    assert!(said.contains("receivers.shop-team.slack.token: cannot read /var/run/secrets/slack/token"), "{said}");
    assert!(said.contains("model.api_key: the environment has no OPENAI_API_KEY"), "{said}");
    let served = marple(&["serve", "--config", &example.display().to_string()]);
    assert_eq!(code(&served), 2, "it does not serve without them: {}", text(&served.stderr));
}

#[test]
fn a_wrong_configuration_is_told_with_its_place_and_the_fix() {
    let (_folder, file) = configured("server: { listen: \"0.0.0.0:8080\" }\n");
    let open = marple(&["config", "check", &file]);
    assert_eq!(code(&open), 2);
    assert!(text(&open.stderr).contains("server"), "{}", text(&open.stderr));
    let (_folder, file) = configured("receivers: { oncall: { slak: {} } }\n");
    let unknown = marple(&["config", "check", &file]);
    let said = text(&unknown.stderr);
    assert_eq!(code(&unknown), 2);
    assert!(said.contains("receivers") && said.contains("slak") && said.contains("slack"), "{said}");
    let missing = marple(&["config", "check", "/nonexistent/marple.yaml"]);
    assert_eq!(code(&missing), 2);
    assert!(text(&missing.stderr).contains("/nonexistent/marple.yaml"));
}

#[test]
fn toolsets_are_listed_with_their_state_and_reason() {
    let (_folder, file) = configured(
        "cluster: { enabled: false }\nprometheus: { url: \"http://127.0.0.1:9\", timeout: 1s }\nlogs: { store: loki, endpoint: { url: \"http://127.0.0.1:9\" } }\nnetwork: { allow: [\"*.svc\"] }\n",
    );
    let listed = marple(&["toolset", "list", "--config", &file, "--json"]);
    assert_eq!(code(&listed), 0, "{}", text(&listed.stderr));
    let all: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    let of = |name: &str| all.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(of("kubernetes")["reason"], "no cluster is configured (`cluster.enabled`)");
    let reason = of("prometheus")["reason"].as_str().unwrap();
    assert!(reason.starts_with("Prometheus at http://127.0.0.1:9/ can't be reached"), "{reason}");
    assert_eq!((&of("prometheus")["state"], &of("prometheus")["tools"]), (&"off".into(), &Value::Array(vec![])));
    assert!(of("logs")["reason"].as_str().unwrap().starts_with("Loki at http://127.0.0.1:9/ can't be reached"));
    assert_eq!(of("http")["reason"], "no page may be read (`http.endpoints`)");
    assert_eq!((&of("network")["state"], &of("network")["tools"][0]), (&"on".into(), &"network_check".into()));
    assert_eq!((&of("evidence")["state"], &of("evidence")["tools"][0]), (&"on".into(), &"evidence_read".into()));
}

#[test]
fn the_schema_is_printed_as_it_is_published() {
    let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/schemas/config.schema.json");
    assert_eq!(text(&marple(&["config", "schema"]).stdout), std::fs::read_to_string(published).unwrap());
}

#[test]
fn wrong_arguments_end_with_2_and_what_is_not_reached_with_1() {
    assert_eq!(code(&marple(&["investigate"])), 2);
    assert_eq!(code(&marple(&["unknown"])), 2);
    let away = marple(&["investigate", "SomeAlert", "--alertmanager", "http://127.0.0.1:9"]);
    assert_eq!(code(&away), 1, "{}", text(&away.stderr));
    assert!(text(&away.stderr).starts_with("marple: "), "{}", text(&away.stderr));
}
