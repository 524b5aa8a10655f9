//! Against a scripted program.

use super::*;

/// A server in a few lines of shell, which tells on standard error what it can't answer.
const SERVER: &str = r#"
id() { [[ $1 =~ \"id\":([0-9]+) ]] && printf '%s' "${BASH_REMATCH[1]}"; }
say() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$(id "$1")" "$2"; }
while read -r line; do
  case $line in
    *'"method":"initialize"'*'"name":"marple"'*)
      say "$line" '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"x","version":"1"}}' ;;
    *'"method":"notifications/'*) ;;
    *'"method":"tools/list"'*)
      say "$line" '{"tools":[{"name":"env","description":"Tells.","inputSchema":{"type":"object","properties":{"name":{"type":"string"}}}}]}' ;;
    *'"method":"tools/call"'*'"name":"EXIT"'*) exit 3 ;;
    *'"method":"tools/call"'*)
      say "$line" "{\"content\":[{\"type\":\"text\",\"text\":\"$(env | cut -d= -f1 | sort | tr '\n' ' ')\"}]}" ;;
    *) echo "not understood: $line" >&2; exit 4 ;;
  esac
done
"#;

fn program(script: &str) -> Settings {
    let environment = [("PATH", "/usr/bin:/bin"), ("ORDERS_TOKEN", "s3cret")]
        .map(|(name, value)| (name.to_owned(), Secret::new(value)))
        .into_iter()
        .collect::<BTreeMap<_, _>>();
    let arguments = vec!["-c".to_owned(), script.to_owned()];
    settings(Reach::Program { command: "/bin/bash".to_owned(), arguments, environment, memory: 1 << 30 })
}

#[tokio::test]
async fn a_program_is_given_its_environment_and_no_other() {
    let toolsets = toolsets(program(SERVER));
    let tools = toolsets.offered().await.tools;
    assert_eq!(tools.len(), 1, "{:?}", toolsets.list());
    let output = call(&tools[0], json!({})).await.unwrap();
    let names: Vec<&str> =
        output.content.split_whitespace().filter(|name| !["PWD", "SHLVL", "_"].contains(name)).collect();
    assert_eq!(names, ["ORDERS_TOKEN", "PATH", "TMPDIR"]);
}

#[tokio::test]
async fn a_program_that_ended_is_started_again_for_the_next_call() {
    let tools = toolsets(program(SERVER)).offered().await.tools;
    let ended = call(&tools[0], json!({"name": "EXIT"})).await.unwrap_err().to_string();
    assert!(ended.starts_with("the MCP server orders: "), "{ended}");
    assert!(call(&tools[0], json!({"name": "x"})).await.is_ok());
}

#[tokio::test]
async fn a_program_that_fails_tells_its_last_words() {
    let why = reason(program("echo 'ORDERS_URL is not set' >&2; exit 1")).await;
    assert!(why.ends_with("; it wrote: ORDERS_URL is not set"), "{why}");
    let mut missing = program("");
    if let Reach::Program { command, .. } = &mut missing.reach {
        *command = "/nonexistent/server".to_owned();
    }
    let why = reason(missing).await;
    assert!(why.contains("start \"/nonexistent/server\": No such file"), "{why}");
}
