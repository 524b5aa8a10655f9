//! Probes that fail: wrong port, wrong path, or a program that does not answer.

use jiff::SignedDuration;
use marple_core::{Category, Finding, Severity};
use serde_json::Value;

use super::container::{Container, containers};
use super::context::{Context, SETTLING};
use super::listens::{Listening, elsewhere};
use super::liveness::{Tight, tight};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::{Event, field};

const READINESS_PORT: Condition = Condition::cause("readiness-probe-wrong-port", 8);
const READINESS_UNDECLARED: Condition = Condition::cause("readiness-probe-undeclared-port", 10).likely();
const READINESS_PATH: Condition = Condition::cause("readiness-probe-wrong-path", 9);
const READINESS_COMMAND: Condition = Condition::cause("readiness-probe-wrong-command", 9);
const READINESS_SCHEME: Condition = Condition::cause("readiness-probe-wrong-scheme", 9);
const READINESS: Condition = Condition::symptom("readiness-probe-failing", 30);
const LIVENESS_PORT: Condition = Condition::cause("liveness-probe-wrong-port", 8);
const LIVENESS_UNDECLARED: Condition = Condition::cause("liveness-probe-undeclared-port", 10).likely();
const LIVENESS_PATH: Condition = Condition::cause("liveness-probe-wrong-path", 9);
const LIVENESS_COMMAND: Condition = Condition::cause("liveness-probe-wrong-command", 9);
const LIVENESS_SCHEME: Condition = Condition::cause("liveness-probe-wrong-scheme", 9);
const LIVENESS: Condition = Condition::symptom("liveness-probe-kills", 15);
const SLOW_START: Condition = Condition::cause("liveness-probe-kills-slow-start", 14).likely();
const SLOW_ANSWER: Condition = Condition::cause("liveness-probe-waits-too-short", 14).likely();
const STARTUP_PORT: Condition = Condition::cause("startup-probe-wrong-port", 8);
const STARTUP_UNDECLARED: Condition = Condition::cause("startup-probe-undeclared-port", 10).likely();
const STARTUP_PATH: Condition = Condition::cause("startup-probe-wrong-path", 9);
const STARTUP_COMMAND: Condition = Condition::cause("startup-probe-wrong-command", 9);
const STARTUP_SCHEME: Condition = Condition::cause("startup-probe-wrong-scheme", 9);
const STARTUP: Condition = Condition::symptom("startup-probe-failing", 16);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser {
    conditions: &[
        READINESS_PORT,
        READINESS_UNDECLARED,
        READINESS_PATH,
        READINESS_COMMAND,
        READINESS_SCHEME,
        READINESS,
        LIVENESS_PORT,
        LIVENESS_UNDECLARED,
        LIVENESS_PATH,
        LIVENESS_COMMAND,
        LIVENESS_SCHEME,
        LIVENESS,
        SLOW_START,
        SLOW_ANSWER,
        STARTUP_PORT,
        STARTUP_UNDECLARED,
        STARTUP_PATH,
        STARTUP_COMMAND,
        STARTUP_SCHEME,
        STARTUP,
    ],
    find,
};

/// A kind of probe: its field, the words of the kubelet, and the conditions for its faults.
struct Kind {
    field: &'static str,
    word: &'static str,
    port: &'static Condition,
    undeclared: &'static Condition,
    path: &'static Condition,
    command: &'static Condition,
    scheme: &'static Condition,
    other: &'static Condition,
}

const KINDS: [Kind; 3] = [
    Kind {
        field: "readinessProbe",
        word: "Readiness",
        port: &READINESS_PORT,
        undeclared: &READINESS_UNDECLARED,
        path: &READINESS_PATH,
        command: &READINESS_COMMAND,
        scheme: &READINESS_SCHEME,
        other: &READINESS,
    },
    Kind {
        field: "livenessProbe",
        word: "Liveness",
        port: &LIVENESS_PORT,
        undeclared: &LIVENESS_UNDECLARED,
        path: &LIVENESS_PATH,
        command: &LIVENESS_COMMAND,
        scheme: &LIVENESS_SCHEME,
        other: &LIVENESS,
    },
    Kind {
        field: "startupProbe",
        word: "Startup",
        port: &STARTUP_PORT,
        undeclared: &STARTUP_UNDECLARED,
        path: &STARTUP_PATH,
        command: &STARTUP_COMMAND,
        scheme: &STARTUP_SCHEME,
        other: &STARTUP,
    },
];

/// Whether the kubelet killed it because its liveness or startup probe failed.
pub(super) fn killed_by_liveness(context: &Context<'_>, container: &Container<'_>) -> bool {
    let mut events = context.scene.events_of(container.pod);
    events.any(|event| {
        event.reason == "Killing" && event.message.contains(&format!("Container {} failed", container.name))
    })
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for container in containers(context).iter().filter(|container| !container.init) {
        for kind in &KINDS {
            judge(context, container, kind, findings);
        }
    }
}

fn judge<'a>(context: &Context<'a>, container: &Container<'a>, kind: &Kind, findings: &mut Vec<Finding>) {
    let Some(probe) = container.spec.get(kind.field) else { return };
    let harmful = match kind.word {
        "Readiness" => !container.ready() && container.runs() && late(context, container, probe),
        _ => killed_by_liveness(context, container) && (!container.ready() || container.restarts() > 0),
    };
    let event = context.warning(container.pod, |event| {
        event.reason == "Unhealthy"
            && event.message.starts_with(kind.word)
            && event.container().is_none_or(|name| name == container.name)
    });
    let (Some(event), true) = (event, harmful) else { return };
    // A restart long past that the container outlived says nothing of now.
    if kind.word != "Readiness" && container.ready() && !context.within(event.at, SignedDuration::from_mins(30)) {
        return;
    }
    let probed = port(probe, container.spec);
    let listens = probed.and_then(|probed| elsewhere(context, container, probed));
    let word = kind.word.to_ascii_lowercase();
    let refused = event.message.contains("connection refused");
    let asked_elsewhere = listens.as_ref().filter(|_| refused);
    let asked = asked_elsewhere.zip(probed);
    let (condition, statement) = explained(context, container, kind, probe, event, asked);
    let consequence = match kind.word {
        "Readiness" => String::new(),
        _ => format!("; the kubelet has restarted it {} times for it", container.restarts()),
    };
    let owner = &container.owner;
    let mut draft = container
        .finding(context, condition, Category::Probe)
        .says(statement + &consequence)
        .severity(Severity::Critical)
        .event(event);
    if condition.role == super::Role::Cause {
        let advice = match condition.word {
            "liveness-probe-kills-slow-start" => {
                "Give the container a startupProbe that lasts as long as it may begin".to_owned()
            }
            "liveness-probe-waits-too-short" => "Raise timeoutSeconds of the liveness probe".to_owned(),
            _ => format!("Correct the {word} probe"),
        };
        draft = draft.culprit(owner).mend(advice, fix(container, kind.field, asked_elsewhere));
    }
    if let Some(probed) = probe.pointer("/httpGet/port").or_else(|| probe.pointer("/tcpSocket/port")) {
        draft = draft.field(container.pod, "port", &plain(probed));
    }
    if let Some(Listening { proof: Some((previous, words)), .. }) = asked_elsewhere {
        draft = draft.log(container.pod, container.name, *previous, words);
    }
    if condition.role != super::Role::Cause {
        draft = draft.check("See what the program says meanwhile", container.logs_command(false));
    }
    draft.into(findings);
}

/// What a probe that fails asks wrongly, or else that it fails, in words.
fn explained<'a>(
    context: &Context<'a>,
    container: &Container<'a>,
    kind: &Kind,
    probe: &Value,
    event: &Event,
    asked: Option<(&Listening<'_>, i64)>,
) -> (&'static Condition, String) {
    let word = kind.word.to_ascii_lowercase();
    let title = container.title();
    let path = field::text(probe, "/httpGet/path").unwrap_or("/");
    match asked {
        Some((listens, probed)) => (
            // Ports are declared for people: a program may listen where it declares nothing.
            if listens.proof.is_some() { kind.port } else { kind.undeclared },
            format!(
                "The {word} probe of {} asks port {probed}, where nothing listens: {}",
                lower(&title),
                listens.told
            ),
        ),
        _ if event.message.contains("statuscode: 404") => (
            kind.path,
            format!(
                "The {word} probe of {} asks for {path}, which the program answers with 404 (not found)",
                lower(&title)
            ),
        ),
        _ if lacks_command(&event.message) => (
            kind.command,
            format!(
                "The {word} probe of {} runs a command that its image does not have: {}",
                lower(&title),
                line::cut(told(event), 160)
            ),
        ),
        _ if speaks_otherwise(&event.message) => (
            kind.scheme,
            format!(
                "The {word} probe of {} asks by {}, and the program answers otherwise: {}",
                lower(&title),
                field::text(probe, "/httpGet/scheme").unwrap_or("HTTP"),
                line::cut(told(event), 160)
            ),
        ),
        _ => {
            let tight = tight(context, container, probe, event).filter(|_| kind.word == "Liveness");
            let (condition, why) = match tight {
                Some(Tight::ToBegin { lived, given }) => (
                    &SLOW_START,
                    format!(
                        "; it gives the program {given} s to begin, and ended it after {lived} s before it was ready"
                    ),
                ),
                Some(Tight::ToAnswer { given }) => {
                    (&SLOW_ANSWER, format!("; it waits {given} s for an answer, while the program goes on"))
                }
                None => (kind.other, String::new()),
            };
            let fails = format!("The {word} probe of {} fails: {}{why}", lower(&title), line::cut(told(event), 160));
            (condition, fails)
        }
    }
}

/// Whether a container has had the time that its readiness probe gives it.
fn late(context: &Context<'_>, container: &Container<'_>, probe: &Value) -> bool {
    let given = field::number(probe, "/initialDelaySeconds").unwrap_or_default()
        + field::number(probe, "/periodSeconds").unwrap_or(10) * field::number(probe, "/failureThreshold").unwrap_or(3);
    container
        .running_for(context.scene.now)
        .is_some_and(|length| length > SETTLING.max(SignedDuration::from_secs(given)))
}

/// The probed port's number; a name is looked up among the container's ports.
pub(super) fn port(probe: &Value, container: &Value) -> Option<i64> {
    let port = ["/httpGet/port", "/tcpSocket/port", "/grpc/port"].iter().find_map(|path| probe.pointer(path))?;
    port.as_i64().or_else(|| {
        let name = port.as_str()?;
        let named = field::items(container, "/ports").iter().find(|port| field::text(port, "/name") == Some(name));
        named.and_then(|port| field::number(port, "/containerPort")).or_else(|| name.parse().ok())
    })
}

/// The patch that sets the port, for what can be patched; else the editor.
fn fix(container: &Container<'_>, probe: &str, listens: Option<&Listening<'_>>) -> String {
    let owner = &container.owner;
    let how = match (
        container.spec.pointer(&format!("/{probe}/httpGet")),
        container.spec.pointer(&format!("/{probe}/tcpSocket")),
    ) {
        (Some(_), _) => "httpGet",
        (None, Some(_)) => "tcpSocket",
        (None, None) => return workload::edit(owner),
    };
    match listens {
        Some(listens) if listens.proof.is_some() && workload::undo(owner).is_some() => format!(
            "kubectl patch{} {} -p '{{\"spec\":{{\"template\":{{\"spec\":{{\"containers\":[{{\"name\":\"{}\",\"{probe}\":{{\"{how}\":{{\"port\":{}}}}}}}]}}}}}}}}'",
            workload::scope(owner),
            workload::target(owner),
            container.name,
            listens.port
        ),
        _ => workload::edit(owner),
    }
}

/// Whether the runtime finds no such program in the container (the words of runc and of crun).
fn lacks_command(message: &str) -> bool {
    let exec = message.contains("exec failed") || message.contains("OCI runtime") || message.contains("exec: \"");
    let absent = ["executable file not found", "no such file or directory", "executable file `"];
    exec && absent.iter().any(|words| message.contains(words))
}

/// Whether one side speaks TLS and the other does not.
fn speaks_otherwise(message: &str) -> bool {
    let said = [
        "server gave HTTP response to HTTPS client",
        "malformed HTTP response",
        "first record does not look like a TLS",
    ];
    said.iter().any(|words| message.contains(words))
}

fn told(event: &Event) -> &str {
    event.message.split_once("failed: ").map_or(event.message.as_str(), |(_, rest)| rest)
}

fn lower(title: &str) -> String {
    title.replacen("Container", "container", 1)
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
