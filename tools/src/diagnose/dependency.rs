//! Dependencies that a log says are not reached.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use marple_core::{Category, Finding, ObjectRef, Severity};

use super::context::Context;
use super::credentials::named_in_settings;
use super::outside::outside;
use super::words::{Times, Words, lines};
use super::{Condition, Diagnoser, callee, changed, line, origin, workload, wrong_port};
use crate::near::nearest;
use crate::scene::spoken::{Trouble, addresses, hosts, trouble};
use crate::scene::{MADE, Target, clients, dns, field};

const REFUSED: Condition = Condition::pointer("dependency-refused", 10);
const TIMEOUT: Condition = Condition::pointer("dependency-timeout", 12);
const UNRESOLVED: Condition = Condition::pointer("dependency-unresolved", 11);
const ERRORS: Condition = Condition::pointer("dependency-answers-errors", 14);
const BESIDE: Condition = Condition::pointer("dependency-failing-beside", 45).likely();
const WRONG_NAME: Condition = Condition::cause("dependency-wrong-name", 10).likely();
const MISSING: Condition = Condition::cause("dependency-service-missing", 10);
const ALIAS: Condition = Condition::cause("service-external-name-unknown", 10).likely();
const OUTSIDE: Condition = Condition::symptom("dependency-outside-unreachable", 10);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser {
    conditions: &[
        REFUSED,
        TIMEOUT,
        UNRESOLVED,
        ERRORS,
        BESIDE,
        wrong_port::WRONG_PORT,
        WRONG_NAME,
        MISSING,
        ALIAS,
        OUTSIDE,
    ],
    find,
};

/// Words of what receives traces, metrics and logs, in lower case: a program does its work without it.
const TELEMETRY: [&str; 10] = [
    "otel",
    "opentelemetry",
    "otlp",
    "traces export",
    "v1/traces",
    "v1/metrics",
    "jaeger",
    "zipkin",
    "statsd",
    "sentry",
];

/// Words of a defect of the program itself, in lower case.
const DEFECT: [&str; 14] = [
    "panic:",
    "nil pointer",
    "index out of range",
    "indexoutofbounds",
    "nullpointerexception",
    "nullreferenceexception",
    "typeerror",
    "referenceerror",
    "keyerror",
    "indexerror",
    "valueerror",
    "attributeerror",
    "assertion",
    "segmentation fault",
];

/// How many letters longer or shorter a name may be than the one that is meant.
const LETTERS: usize = 3;

/// Words of what is called, which a program that ends for the want of it may still say at its end.
const OF_CALLS: [&str; 8] = ["connect", "database", "dial", "reach", "redis", "broker", "server", "host"];

/// Whether a finding tells of a call that fails while the program ends of something else, or does its work without.
pub(super) fn is_beside(finding: &Finding) -> bool {
    finding.condition == BESIDE.word
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    let mut seen: BTreeMap<(ObjectRef, String), (Times, Trouble, Words<'_>, Host)> = BTreeMap::new();
    let now = context.scene.now;
    // What an ended run said well before its end, it had got over.
    for words in lines(context).into_iter().filter(|words| words.serves || words.last) {
        let Some(trouble) = call_trouble(context, &words) else { continue };
        let Some(host) = host(context, &words, trouble) else { continue };
        // The kind of trouble may change while a dependency dies; the latest line counts, and each adds to the number.
        let key = (words.owner.clone(), host.key());
        match seen.entry(key) {
            Entry::Occupied(mut known) => known.get_mut().0.add(&words, now),
            Entry::Vacant(place) => {
                let times = Times::of(&words, now);
                place.insert((times, trouble, words, host));
            }
        }
    }
    for (times, trouble, words, host) in seen.into_values() {
        // A program that serves now may have retried and got through.
        if !words.serves || times.count > 1 {
            state(context, times, trouble, &words, &host, findings);
        }
    }
}

/// Whether a failed call is beside the point: it is of telemetry, or the run ended by a defect of the program.
fn beside(words: &Words<'_>) -> bool {
    let lower = words.line.to_ascii_lowercase();
    let ended = words.ended_by.filter(|ended| *ended != words.line).map(str::to_ascii_lowercase);
    let defect = ended.as_ref().is_some_and(|ended| {
        let says = |words: &[&str]| words.iter().any(|word| ended.contains(word));
        says(&DEFECT) && !says(&OF_CALLS) && trouble(ended).is_none()
    });
    let telemetry = TELEMETRY.iter().any(|word| lower.contains(word));
    defect || telemetry && words.ended_by != Some(words.line)
}

/// What a line says of a call. That no name server answers is told of once, whatever name was asked for; but a server
/// that fails on a name which is not there, fails for the name.
fn call_trouble(context: &Context<'_>, words: &Words<'_>) -> Option<Trouble> {
    match trouble(words.line)? {
        Trouble::NameServer => asks_for_missing(context, words).then_some(Trouble::Unresolved),
        other => Some(other),
    }
}

/// Whether a line names a Service that is missing.
pub(super) fn asks_for_missing(context: &Context<'_>, words: &Words<'_>) -> bool {
    let Some(namespace) = words.pod.namespace.as_deref() else { return false };
    hosts(words.line).iter().any(|target| context.scene.missing.contains(&target.service(namespace)))
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

fn host(context: &Context<'_>, words: &Words<'_>, trouble: Trouble) -> Option<Host> {
    let namespace = words.pod.namespace.as_deref()?;
    let mut unsure = None;
    for target in hosts(words.line) {
        let service = target.service(namespace);
        if context.scene.get(&service).is_some() {
            // What a program says of its own Service, it says of itself.
            if context.graph.workloads_behind(&service).contains(&words.owner) {
                continue;
            }
            return Some(Host::Service { service, target, there: true });
        }
        // A plain word may be anything, as a container's or a file's name.
        let named =
            target.sure || trouble == Trouble::Unresolved || context.graph.call(&words.owner, &service).is_some();
        if named && context.scene.missing.contains(&service) {
            unsure.get_or_insert(Host::Service { service, target, there: false });
        }
    }
    let known = unsure.or_else(|| address(context, words)).or_else(|| by_setting(context, words));
    known.or_else(|| outside(context, words.line, trouble).map(Host::Outside))
}

/// The Service that a setting of the program names, and the line by the same plain word.
fn by_setting(context: &Context<'_>, words: &Words<'_>) -> Option<Host> {
    let own = context.graph.calls().filter(|(caller, ..)| **caller == words.owner);
    let mut named = own.filter(|(_, service, _)| clients::words(words.line).any(|word| word == service.name));
    let (_, service, call) = named.next()?;
    let (namespace, name) = (service.namespace.clone(), service.name.clone());
    let target = Target { host: call.host.clone(), namespace, name, port: None, sure: true };
    let there = context.scene.get(service).is_some();
    (there || context.scene.missing.contains(service)).then(|| Host::Service {
        service: service.clone(),
        target,
        there,
    })
}

/// The Service whose address, or whose pod's address, the line names.
fn address(context: &Context<'_>, words: &Words<'_>) -> Option<Host> {
    addresses(words.line).into_iter().find_map(|(ip, port)| {
        let service = context.graph.service_at(&ip)?;
        if context.graph.workloads_behind(service).contains(&words.owner) {
            return None;
        }
        let has = |service: &serde_json::Value| field::text(service, "/spec/clusterIP") == Some(ip.as_str());
        // A pod's own port need not be one of the Service's.
        let port = context.scene.get(service).filter(|service| has(service)).and(port);
        let (namespace, name) = (service.namespace.clone(), service.name.clone());
        let target = Target { host: ip.clone(), namespace, name, port, sure: true };
        Some(Host::Service { service: service.clone(), target, there: true })
    })
}

fn state(
    context: &Context<'_>,
    times: Times,
    trouble: Trouble,
    words: &Words<'_>,
    host: &Host,
    findings: &mut Vec<Finding>,
) {
    let owner = &words.owner;
    let times = times.told(context);
    let said = line::readable(words.line);
    let (service, target, there) = match host {
        Host::Service { service, target, there } => (service, target, *there),
        Host::Outside(name) => {
            let what = if trouble == Trouble::Errors { "gets errors from" } else { "does not reach" };
            words
                .prove(context.finding(&OUTSIDE, words.pod, Category::Dependency))
                .says(format!("{owner} {what} {name}, which is outside the cluster{times}: {said}"))
                .severity(Severity::Critical)
                .check("See whether it is reached from the cluster", words.logs_command())
                .into(findings);
            return;
        }
    };
    let call = context.graph.call(owner, service);
    let secret = call.is_none().then(|| secret_of(context, words)).flatten();
    let how = origin::told(context, words, call, secret.as_ref());
    if !there {
        missing(context, words, (service, target), &how, secret.as_ref(), findings);
        return;
    }
    let refused = matches!(trouble, Trouble::Refused | Trouble::Timeout);
    if refused && wrong_port::find(context, words, (service, target), secret.as_ref(), &how, findings) {
        return;
    }
    let alias = context.scene.get(service).and_then(|value| field::text(value, "/spec/externalName"));
    if let Some(alias) = alias.filter(|_| trouble == Trouble::Unresolved) {
        words
            .prove(context.finding(&ALIAS, words.pod, Category::Network))
            .says(format!(
                "{owner} calls {service}{how}, which stands for {alias}; that name is not found{times}: {said}"
            ))
            .severity(Severity::Critical)
            .culprit(service)
            .field(service, "externalName", alias)
            .mend("Correct the name that the Service stands for", workload::edit(service))
            .into(findings);
        return;
    }
    let (condition, what) = match trouble {
        Trouble::Refused => (&REFUSED, "is refused by"),
        Trouble::Timeout => (&TIMEOUT, "gets no answer from"),
        Trouble::Unresolved | Trouble::NameServer => (&UNRESOLVED, "can't resolve the name of"),
        Trouble::Errors => (&ERRORS, "gets errors from"),
    };
    let condition = if beside(words) { &BESIDE } else { condition };
    if *condition == UNRESOLVED && dns::has_name(context.scene, service) && is_name_server_suspect(context) {
        let server = dns::server();
        words
            .prove(context.finding(condition, words.pod, Category::Network))
            .says(format!("{owner} {what} {service}{how}, though that exists, from {server}{times}: {said}"))
            .severity(Severity::Critical)
            .culprit(&server)
            .check("See the name server's pods and configuration", workload::describe(&server))
            .into(findings);
        return;
    }
    let behind = if trouble == Trouble::Timeout { callee::told(context, service) } else { String::new() };
    let mut draft = words
        .prove(context.finding(condition, words.pod, Category::Dependency))
        .says(format!("{owner} {what} {service}{how}{behind}{times}: {said}"))
        .severity(Severity::Critical)
        .culprit(service);
    if let Some(call) = call {
        draft = draft.words(marple_core::ProofSource::Object(call.written_in.clone()), &call.host);
    }
    draft.check("See the Service's endpoints", workload::describe(service)).into(findings);
}

/// Whether something is wrong with the cluster's DNS or was changed in it lately: where not, a name that is not found is rather
/// a wrong one.
fn is_name_server_suspect(context: &Context<'_>) -> bool {
    let changed = |object: &ObjectRef| {
        context
            .scene
            .rollouts
            .get(object)
            .is_some_and(|it| it.revision != MADE && context.within(it.at, changed::LATELY))
    };
    context.graph.workloads_behind(&dns::server()).iter().any(|unit| {
        let members = context.graph.members(unit).iter().chain([unit]);
        let mut named = members.flat_map(|member| context.graph.edges(member)).map(|edge| &edge.to);
        !workload::is_well(context.scene, unit) || changed(unit) || named.any(|to| to.is("ConfigMap") && changed(to))
    })
}

/// A Service that is called and that isn't there: named wrongly where another is near, else gone.
fn missing(
    context: &Context<'_>,
    words: &Words<'_>,
    (service, target): (&ObjectRef, &Target),
    how: &str,
    secret: Option<&ObjectRef>,
    findings: &mut Vec<Finding>,
) {
    let others = context.scene.of_kind("Service").map(|(other, _)| other).collect::<Vec<_>>();
    let moved = others.iter().find(|other| other.name == service.name).copied();
    let near = moved.or_else(|| {
        // A longer name is no mistyped one.
        let alike = |other: &ObjectRef| other.name.len().abs_diff(service.name.len()) <= LETTERS;
        let there = others.iter().filter(|other| other.namespace == service.namespace).copied().collect::<Vec<_>>();
        let name = nearest(&service.name, there.iter().map(|other| other.name.as_str()), 1).into_iter().next()?;
        there.into_iter().find(|other| other.name == name && alike(other))
    });
    let owner = &words.owner;
    let written = context.graph.call(owner, service);
    let holder = written.map(|call| &call.written_in).or(secret).unwrap_or(owner);
    let draft = match near {
        Some(near) => words
            .prove(context.finding(&WRONG_NAME, words.pod, Category::Configuration))
            .says(format!("{owner} calls {}{how}, {}; {near} does", target.host, absent(context, service)))
            .culprit(holder)
            .mend("Correct the name", workload::edit(holder)),
        None => words
            .prove(context.finding(&MISSING, words.pod, Category::Network))
            .says(format!("{owner} calls {}{how}, {}", target.host, absent(context, service)))
            .culprit(service)
            .check("See which Services there are", format!("kubectl get services{}", workload::scope(service))),
    };
    let draft = match written {
        Some(call) => draft.words(marple_core::ProofSource::Object(call.written_in.clone()), &call.host),
        None => draft,
    };
    draft.severity(Severity::Critical).into(findings);
}

/// The only Secret from which the container that spoke has settings: an address that can be read nowhere else comes from
/// there.
fn secret_of(context: &Context<'_>, words: &Words<'_>) -> Option<ObjectRef> {
    let mut named = named_in_settings(context, words).into_iter();
    named.next().filter(|_| named.next().is_none())
}

/// What is absent: the Service, or the whole namespace that it is looked for in.
fn absent(context: &Context<'_>, service: &ObjectRef) -> String {
    let space = service.namespace.as_deref().map(|namespace| ObjectRef::cluster("Namespace", namespace));
    match space.filter(|space| context.scene.missing.contains(space)) {
        Some(space) => format!("a Service in {space}, which does not exist"),
        None => "a Service that does not exist".to_owned(),
    }
}
