//! Certificates that are refused, by logs; and those that have expired, by what the cluster holds of them.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};

use super::context::Context;
use super::words::{Words, told};
use super::{Condition, Diagnoser, line, workload};
use crate::scene::field;
use crate::scene::spoken::{hosts, is_unreached};
use crate::view::{certificate_begin, certificate_end, certificate_names};

const MET_EXPIRED: Condition = Condition::symptom("certificate-expired", 8);
const UNTRUSTED: Condition = Condition::symptom("certificate-untrusted", 8);
const MISNAMED: Condition = Condition::symptom("certificate-for-another-name", 8);
const EXPIRED: Condition = Condition::cause("secret-certificate-expired", 3);
const NOT_YET: Condition = Condition::cause("secret-certificate-not-yet-valid", 3);
const FOR_OTHERS: Condition = Condition::cause("ingress-certificate-for-other-names", 5);
const NOT_ISSUED: Condition = Condition::cause("certificate-not-issued", 4);
const SOON: Condition = Condition::context("certificate-expires-soon");

pub(super) const DIAGNOSER: Diagnoser =
    Diagnoser { conditions: &[MET_EXPIRED, UNTRUSTED, MISNAMED, EXPIRED, NOT_YET, FOR_OTHERS, NOT_ISSUED, SOON], find };

/// A certificate that ends within this time is worth a word.
const AHEAD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// How long an issuer may take.
const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Refused {
    Expired,
    Untrusted,
    Misnamed,
}

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    met(context, findings);
    held(context, findings);
    for_others(context, findings);
    issued(context, findings);
}

/// Certificates of others that programs refuse.
fn met(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (refused, words, _) in told(context, |words| refused(words.line)) {
        let (condition, what) = match refused {
            Refused::Expired => (&MET_EXPIRED, "meets a certificate that is not valid at this time"),
            Refused::Untrusted => (&UNTRUSTED, "meets a certificate that it does not trust"),
            Refused::Misnamed => (&MISNAMED, "meets a certificate for another name"),
        };
        let holder = (refused == Refused::Expired).then(|| holder(context, &words)).flatten();
        let of = holder.as_ref().map(|holder| format!(", that of {holder}")).unwrap_or_default();
        let draft = words
            .prove(context.finding(condition, words.pod, Category::Certificate))
            .says(format!("{} {what}{of}: {}", words.owner, line::readable(words.line)))
            .severity(Severity::Critical);
        match &holder {
            Some(holder) => draft.culprit(holder).check("See the certificate", workload::describe(holder)),
            None => draft.check("See whose certificate it is", words.logs_command()),
        }
        .into(findings);
    }
}

/// What holds the certificate of the Service that a line names: the only Secret of the workload behind it, else that
/// workload.
fn holder(context: &Context<'_>, words: &Words<'_>) -> Option<ObjectRef> {
    let namespace = words.pod.namespace.as_deref()?;
    let services = hosts(words.line).into_iter().map(|target| target.service(namespace));
    let behind =
        services.flat_map(|service| context.graph.workloads_behind(&service)).find(|unit| *unit != words.owner)?;
    let members = context.graph.members(&behind).iter().chain([&behind]);
    let secrets: BTreeSet<&ObjectRef> = members
        .flat_map(|member| context.graph.edges(member))
        .map(|edge| &edge.to)
        .filter(|object| object.is("Secret"))
        .collect();
    let mut secrets = secrets.into_iter();
    let only = secrets.next().filter(|_| secrets.next().is_none()).cloned();
    Some(only.unwrap_or(behind))
}

fn refused(line: &str) -> Option<Refused> {
    if is_unreached(line) {
        return None;
    }
    let lower = line.to_ascii_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
    // `… is before …` tells that it is too early: a wrong clock, which has a condition of its own.
    let early =
        lower.contains("certificate has expired or is not yet valid: current time") && lower.contains("is before");
    if early {
        None
    } else if says(&[
        "certificate has expired",
        "certificate expired",
        "cert_has_expired",
        "notafter:",
        "expired certificate",
    ]) {
        Some(Refused::Expired)
    } else if says(&[
        "signed by unknown authority",
        "unable to get local issuer",
        "self signed certificate",
        "self-signed certificate",
        "certificate verify failed",
        "pkix path building failed",
        "unknown ca",
        "unable to verify the first certificate",
    ]) {
        Some(Refused::Untrusted)
    } else if says(&[
        "certificate is valid for",
        "doesn't contain any ip sans",
        "err_tls_cert_altname_invalid",
        "hostname mismatch",
        "no subject alternative names",
        "no alternative certificate subject name matches",
    ]) {
        Some(Refused::Misnamed)
    } else {
        None
    }
}

/// Certificates in Secrets, of which only the public part is known, and of it only the time.
fn held(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (secret, value) in context.scene.of_kind("Secret") {
        let Some(end) = certificate_end(value, "tls.crt") else { continue };
        let told = field::text(value, "/data/tls.crt").unwrap_or_default();
        let used = context.graph.named_by(secret);
        let by = used.first().map(|user| format!(", the certificate of {user},")).unwrap_or_default();
        let begin = certificate_begin(value, "tls.crt").filter(|begin| *begin > context.scene.now);
        let (condition, statement) = if let Some(begin) = begin {
            (&NOT_YET, format!("{secret}{by} holds a certificate that is valid only from {begin} on"))
        } else if end <= context.scene.now {
            (&EXPIRED, format!("{secret}{by} holds a certificate that expired {} ago, at {end}", context.ago(end)))
        } else if end.duration_since(context.scene.now) <= AHEAD {
            (&SOON, format!("{secret}{by} holds a certificate that expires at {end}"))
        } else {
            continue;
        };
        let severity = if *condition == SOON { Severity::Info } else { Severity::Critical };
        context
            .finding(condition, secret, Category::Certificate)
            .says(statement)
            .severity(severity)
            .culprit(secret)
            .field(secret, "tls.crt", told)
            .mend(
                "Put a new certificate and its key in its place",
                format!(
                    "kubectl create secret tls{} {} --cert=FILE --key=FILE --dry-run=client -o yaml | kubectl apply -f -",
                    workload::scope(secret),
                    secret.name
                ),
            )
            .into(findings);
    }
}

/// Certificates of ingresses that are not for the hosts which these serve with them.
fn for_others(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (ingress, value) in context.scene.of_kind("Ingress") {
        for entry in field::items(value, "/spec/tls") {
            let Some((namespace, name)) = ingress.namespace.as_deref().zip(field::text(entry, "/secretName")) else {
                continue;
            };
            let secret = ObjectRef::namespaced("Secret", namespace, name);
            let names = context.scene.get(&secret).map(|held| certificate_names(held, "tls.crt")).unwrap_or_default();
            let hosts = field::items(entry, "/hosts").iter().filter_map(serde_json::Value::as_str);
            let uncovered = hosts.filter(|host| !names.iter().any(|name| covers(name, host))).collect::<Vec<_>>();
            // Of a certificate without other names it is not known what clients take it for.
            let (Some(first), false) = (uncovered.first(), names.is_empty()) else { continue };
            context
                .finding(&FOR_OTHERS, ingress, Category::Certificate)
                .says(format!(
                    "{secret}, the certificate of {ingress}, is not for {}: it is for {}",
                    uncovered.join(", "),
                    line::cut(&names.join(", "), 120)
                ))
                .culprit(&secret)
                .words(ProofSource::Object(ingress.clone()), first)
                .words(ProofSource::Object(secret.clone()), names.first().copied().unwrap_or_default())
                .check("See for which names it is", workload::describe(&secret))
                .mend("Name a certificate that is for these hosts", workload::edit(ingress))
                .into(findings);
        }
    }
}

/// Whether a name of a certificate is for a host: a star stands for one label (RFC 6125, 6.4.3).
fn covers(name: &str, host: &str) -> bool {
    let tail = |text: &str| text.split_once('.').map(|(_, tail)| tail.to_ascii_lowercase());
    name.eq_ignore_ascii_case(host) || name.starts_with("*.") && tail(name) == tail(host)
}

/// Certificates that cert-manager was asked for, by their own status.
fn issued(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for (certificate, value) in context.scene.of_kind("Certificate") {
        let condition = |kind| field::condition(value, kind);
        let Some(ready) = condition("Ready").filter(|ready| field::text(ready, "/status") == Some("False")) else {
            continue;
        };
        let since = field::time(ready, "/lastTransitionTime");
        if since.is_some_and(|since| context.within(since, PATIENCE)) {
            continue;
        }
        // Why the last try failed tells more than that it isn't ready.
        let why = condition("Issuing").filter(|one| field::text(one, "/reason") == Some("Failed")).unwrap_or(ready);
        let message = field::text(why, "/message").unwrap_or_default();
        let event = context.warning(certificate, |_| true);
        let ago = since.map(|since| format!(" for {}", context.ago(since))).unwrap_or_default();
        let draft = context
            .finding(&NOT_ISSUED, certificate, Category::Certificate)
            .says(format!(
                "{certificate} is not ready{ago}: {}",
                line::cut(event.map_or(message, |event| &event.message), 180)
            ))
            .severity(Severity::Critical)
            .culprit(
                &issuer(certificate, value)
                    .filter(|issuer| context.scene.missing.contains(issuer))
                    .unwrap_or_else(|| certificate.clone()),
            )
            .field(certificate, "message", message)
            .field(certificate, "reason", field::text(why, "/reason").unwrap_or_default());
        match event {
            Some(event) => draft.event(event),
            None => draft,
        }
        .check("See its requests and what the issuer says", workload::describe(certificate))
        .into(findings);
    }
}

/// The issuer that a certificate names.
fn issuer(certificate: &ObjectRef, value: &serde_json::Value) -> Option<ObjectRef> {
    let name = field::text(value, "/spec/issuerRef/name")?;
    match field::text(value, "/spec/issuerRef/kind") {
        Some("ClusterIssuer") => Some(ObjectRef::cluster("ClusterIssuer", name)),
        _ => Some(ObjectRef::namespaced("Issuer", certificate.namespace.as_deref()?, name)),
    }
}
