//! Where a program has an address from: the setting that holds it, when that was changed, and whether the program began
//! before or after.

use jiff::Timestamp;
use marple_core::ObjectRef;
use serde_json::Value;

use super::changed;
use super::context::Context;
use super::words::Words;
use crate::scene::{Call, MADE, field};

/// How a program that called comes to the address, in words; nothing where that is not known.
pub(super) fn told(
    context: &Context<'_>,
    words: &Words<'_>,
    call: Option<&Call>,
    secret: Option<&ObjectRef>,
) -> String {
    let (how, holder) = match (call, secret) {
        (Some(call), _) => (call.how.clone(), &call.written_in),
        (None, Some(secret)) => (format!("it may have that from {secret}, the only Secret among its settings"), secret),
        (None, None) => return String::new(),
    };
    let changed = change(context, words, holder, call.map(|call| call.host.as_str())).unwrap_or_default();
    format!(" ({how}{changed})")
}

/// When what holds the address was changed, where that was lately: `; ConfigMap shop/settings was changed by kubectl-edit at
/// 11:46 UTC: data.URL: a -> b; container app began after that`.
fn change(context: &Context<'_>, words: &Words<'_>, holder: &ObjectRef, host: Option<&str>) -> Option<String> {
    let rollout = context.scene.rollouts.get(holder).filter(|it| it.revision != MADE)?;
    if !context.within(rollout.at, changed::LATELY) {
        return None;
    }
    let names = |text: &Option<String>| text.as_deref().zip(host).is_some_and(|(text, host)| text.contains(host));
    let of_host = rollout.changes.iter().find(|change| names(&change.to));
    // A workload has much that may be changed; of configuration it tells that it was at all.
    if of_host.is_none() && !holder.is("ConfigMap") && !holder.is("Secret") {
        return None;
    }
    let by = rollout.writer.as_ref().map(|writer| format!(" by {writer}")).unwrap_or_default();
    let what = of_host.map(|change| format!(": {change}")).unwrap_or_default();
    let order = began(context, words).map(|began| {
        let order = if began > rollout.at { "after" } else { "before" };
        format!("; container {} began {order} that", words.container)
    });
    Some(format!("; {holder} was changed{by} at {}{what}{}", context.clock(rollout.at), order.unwrap_or_default()))
}

/// When the run began that said it.
fn began(context: &Context<'_>, words: &Words<'_>) -> Option<Timestamp> {
    let pod = context.scene.get(words.pod)?;
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    let mut statuses = statuses.into_iter().flat_map(|list| field::items(pod, list));
    let status: &Value = statuses.find(|status| field::text(status, "/name") == Some(words.container))?;
    let of: &[&str] = if words.previous {
        &["/lastState/terminated/startedAt"]
    } else {
        &["/state/running/startedAt", "/state/terminated/startedAt"]
    };
    of.iter().find_map(|path| field::time(status, path))
}
