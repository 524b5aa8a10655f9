#![allow(clippy::unwrap_used, missing_docs)]

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::time::Duration;

use jiff::Timestamp;
use marple_core::Period;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::{Effect, Look, Output, Tool, ToolError, ToolSpec};

fn environment() -> Environment {
    let path = ("PATH".to_owned(), "/usr/local/bin:/usr/bin:/bin".to_owned());
    let others = [("REDIS_PASSWORD", "it's $secret"), ("MARPLE_TOKEN", "not yours"), ("AWS_REGION", "eu-west-1")];
    others.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().chain([path]).collect()
}

fn tool_of(body: Body, config: CommandConfig) -> CommandTool {
    let names: serde_json::Map<String, Value> =
        body.template().names().iter().map(|name| (name.clone(), json!({"type": "string"}))).collect();
    let parameters = json!({"type": "object", "properties": names});
    let spec = ToolSpec { name: "look".into(), description: "Looks.".into(), parameters, effect: Effect::Exec };
    CommandTool::new(spec, body, environment(), BTreeSet::new(), config)
}

fn command(text: &str) -> CommandTool {
    tool_of(Body::Command(Template::new(text).unwrap()), CommandConfig::default())
}

fn script(text: &str) -> CommandTool {
    tool_of(Body::Script(Template::new(text).unwrap()), CommandConfig::default())
}

async fn call(tool: &CommandTool, arguments: Value) -> Result<Output, ToolError> {
    let look = Look { incident_start: None, now: Timestamp::UNIX_EPOCH, cancel: CancellationToken::new() };
    tool.call(arguments, &look).await
}

async fn gave(tool: &CommandTool, arguments: Value) -> String {
    call(tool, arguments).await.unwrap().content
}

async fn failed(tool: &CommandTool, arguments: Value) -> String {
    call(tool, arguments).await.unwrap_err().to_string()
}

#[tokio::test]
async fn a_command_gets_its_arguments_as_words() {
    let tool = command("printf '[%s]' get {{ kind }} {% if namespace %}-n {{ namespace }}{% endif %}");
    assert_eq!(gave(&tool, json!({"kind": "pods", "namespace": "shop; id"})).await, "[get][pods][-n][shop; id]");
    assert_eq!(gave(&tool, json!({"kind": "$(id)"})).await, "[get][$(id)]");
}

#[tokio::test]
async fn a_template_may_use_what_jinja_has() {
    let tool =
        command("printf '[%s]' {{ kind | lower | default('pods') }} {{ '-n ' ~ namespace if namespace else '-A' }}");
    assert_eq!(gave(&tool, json!({"kind": "Pod's", "namespace": "a b"})).await, "[pod's][-n][a b]");
    assert_eq!(gave(&tool, json!({"kind": "Pod"})).await, "[pod][-A]");
}

#[tokio::test]
async fn a_command_with_a_pipe_is_run_by_a_shell_and_its_arguments_stay_words() {
    let tool = command("printf '%s\\n' {{ first }} b | grep -v -e b | tr a-z A-Z");
    assert_eq!(gave(&tool, json!({"first": "a | id > /tmp/x"})).await, "A | ID > /TMP/X\n");
}

#[tokio::test]
async fn a_script_is_run_by_its_interpreter() {
    let tool = script("#!/usr/bin/env bash\nset -eu\nfor name in {{ name }}; do echo \"<$name>\"; done\n");
    assert_eq!(gave(&tool, json!({"name": "a'b $HOME"})).await, "<a'b $HOME>\n");
    let other = script("#!/usr/bin/awk -f\nBEGIN { print \"{{ name }}\" }\n");
    assert_eq!(gave(&other, json!({"name": "shop/cart-1"})).await, "shop/cart-1\n");
    let refused = failed(&other, json!({"name": "\"; system(\"id\")"})).await;
    assert!(refused.contains("in a script that is no shell's"), "{refused}");
}

#[tokio::test]
async fn only_variables_that_are_named_are_given() {
    let tool = script(
        "echo \"${REDIS_PASSWORD}\"; echo \"${MARPLE_TOKEN-}\" | wc -c; env | cut -d= -f1 | sort | tr '\\n' ' '",
    );
    let gave = gave(&tool, json!({})).await;
    // It names both, so it gets both; nothing else of the environment.
    assert!(gave.starts_with("it's $secret\n10\n"), "{gave}");
    assert!(!gave.contains("AWS_REGION"), "{gave}");
    let allowed = CommandConfig { environment: vec!["AWS_*".to_owned()], ..CommandConfig::default() };
    let tool = tool_of(Body::Command(Template::new("env").unwrap()), allowed);
    let names = call(&tool, json!({})).await.unwrap().content;
    assert!(names.contains("AWS_REGION=eu-west-1") && !names.contains("MARPLE_TOKEN"), "{names}");
}

#[tokio::test]
async fn a_variable_of_the_environment_in_a_template_is_one_word() {
    let tool = command("printf '[%s]' {{ env.REDIS_PASSWORD }}");
    assert_eq!(gave(&tool, json!({})).await, "[it's $secret]");
}

#[tokio::test]
async fn it_runs_in_an_empty_folder_without_input_that_is_gone_afterwards() {
    let tool = script("pwd; ls -A; cat; touch here");
    let folder = gave(&tool, json!({})).await;
    assert_eq!(folder.lines().count(), 1, "{folder}");
    assert!(!std::path::Path::new(folder.trim()).exists(), "{folder}");
}

#[tokio::test]
async fn a_failure_tells_its_code_and_the_end_of_what_was_written() {
    let error = failed(&script("echo before; echo 'no such key' >&2; exit 3"), json!({})).await;
    assert_eq!(error, "look failed (exit status: 3):\nbefore\nno such key");
    let missing = failed(&command("no-such-program-here x"), json!({})).await;
    assert_eq!(
        missing,
        "look: the program \"no-such-program-here\" is not installed where marple runs, or not on its PATH"
    );
}

#[tokio::test]
async fn nothing_written_is_no_data() {
    assert_eq!(gave(&command("true"), json!({})).await, "no data\n");
}

#[tokio::test]
async fn a_command_that_takes_too_long_is_ended_with_all_that_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let config = CommandConfig { timeout: Period::seconds(1), ..CommandConfig::default() };
    let text = format!("echo begun; sleep 600 & echo $! > {}; wait", file.display());
    let tool = tool_of(Body::Script(Template::new(&text).unwrap()), config);
    let error = failed(&tool, json!({})).await;
    assert_eq!(error, "look was ended after 1 s; ask for less. Its output ended with:\nbegun");
    let child = std::fs::read_to_string(file).unwrap();
    gone(&child).await;
}

#[tokio::test]
async fn a_child_that_is_left_behind_is_ended_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let tool = script(&format!("sleep 600 & echo $! > {}; echo done", file.display()));
    assert_eq!(gave(&tool, json!({})).await, "done\n");
    gone(&std::fs::read_to_string(file).unwrap()).await;
}

/// Waits until a process has ended; one that nobody has waited for yet is a zombie.
async fn gone(pid: &str) {
    let is_gone = || {
        std::fs::read_to_string(format!("/proc/{}/stat", pid.trim()))
            .map_or(true, |stat| stat.rsplit(')').next().is_some_and(|rest| rest.trim_start().starts_with(['Z', 'X'])))
    };
    let wait = async {
        while !is_gone() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), wait).await.unwrap();
}

#[tokio::test]
async fn a_call_that_is_dropped_ends_its_command() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pid");
    let tool = script(&format!("echo $$ > {}.new; mv {0}.new {0}; sleep 600", file.display()));
    let begun = async {
        while !file.exists() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = call(&tool, json!({})) => panic!("{ended:?}"),
        () = begun => {}
    }
    gone(&std::fs::read_to_string(&file).unwrap()).await;
}

#[tokio::test]
async fn output_beyond_the_limit_is_counted() {
    let config = CommandConfig { output_mib: NonZeroU32::MIN, ..CommandConfig::default() };
    let tool = tool_of(Body::Command(Template::new("seq 1 400000").unwrap()), config);
    let output = call(&tool, json!({})).await.unwrap();
    assert!(output.content.starts_with("1\n2\n") && output.content.ends_with("400000\n"));
    assert!(output.content.len() < 1024 * 1024 + 100, "{}", output.content.len());
    assert!(output.content.contains(" bytes left out …"));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn memory_beyond_the_limit_is_not_given() {
    let config = CommandConfig { memory_mib: NonZeroU32::new(32).unwrap(), ..CommandConfig::default() };
    let text = "x=$(head -c 200000000 /dev/zero | tr '\\0' a); echo \"$x\" | wc -c";
    let tool = tool_of(Body::Script(Template::new(text).unwrap()), config);
    let error = failed(&tool, json!({})).await;
    assert!(error.contains("cannot allocate") || error.contains("xrealloc") || error.contains("signal"), "{error}");
}

#[tokio::test]
async fn the_title_is_the_authors_else_the_arguments() {
    let title = Template::new("keys of database {{ database }}").unwrap();
    let tool = command("echo {{ database }}").with_title(Some(title));
    assert_eq!(call(&tool, json!({"database": "a b"})).await.unwrap().title, "keys of database a b");
    let plain = command("echo {{ database }}");
    assert_eq!(call(&plain, json!({"database": "a b"})).await.unwrap().title, "look database=a b");
}

#[test]
fn a_private_letter_in_an_argument_or_template_is_refused() {
    let tool = Body::Command(Template::new("echo {{ x }}").unwrap());
    for hostile in ["\u{F0024}(id)", "a\0b", "\u{F0080}"] {
        let values = json!({"x": hostile}).as_object().unwrap().clone();
        let refused = tool.invocation(&values, &environment(), &BTreeSet::new(), &CommandConfig::default());
        assert_eq!(refused.unwrap_err(), "argument `x` holds NUL or private-use characters");
    }
    assert!(Template::new("echo \u{F0024}").is_err());
}

#[test]
fn a_list_that_is_written_as_one_word_stays_one() {
    let tool =
        Body::Command(Template::new("printf %s {{ names }} {% for name in names %}{{ name }} {% endfor %}").unwrap());
    let values = json!({"names": ["a b", "$(id)"]}).as_object().unwrap().clone();
    let invocation = tool.invocation(&values, &environment(), &BTreeSet::new(), &CommandConfig::default()).unwrap();
    let words = ["printf", "%s", "[\"a b\",\"$(id)\"]", "a b", "$(id)"].map(str::to_owned).to_vec();
    assert_eq!(invocation.scanned, shell::Scanned::Program(words));
}
