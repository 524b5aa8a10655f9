//! Where a program listens: by its own log, else by the ports that its container declares.

use serde_json::Value;

use super::container::Container;
use super::context::Context;
use crate::scene::field;

/// Words of lines in which servers say where they listen, in lower case.
const WORDS: [&str; 4] = ["listening", "serving on", "started server on", "server running"];

/// Fields of a record that hold where a server listens.
const FIELDS: [&str; 8] = ["port", "addr", "address", "listen", "bind", "url", "endpoint", "host"];

/// Where a container listens, if not where it is probed.
pub(super) struct Listening<'a> {
    pub(super) told: String,
    pub(super) port: i64,
    /// Whether of the previous run, and the line of the log; without one, only the declared ports tell.
    pub(super) proof: Option<(bool, &'a str)>,
}

/// Where the container listens by its own log, else by the ports that it declares, where that is not the probed one.
pub(super) fn elsewhere<'a>(context: &Context<'a>, container: &Container<'a>, probed: i64) -> Option<Listening<'a>> {
    // While it runs only what this run says counts: the one before may have had other settings.
    let runs: &[bool] = if container.runs() { &[false] } else { &[false, true] };
    let logged = runs.iter().find_map(|previous| {
        let log = context.scene.log(container.pod, container.name, *previous)?;
        let lines = log.text.lines().filter_map(|line| Some((*previous, line, listened(line)?))).collect::<Vec<_>>();
        (!lines.is_empty()).then_some(lines)
    });
    if let Some(lines) = logged {
        // A program may listen on several: for metrics first, and later for what it is there for.
        let other = lines.iter().all(|(.., port)| *port != probed);
        let (previous, line, port) = *lines.first()?;
        let told = format!("its log says that it listens on {port}");
        return other.then_some(Listening { told, port, proof: Some((previous, line)) });
    }
    let declared = field::items(container.spec, "/ports")
        .iter()
        .filter_map(|port| field::number(port, "/containerPort"))
        .collect::<Vec<_>>();
    let first = *declared.first()?;
    let ports = declared.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    (!declared.contains(&probed) && !is_set(container.spec, probed)).then(|| Listening {
        told: format!("the container declares {ports}"),
        port: first,
        proof: None,
    })
}

/// Whether a setting of the container names the port, so that it listens there though it does not declare it.
fn is_set(container: &Value, port: i64) -> bool {
    let port = port.to_string();
    let names = |text: &str| text.split(|letter: char| !letter.is_ascii_digit()).any(|number| number == port);
    let env = field::items(container, "/env").iter().filter_map(|entry| field::text(entry, "/value"));
    let args = field::items(container, "/args").iter().chain(field::items(container, "/command"));
    env.chain(args.filter_map(Value::as_str)).any(names)
}

/// The port in a line such as `listening on :8080` or `{"msg":"listening","port":"8080"}`.
pub(super) fn listened(line: &str) -> Option<i64> {
    let after_word = |text: &str| {
        let lower = text.to_ascii_lowercase();
        let at = WORDS.iter().find_map(|word| lower.find(word))?;
        lower.get(at..).map(str::to_owned)
    };
    if let Ok(Value::Object(record)) = serde_json::from_str::<Value>(line) {
        // Other fields hold other numbers: a time, a process, a count.
        let message = ["msg", "message", "log", "event"].iter().find_map(|name| record.get(*name)?.as_str())?;
        let rest = after_word(message)?;
        let of_field = |name: &&str| match record.get(*name)? {
            Value::Number(number) => number.as_i64().filter(|number| is_port(*number)),
            Value::String(text) => number(text).or_else(|| port_in(text)),
            _ => None,
        };
        return FIELDS.iter().find_map(of_field).or_else(|| port_in(&rest));
    }
    port_in(&after_word(line)?)
}

fn is_port(number: i64) -> bool {
    (1..=65_535).contains(&number)
}

/// The number with which a text begins, where it can be a port.
fn number(text: &str) -> Option<i64> {
    let end = text.find(|letter: char| !letter.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end)?.parse().ok().filter(|number| is_port(*number))
}

/// The port that a text names, by the word or behind a host; what stands behind digits is of a time.
fn port_in(text: &str) -> Option<i64> {
    ["port=", "port ", "port: ", ":"].iter().find_map(|mark| {
        text.match_indices(mark).find_map(|(at, _)| {
            let before = text.get(..at)?.rsplit([' ', '=', '"', '\'', '/', '[']).next().unwrap_or_default();
            let of_time =
                *mark == ":" && before.ends_with(|letter: char| letter.is_ascii_digit()) && !before.contains('.');
            number(text.get(at + mark.len()..)?).filter(|_| !of_time)
        })
    })
}

#[cfg(test)]
mod tests {
    use super::listened;

    #[test]
    fn a_port_is_read_from_the_lines_that_servers_print() {
        for (line, port) in [
            (r#"{"time":"2026-01-02T03:04:05Z","msg":"listening","port":"8080"}"#, 8080),
            (r#"{"addr":"0.0.0.0:8080","level":"info","msg":"listening","time":"2026-01-02T03:04:05Z"}"#, 8080),
            (r#"{"level":"info","msg":"listening on :9090","pid":7,"time":"2026-01-02T03:04:05Z"}"#, 9090),
            ("Listening on http://0.0.0.0:3000", 3000),
            ("INFO server listening on port 9090", 9090),
            ("level=info msg=listening time=2026-01-02T03:04:05Z addr=0.0.0.0:8080", 8080),
            ("listening on [::]:8080", 8080),
        ] {
            assert_eq!(listened(line), Some(port), "{line}");
        }
        assert_eq!(listened("request served on port 1"), None);
        assert_eq!(listened(r#"{"level":"info","msg":"listening","time":"2026-01-02T03:04:05Z"}"#), None);
        assert_eq!(listened("listening since 2026-01-02T03:04:05Z"), None);
    }
}
