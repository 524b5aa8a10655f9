#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io;

use marple_core::Period;

use super::*;

fn read(text: &str) -> Result<Config, ConfigError> {
    let sources = Sources {
        environment: &|name| (name == "TOKEN").then(|| "from-the-environment".to_owned()),
        file: &|path| match path.to_str() {
            Some("/run/secrets/slack") => Ok("xoxb-from-a-file\n".to_owned()),
            _ => Err(io::Error::from(io::ErrorKind::NotFound)),
        },
    };
    Config::from_yaml(text, &sources)
}

fn error(text: &str) -> String {
    read(text).expect_err("a fault").to_string()
}

#[test]
fn nothing_is_a_configuration_of_defaults() {
    for text in ["", "# only a comment\n", "{}"] {
        let config = read(text).unwrap();
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.investigation.group_wait, Period::seconds(10));
        assert!(config.model.is_none() && config.receivers.is_empty() && config.forwarder.enabled);
    }
}

#[test]
fn values_come_from_the_environment_and_from_files() {
    let config = read(
        "server: { token: \"${TOKEN}\", base_url: \"https://${HOST:-marple.example.com}/$$x\" }\n\
         receivers: { oncall: { slack: { token: \"file:/run/secrets/slack\", channel: C0123456789 } } }",
    )
    .unwrap();
    assert_eq!(config.server.token.unwrap().expose(), "from-the-environment");
    assert_eq!(config.server.base_url.as_deref(), Some("https://marple.example.com/$x"));
}

#[test]
fn a_missing_variable_or_file_is_named_with_its_place() {
    assert_eq!(
        error("server: { token: \"${MISSING}\" }"),
        "server.token: the environment has no MISSING: set it, or write ${MISSING:-a default}"
    );
    assert_eq!(
        error("receivers: { oncall: { slack: { token: \"file:/none\", channel: C1 } } }"),
        "receivers.oncall.slack.token: cannot read /none: entity not found"
    );
}

#[test]
fn a_misspelt_setting_is_named_with_the_one_that_was_meant() {
    let error = error("investigation: { group_wiat: 5s }");
    assert!(error.starts_with("investigation.group_wiat: unknown field `group_wiat`"), "{error}");
    assert!(error.ends_with("did you mean `group_wait`?"), "{error}");
}

#[test]
fn a_value_that_does_not_fit_is_named_with_its_place() {
    assert_eq!(
        error("investigation: { group_wait: 5 }"),
        "investigation.group_wait: invalid type: integer `5`, expected a string"
    );
    assert_eq!(
        error("investigation: { group_wait: soon }"),
        "investigation.group_wait: a length of time is a number with a unit, as 30s, 10m, 1h 30m or 30d; got \"soon\""
    );
    assert_eq!(error("investigation: { group_wait: 1h }"), "investigation.group_wait: 1h is too long: at most 10m");
}

#[test]
fn a_listener_beyond_loopback_needs_a_token() {
    assert_eq!(
        error("server: { listen: \"0.0.0.0:8080\" }"),
        "server.token: 0.0.0.0:8080 is reachable from other machines: set a token, or listen on 127.0.0.1"
    );
    assert!(read("server: { listen: \"0.0.0.0:8080\", token: \"${TOKEN}\" }").is_ok());
    assert_eq!(error("server: { token: \" \" }"), "server.token: is empty: anyone would be let in");
}

#[test]
fn a_route_to_a_receiver_that_is_not_there_is_named() {
    let error = error("receivers: { file: { file: { path: /tmp/x } } }\nroute: { default: [oncall] }");
    assert_eq!(error, "route.default[0]: there is no receiver \"oncall\"; the receivers are file");
}

#[test]
fn a_rule_over_objects_names_a_kind_without_its_group() {
    assert_eq!(
        error("gate: { objects: [{ decision: refuse }, { kind: v1/Secret, decision: refuse }] }"),
        "gate.objects.[1].kind: \"v1/Secret\" has a group: write the kind alone, as `Secret`; it fits that of every group"
    );
}

#[test]
fn settings_of_the_change_history_that_do_not_fit_are_named() {
    let error_of = error("forwarder: { changes: { except: [Secrets] } }");
    assert!(
        error_of.starts_with(
            "forwarder.changes.except: \"Secrets\" is no kind whose changes are told; these are: Deployment"
        ),
        "{error_of}"
    );
    assert_eq!(
        error("store: { changes_max: 10 }"),
        "store.changes_max: is 10: one rollout of all may be more; at least 1000"
    );
    assert!(error("store: { changes_retention: 10m }").starts_with("store.changes_retention: is shorter than 1h"));
    assert!(read("forwarder: { changes: { config_maps: hashed, except: [Secret, Node] } }").is_ok());
}

#[test]
fn a_text_that_is_no_yaml_is_told_with_its_place() {
    let error = error("server: [");
    assert!(error.starts_with("the configuration is no valid YAML: "), "{error}");
}

#[test]
fn a_secret_never_shows() {
    let config = read("server: { token: \"${TOKEN}\" }").unwrap();
    assert!(!format!("{config:?}").contains("from-the-environment"));
}

#[test]
fn the_schema_in_the_docs_is_that_of_the_types() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schemas/config.schema.json");
    let schema = serde_json::to_string_pretty(&Config::schema()).unwrap() + "\n";
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        std::fs::write(path, &schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), schema, "run the tests with UPDATE_GENERATED=1");
}

#[test]
fn the_example_in_the_docs_can_be_used() {
    let text = include_str!("../../../docs/marple.example.yaml");
    let sources = Sources {
        environment: &|name| {
            Some(
                if name.ends_with("URL") { "https://example.com/hook" } else { "xoxb-from-the-environment" }.to_owned(),
            )
        },
        file: &|_| Ok("xoxb-from-a-file".to_owned()),
    };
    let config = Config::from_yaml(text, &sources).unwrap();
    assert!(config.model.is_some() && config.prometheus.is_some() && config.receivers.len() > 2);
}
