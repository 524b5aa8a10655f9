//! Traces, as people and models read them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::tree::{self, Tree};
use super::{Hit, Trace, time};

/// Steps of a path, services and failures that are told of one trace.
const STEPS: usize = 25;
const SERVICES: usize = 8;
const FAILURES: usize = 10;

/// One trace: where its time went, and what failed.
pub(super) fn of_trace(trace: &Trace) -> String {
    let tree = Tree::of(trace);
    let (spans, failed) = tree.counts();
    let Some((start, end)) = tree::extent(trace) else { return format!("trace {} has no spans\n", trace.id) };
    let took = Duration::try_from(end.duration_since(start)).unwrap_or_default();
    let services = tree.by_service();
    let mut text = format!(
        "trace {}: {} from {start:.3}, {spans} spans of {} services, {failed} failed\n",
        trace.id,
        time::told(took),
        services.len()
    );
    text += &own_times(&services);
    text += "the longest way down:\n";
    let path = tree.path();
    for (depth, step) in path.iter().take(STEPS).enumerate() {
        let failure = step.span.failure.as_ref().map(|why| format!(" FAILED {why}")).unwrap_or_default();
        let (took, own) = (time::told(step.span.duration), time::told(step.own));
        let line = format!("{} {} {took}, own {own}{failure}", step.span.service, step.span.name);
        let _ = writeln!(text, "{:indent$}{}", "", line.trim_end(), indent = depth + 1);
    }
    if path.len() > STEPS {
        let _ = writeln!(text, " … {} more steps down …", path.len() - STEPS);
    }
    let failures = tree.failures();
    if !failures.is_empty() {
        text += "failed on its own, the earliest first:\n";
    }
    for span in failures.iter().take(FAILURES) {
        let after = Duration::try_from(span.start.duration_since(start)).unwrap_or_default();
        let why = span.failure.as_deref().filter(|why| !why.is_empty()).unwrap_or("no reason told");
        let (took, after) = (time::told(span.duration), time::told(after));
        let _ = writeln!(text, " {} {} after {after}, took {took}: {why}", span.service, span.name);
    }
    if failures.len() > FAILURES {
        let _ = writeln!(text, " … {} more failures …", failures.len() - FAILURES);
    }
    text
}

fn own_times(services: &[(&str, Duration)]) -> String {
    let all: Duration = services.iter().map(|(_, own)| *own).sum();
    let each: Vec<String> = services
        .iter()
        .take(SERVICES)
        .map(|(service, own)| {
            let percent = if all.is_zero() { 0.0 } else { own.as_secs_f64() * 100.0 / all.as_secs_f64() };
            format!("{service} {} ({percent:.0}%)", time::told(*own))
        })
        .collect();
    let more = services.len().saturating_sub(SERVICES);
    let more = if more == 0 { String::new() } else { format!(" and {more} more services") };
    format!("own time: {}{more}\n", each.join(", "))
}

/// Several traces: a line each, and where the time of those that are known whole went together.
pub(super) fn of_hits(hits: &[Hit]) -> String {
    let mut text = String::new();
    let mut together: BTreeMap<&str, Duration> = BTreeMap::new();
    for hit in hits {
        let at = hit.start.to_zoned(TimeZone::UTC).strftime("%m-%dT%H:%M:%S%.3f");
        let _ = write!(text, "{at} {} {} trace {}", time::told(hit.duration), hit.root, hit.id);
        if let Some(trace) = &hit.trace {
            let tree = Tree::of(trace);
            let (spans, failed) = tree.counts();
            let services = tree.by_service();
            for (service, own) in &services {
                *together.entry(service).or_default() += *own;
            }
            let most = services.first().map(|(service, own)| format!(", most own time {service} {}", time::told(*own)));
            let _ = write!(text, ": {spans} spans, {failed} failed{}", most.unwrap_or_default());
            if let Some(first) = tree.failures().first() {
                let why = first.failure.as_deref().unwrap_or_default();
                let _ = write!(text, ", first {} {} {why}", first.service, first.name);
            }
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    let known = hits.iter().filter(|hit| hit.trace.is_some()).count();
    if known > 1 {
        let mut services: Vec<(&str, Duration)> = together.into_iter().collect();
        services.sort_by_key(|(_, own)| std::cmp::Reverse(*own));
        let _ = write!(text, "of {known} traces together, {}", own_times(&services));
    }
    text
}
