//! Certificates that are refused, by logs.

use marple_core::{Category, Finding, Severity};

use super::context::Context;
use super::words::lines;
use super::{Condition, Diagnoser, line};

const EXPIRED: Condition = Condition::symptom("certificate-expired", 8);
const UNTRUSTED: Condition = Condition::symptom("certificate-untrusted", 8);

pub(super) const DIAGNOSER: Diagnoser = Diagnoser { conditions: &[EXPIRED, UNTRUSTED], find };

fn find(context: &Context<'_>, findings: &mut Vec<Finding>) {
    for words in lines(context) {
        let lower = words.line.to_ascii_lowercase();
        let says = |phrases: &[&str]| phrases.iter().any(|phrase| lower.contains(phrase));
        let (condition, what) = if says(&[
            "certificate has expired",
            "certificate expired",
            "cert_has_expired",
            "certificate is not yet valid",
        ]) {
            (&EXPIRED, "meets a certificate that is not valid at this time")
        } else if says(&[
            "signed by unknown authority",
            "unable to get local issuer",
            "self signed certificate",
            "self-signed certificate",
            "certificate verify failed",
            "pkix path building failed",
        ]) {
            (&UNTRUSTED, "meets a certificate that it does not trust")
        } else {
            continue;
        };
        let previous = if words.previous { " --previous" } else { "" };
        let namespace = words.pod.namespace.as_deref().unwrap_or("default");
        context
            .finding(condition, words.pod, Category::Certificate)
            .says(format!("{} {what}: {}", words.owner, line::readable(words.line)))
            .severity(Severity::Critical)
            .log(words.pod, words.container, words.previous, words.line)
            .check(
                "See whose certificate it is",
                format!("kubectl logs -n {namespace} {} -c {}{previous} --tail=100", words.pod.name, words.container),
            )
            .into(findings);
    }
}
