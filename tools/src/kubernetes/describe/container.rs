//! A container: its state, why it ended, its probes, resources and environment.

use serde_json::Value;

use super::Page;
use crate::kubernetes::clock::{Clock, length};
use crate::kubernetes::field::{entries, flag, items, number, pairs, plain, text, time};

/// The most environment variables that are listed.
const VARIABLES: usize = 40;

/// A container of a pod spec, with its status where there is one.
pub(crate) fn container(page: &mut Page, level: usize, spec: &Value, status: Option<&Value>, clock: Clock) {
    let name = text(spec, "/name").unwrap_or_default();
    page.line(level, format!("{name}:"));
    let level = level + 1;
    page.field(level, "image", text(spec, "/image").unwrap_or_default());
    if let Some(status) = status {
        page.field(level, "state", state(status, "/state", clock).unwrap_or_default());
        page.field(level, "last state", state(status, "/lastState", clock).unwrap_or_default());
        let started = spec.get("startupProbe").is_none() || flag(status, "/started");
        let started = if started { "" } else { ", startup probe has not passed" };
        let restarts = number(status, "/restartCount").unwrap_or_default();
        page.line(level, format!("ready: {}, restarts: {restarts}{started}", flag(status, "/ready")));
    }
    for (field, pointer) in [("command", "/command"), ("args", "/args")] {
        let words: Vec<String> = items(spec, pointer).map(plain).collect();
        page.field(level, field, words.join(" "));
    }
    let ports: Vec<String> = items(spec, "/ports").map(port).collect();
    page.field(level, "ports", ports.join(", "));
    page.field(level, "requests", pairs(spec, "/resources/requests"));
    page.field(level, "limits", pairs(spec, "/resources/limits"));
    page.field(level, "security", pairs(spec, "/securityContext"));
    for (field, pointer) in
        [("liveness", "/livenessProbe"), ("readiness", "/readinessProbe"), ("startup", "/startupProbe")]
    {
        page.field(level, field, spec.pointer(pointer).map(probe).unwrap_or_default());
    }
    environment(page, level, spec);
    let mounts: Vec<String> = items(spec, "/volumeMounts").filter_map(mount).collect();
    page.field(level, "mounts", mounts.join(", "));
}

/// The state at `pointer` of a container's status, in one line.
pub(crate) fn state(status: &Value, pointer: &str, clock: Clock) -> Option<String> {
    let state = status.pointer(pointer)?;
    if let Some(waiting) = state.get("waiting") {
        let message = text(waiting, "/message").map(|message| format!(": {message}"));
        return Some(format!(
            "waiting, {}{}",
            text(waiting, "/reason").unwrap_or("no reason given"),
            message.unwrap_or_default()
        ));
    }
    if let Some(running) = state.get("running") {
        let since = time(running, "/startedAt").map(|at| format!(", started {}", clock.when(at)));
        return Some(format!("running{}", since.unwrap_or_default()));
    }
    let ended = state.get("terminated")?;
    let reason = text(ended, "/reason").unwrap_or("no reason given");
    let code = number(ended, "/exitCode").map(|code| format!(", exit code {}", exit_code(code)));
    let (began, at) = (time(ended, "/startedAt"), time(ended, "/finishedAt"));
    let when = at.map(|at| format!(", ended {}", clock.when(at)));
    let ran = began.zip(at).map(|(began, at)| format!(" after {}", length(at.as_second() - began.as_second())));
    let message = text(ended, "/message").map(|message| format!("\nmessage: {}", message.trim()));
    let details: String = [code, when, ran, message].into_iter().flatten().collect();
    Some(format!("terminated, {reason}{details}"))
}

/// An exit code, with what it means where a shell's or the kernel's convention says so.
fn exit_code(code: i64) -> String {
    let meaning = match code {
        126 => "command can't be run",
        127 => "command not found",
        130 => "SIGINT",
        134 => "SIGABRT",
        135 => "SIGBUS",
        137 => "SIGKILL",
        139 => "SIGSEGV",
        143 => "SIGTERM",
        _ => return code.to_string(),
    };
    format!("{code} ({meaning})")
}

fn port(port: &Value) -> String {
    let name = text(port, "/name").map(|name| format!("{name}=")).unwrap_or_default();
    let number = number(port, "/containerPort").unwrap_or_default();
    format!("{name}{number}/{}", text(port, "/protocol").unwrap_or("TCP"))
}

/// As `http-get http://:8080/healthz, delay 0s, timeout 1s, every 10s, fails after 3`.
pub(crate) fn probe(probe: &Value) -> String {
    let seconds = |pointer: &str, default: i64| number(probe, pointer).unwrap_or(default);
    let how = if let Some(get) = probe.get("httpGet") {
        let scheme = text(get, "/scheme").unwrap_or("HTTP").to_lowercase();
        let port = get.get("port").map(plain).unwrap_or_default();
        format!(
            "http-get {scheme}://{}:{port}{}",
            text(get, "/host").unwrap_or_default(),
            text(get, "/path").unwrap_or("/")
        )
    } else if let Some(socket) = probe.get("tcpSocket") {
        format!(
            "tcp-socket {}:{}",
            text(socket, "/host").unwrap_or_default(),
            socket.get("port").map(plain).unwrap_or_default()
        )
    } else if let Some(grpc) = probe.get("grpc") {
        format!("grpc :{} {}", number(grpc, "/port").unwrap_or_default(), text(grpc, "/service").unwrap_or_default())
    } else {
        format!("exec {}", items(probe, "/exec/command").map(plain).collect::<Vec<_>>().join(" "))
    };
    format!(
        "{}, delay {}s, timeout {}s, every {}s, fails after {}",
        how.trim_end(),
        seconds("/initialDelaySeconds", 0),
        seconds("/timeoutSeconds", 1),
        seconds("/periodSeconds", 10),
        seconds("/failureThreshold", 3)
    )
}

fn environment(page: &mut Page, level: usize, spec: &Value) {
    let optional = |source: &Value| if flag(source, "/optional") { " (optional)" } else { "" };
    for from in items(spec, "/envFrom") {
        for (kind, pointer) in [("ConfigMap", "/configMapRef"), ("Secret", "/secretRef")] {
            if let Some(source) = from.pointer(pointer) {
                let prefix = text(from, "/prefix").map(|prefix| format!(" with prefix {prefix}")).unwrap_or_default();
                page.field(
                    level,
                    "env from",
                    format!("{kind} {}{prefix}{}", text(source, "/name").unwrap_or_default(), optional(source)),
                );
            }
        }
    }
    let variables: Vec<String> = items(spec, "/env")
        .map(|variable| {
            let name = text(variable, "/name").unwrap_or_default();
            let key = |source: &Value, kind: &str| {
                format!(
                    "{name} from {kind} {} key {}{}",
                    text(source, "/name").unwrap_or_default(),
                    text(source, "/key").unwrap_or_default(),
                    optional(source)
                )
            };
            match variable.get("valueFrom") {
                None => format!("{name}={}", text(variable, "/value").unwrap_or_default()),
                Some(from) => match (from.get("configMapKeyRef"), from.get("secretKeyRef")) {
                    (Some(source), _) => key(source, "ConfigMap"),
                    (_, Some(source)) => key(source, "Secret"),
                    _ => {
                        let field =
                            text(from, "/fieldRef/fieldPath").or_else(|| text(from, "/resourceFieldRef/resource"));
                        format!("{name} from {}", field.unwrap_or("another source"))
                    }
                },
            }
        })
        .collect();
    if !variables.is_empty() {
        page.line(level, "env:");
        for variable in variables.iter().take(VARIABLES) {
            page.line(level + 1, variable);
        }
        if variables.len() > VARIABLES {
            page.line(level + 1, format!("… {} more left out …", variables.len() - VARIABLES));
        }
    }
}

fn mount(mount: &Value) -> Option<String> {
    let volume = text(mount, "/name").filter(|name| !name.starts_with("kube-api-access-"))?;
    let read_only = if flag(mount, "/readOnly") { " (read-only)" } else { "" };
    Some(format!("{} from {volume}{read_only}", text(mount, "/mountPath")?))
}

/// What a volume holds, in a few words.
pub(crate) fn volume(volume: &Value) -> Option<String> {
    let name = text(volume, "/name").filter(|name| !name.starts_with("kube-api-access-"))?;
    let (source, details) = entries(volume, "").find(|(field, _)| *field != "name")?;
    let named = ["/name", "/secretName", "/claimName", "/path", "/driver", "/server"]
        .iter()
        .find_map(|path| text(details, path));
    let kind = match source {
        "configMap" => "ConfigMap",
        "secret" => "Secret",
        "persistentVolumeClaim" => "PersistentVolumeClaim",
        other => other,
    };
    let optional = if flag(details, "/optional") { " (optional)" } else { "" };
    let limit = text(details, "/sizeLimit").map(|limit| format!(" up to {limit}")).unwrap_or_default();
    Some(format!("{name}: {kind}{}{limit}{optional}", named.map(|named| format!(" {named}")).unwrap_or_default()))
}
