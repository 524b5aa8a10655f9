//! Dependencies that a log says are not reached.

use std::collections::BTreeMap;

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::{Context, Draft};
use super::words::{Words, lines};
use super::{Condition, Diagnoser, line, workload};
use crate::near::nearest;
use crate::scene::{Target, field, targets};

const REFUSED: Condition = Condition::pointer("dependency-refused", 10);
const TIMEOUT: Condition = Condition::pointer("dependency-timeout", 12);
const UNRESOLVED: Condition = Condition::pointer("dependency-unresolved", 11);
const ERRORS: Condition = Condition::pointer("dependency-answers-errors", 14);
const WRONG_PORT: Condition = Condition::cause("dependency-wrong-port", 10);
const WRONG_NAME: Condition = Condition::cause("dependency-wrong-name", 10).likely();
const MISSING: Condition = Condition::cause("dependency-service-missing", 10);
const OUTSIDE: Condition = Condition::symptom("dependency-outside-unreachable", 10);

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[REFUSED, TIMEOUT, UNRESOLVED, ERRORS, WRONG_PORT, WRONG_NAME, MISSING, OUTSIDE], find };

/// What a line says of a call.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Unresolved,
    Refused,
    Timeout,
    Errors,
}

/// How a line says it, in lower case.
const PHRASES: [(Trouble, &[&str]); 4] = [
    (
        Trouble::Unresolved,
        &[
            "no such host",
            "name or service not known",
            "temporary failure in name resolution",
            "enotfound",
            "could not resolve host",
            "unknownhostexception",
            "name does not resolve",
            "eai_again",
            "server misbehaving",
        ],
    ),
    (Trouble::Refused, &["connection refused", "econnrefused", "actively refused", "connection reset by peer"]),
    (
        Trouble::Timeout,
        &[
            "i/o timeout",
            "connection timed out",
            "deadline exceeded",
            "etimedout",
            "connect timeout",
            "timeout awaiting",
            "no route to host",
            "ehostunreach",
            "client.timeout",
            "timed out",
        ],
    ),
    (Trouble::Errors, &["502", "503", "504", "\"status\":500", "status=500", "bad gateway", "service unavailable"]),
];

fn trouble(line: &str) -> Option<Trouble> {
    let lower = line.to_ascii_lowercase();
    PHRASES.iter().find(|(_, phrases)| phrases.iter().any(|phrase| lower.contains(phrase))).map(|(trouble, _)| *trouble)
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(ObjectRef, String), (usize, Trouble, Words<'_>, Host)> = BTreeMap::new();
    for words in lines(context) {
        let Some(trouble) = trouble(words.line) else { continue };
        let Some(host) = host(context, &words) else { continue };
        // The kind of trouble may change while a dependency dies; the latest line counts, and each adds to the number.
        let key = (words.owner.clone(), host.key());
        seen.entry(key).and_modify(|(count, ..)| *count += 1).or_insert((1, trouble, words, host));
    }
    for (count, trouble, words, host) in seen.into_values() {
        // A program that serves now may have retried and got through.
        if !words.serves || count > 1 {
            state(context, count, trouble, &words, &host, findings);
        }
    }
}

/// What a line's host is.
enum Host {
    /// A Service of the scene, or one that is missing from the cluster.
    Service { service: ObjectRef, target: Target, there: bool },
    /// A name outside the cluster.
    Outside(String),
}

impl Host {
    fn key(&self) -> String {
        match self {
            Self::Service { service, target, .. } => format!("{service}:{:?}", target.port),
            Self::Outside(name) => name.clone(),
        }
    }
}

fn host(context: &Context<'_>, words: &Words<'_>) -> Option<Host> {
    let namespace = words.pod.namespace.as_deref()?;
    let mut unsure = None;
    let named = targets("", words.line).into_iter().chain(looked_up(words.line));
    for target in named.filter(|target| target.port != Some(53)) {
        let service = ObjectRef::namespaced("Service", target.namespace.as_deref().unwrap_or(namespace), &target.name);
        if context.scene.get(&service).is_some() {
            return Some(Host::Service { service, target, there: true });
        }
        // A plain word may be anything, as a container's or a file's name.
        let missing = context.scene.missing.contains(&service)
            && (target.sure || context.graph.call(&words.owner, &service).is_some());
        if missing {
            unsure.get_or_insert(Host::Service { service, target, there: false });
        }
    }
    unsure.or_else(|| address(context, words.line)).or_else(|| outside(words.line).map(Host::Outside))
}

/// The name in `lookup db.payments on 10.96.0.10:53` and `getaddrinfo ENOTFOUND db.payments`.
fn looked_up(line: &str) -> Option<Target> {
    ["lookup ", "ENOTFOUND ", "EAI_AGAIN ", "resolve host: ", "translate host name \\\"", "translate host name \""]
        .iter()
        .find_map(|mark| {
            let rest = line.split_once(mark)?.1;
            let end =
                rest.find(|letter: char| letter.is_whitespace() || "\":,\\".contains(letter)).unwrap_or(rest.len());
            Target::of(rest.get(..end)?, None)
        })
}

/// The Service whose address, or whose pod's address, the line names.
fn address(context: &Context<'_>, line: &str) -> Option<Host> {
    for token in line.split(|letter: char| !(letter.is_ascii_digit() || letter == '.' || letter == ':')) {
        let Some((ip, port)) = token.trim_end_matches(':').rsplit_once(':') else { continue };
        let Ok(port) = port.parse::<u16>() else { continue };
        if port == 53 || ip.split('.').count() != 4 {
            continue;
        }
        let owned =
            context.scene.of_kind("Service").find(|(_, service)| field::text(service, "/spec/clusterIP") == Some(ip));
        if let Some((service, _)) = owned {
            let target = Target {
                host: ip.to_owned(),
                namespace: service.namespace.clone(),
                name: service.name.clone(),
                port: Some(port),
                sure: true,
            };
            return Some(Host::Service { service: service.clone(), target, there: true });
        }
    }
    None
}

/// A name of the internet in a line: three labels or a well-known ending, and none of the cluster.
fn outside(line: &str) -> Option<String> {
    let separators = |letter: char| letter.is_whitespace() || "\"'()[]{}<>,;=\\/@".contains(letter);
    line.split(separators)
        .map(|token| token.trim_end_matches(':').split(':').next().unwrap_or_default())
        .find(|token| {
            let labels = token.split('.').collect::<Vec<_>>();
            let last = labels.last().copied().unwrap_or_default();
            labels.len() >= 2
                && labels.iter().all(|label| {
                    !label.is_empty() && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
                })
                && ["com", "net", "org", "io", "dev", "cloud", "eu", "de", "app"].contains(&last)
        })
        .map(str::to_owned)
}

fn state(
    context: &Context<'_>,
    count: usize,
    trouble: Trouble,
    words: &Words<'_>,
    host: &Host,
    findings: &mut Vec<Finding>,
) {
    let owner = &words.owner;
    let times = if count > 1 { format!(", {count} times in its latest lines") } else { String::new() };
    let said = line::readable(words.line);
    let (service, target, there) = match host {
        Host::Service { service, target, there } => (service, target, *there),
        Host::Outside(name) => {
            prove(context.finding(&OUTSIDE, words.pod, Category::Dependency), words)
                .says(format!("{owner} does not reach {name}, which is outside the cluster{times}: {said}"))
                .severity(Severity::Critical)
                .check("See whether it is reached from the cluster", describe_logs(words))
                .into(findings);
            return;
        }
    };
    let call = context.graph.call(owner, service);
    let how = call.map(|call| format!(" ({})", call.how)).unwrap_or_default();
    if !there {
        missing(context, words, service, target, &how, findings);
        return;
    }
    let ports = context.scene.get(service).map(|value| field::items(value, "/spec/ports")).unwrap_or_default();
    let headless =
        context.scene.get(service).is_some_and(|value| field::text(value, "/spec/clusterIP") == Some("None"));
    let has = |port: u16| ports.iter().any(|one| field::number(one, "/port") == Some(i64::from(port)));
    if let Some(port) = target.port.filter(|port| {
        !headless && !ports.is_empty() && !has(*port) && matches!(trouble, Trouble::Refused | Trouble::Timeout)
    }) {
        let offered = ports
            .iter()
            .filter_map(|port| field::number(port, "/port"))
            .map(|port| port.to_string())
            .collect::<Vec<_>>();
        let mut draft = prove(context.finding(&WRONG_PORT, words.pod, Category::Configuration), words)
            .says(format!(
                "{owner} calls {service} at port {port}, which it does not have; it has {}{how}",
                offered.join(", ")
            ))
            .severity(Severity::Critical)
            .culprit(owner);
        if let Some(offered) = offered.first() {
            draft = draft.field(service, "port", offered);
        }
        let culprit = call.map_or(owner, |call| &call.written_in);
        draft.mend("Correct the port", workload::edit(culprit)).into(findings);
        return;
    }
    let (condition, what) = match trouble {
        Trouble::Refused => (&REFUSED, "is refused by"),
        Trouble::Timeout => (&TIMEOUT, "gets no answer from"),
        Trouble::Unresolved => (&UNRESOLVED, "can't resolve the name of"),
        Trouble::Errors => (&ERRORS, "gets errors from"),
    };
    let mut draft = prove(context.finding(condition, words.pod, Category::Dependency), words)
        .says(format!("{owner} {what} {service}{how}{times}: {said}"))
        .severity(Severity::Critical)
        .culprit(service);
    if let Some(call) = call {
        draft = draft.words(marple_core::ProofSource::Object(call.written_in.clone()), &call.host);
    }
    draft.check("See the Service's endpoints", workload::describe(service)).into(findings);
}

/// A Service that is called and that isn't there: named wrongly where another is near, else gone.
fn missing(
    context: &Context<'_>,
    words: &Words<'_>,
    service: &ObjectRef,
    target: &Target,
    how: &str,
    findings: &mut Vec<Finding>,
) {
    let others = context.scene.of_kind("Service").map(|(other, _)| other).collect::<Vec<_>>();
    let moved = others.iter().find(|other| other.name == service.name).copied();
    let near = moved.or_else(|| {
        let there = others.iter().filter(|other| other.namespace == service.namespace).copied().collect::<Vec<_>>();
        let name = nearest(&service.name, there.iter().map(|other| other.name.as_str()), 1).into_iter().next()?;
        there.into_iter().find(|other| other.name == name)
    });
    let owner = &words.owner;
    let written = context.graph.call(owner, service);
    let draft = match near {
        Some(near) => prove(context.finding(&WRONG_NAME, words.pod, Category::Configuration), words)
            .says(format!("{owner} calls {}{how}, a Service that does not exist; {near} does", target.host))
            .culprit(written.map_or(owner, |call| &call.written_in))
            .mend("Correct the name", workload::edit(written.map_or(owner, |call| &call.written_in))),
        None => prove(context.finding(&MISSING, words.pod, Category::Network), words)
            .says(format!("{service}, which {owner} calls{how}, does not exist"))
            .culprit(service)
            .check("See which Services there are", format!("kubectl get services{}", workload::scope(service))),
    };
    let draft = match written {
        Some(call) => draft.words(marple_core::ProofSource::Object(call.written_in.clone()), &call.host),
        None => draft,
    };
    draft.severity(Severity::Critical).into(findings);
}

fn prove<'c, 'a>(draft: Draft<'c, 'a>, words: &Words<'a>) -> Draft<'c, 'a> {
    draft.log(words.pod, words.container, words.previous, words.line)
}

fn describe_logs(words: &Words<'_>) -> String {
    format!("kubectl logs{} {} -c {} --tail=100", workload::scope(words.pod), words.pod.name, words.container)
}
