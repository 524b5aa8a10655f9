//! Calls of a Service at a port that it does not have.

use marple_core::{Category, Finding, ObjectRef, ProofSource, Severity};

use super::context::Context;
use super::words::Words;
use super::{Condition, changed, workload};
use crate::scene::{Target, field};

pub(super) const WRONG_PORT: Condition = Condition::cause("dependency-wrong-port", 10);

/// Tells of a call that fails at a port which the Service does not have, and whether it is one. `secret` holds the address
/// where no setting that can be read does; `how` says how the program comes to it.
pub(super) fn find(
    context: &Context<'_>,
    words: &Words<'_>,
    (service, target): (&ObjectRef, &Target),
    secret: Option<&ObjectRef>,
    how: &str,
    findings: &mut Vec<Finding>,
) -> bool {
    let Some((value, port)) = context.scene.get(service).zip(target.port) else { return false };
    let ports = field::items(value, "/spec/ports");
    let headless = field::text(value, "/spec/clusterIP") == Some("None");
    let has = |port: u16| ports.iter().any(|one| field::number(one, "/port") == Some(i64::from(port)));
    if headless || ports.is_empty() || has(port) {
        return false;
    }
    let owner = &words.owner;
    let call = context.graph.call(owner, service);
    let offered = ports.iter().filter_map(|port| field::number(port, "/port")).map(|port| port.to_string());
    let offered = offered.collect::<Vec<_>>();
    let holder = call.map(|call| &call.written_in).or(secret).unwrap_or(owner);
    // Who was right before is not to be corrected.
    let altered = changed::was_altered(context, service, "ports", holder);
    let culprit = if altered { service } else { holder };
    let since = if altered { changed::told(context, "the Service", service, Some("ports")) } else { String::new() };
    let mut draft = words
        .prove(context.finding(&WRONG_PORT, words.pod, Category::Configuration))
        .says(format!(
            "{owner} calls {service} at port {port}, which it does not have; it has {}{how}{since}",
            offered.join(", ")
        ))
        .severity(Severity::Critical)
        .culprit(culprit);
    if let Some(call) = call {
        draft = draft.words(ProofSource::Object(call.written_in.clone()), &call.host);
    }
    if let Some(offered) = offered.first() {
        draft = draft.field(service, "port", offered);
    }
    draft.mend("Correct the port", workload::edit(culprit)).into(findings);
    true
}
