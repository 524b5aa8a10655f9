//! Changes as they are told: the most telling first.

use std::collections::BTreeMap;

use jiff::Timestamp;
use marple_core::{Change, ChangeKind, FieldChange, ObjectRef};

use super::near::{Near, Nearness};
use crate::kubernetes::Clock;
use crate::view::counted;

/// How much is told of what there is much of.
#[derive(Clone, Copy)]
pub(super) struct Detail {
    /// The most fields told of one change.
    fields: usize,
    /// The most fields told of what was made: all that it has is new.
    made: usize,
    /// How often a change of the same fields of an object is told, the latest first: some change all the time.
    same: usize,
    /// Whether namespaces that have nothing to do with the subject are told, and not only counted.
    namespaces: bool,
    /// From how many on what was made in one go, as an installation makes it, is told together.
    together: usize,
}

impl Detail {
    /// All, as it is kept.
    pub(super) const WHOLE: Self =
        Self { fields: usize::MAX, made: usize::MAX, same: usize::MAX, namespaces: true, together: usize::MAX };
    /// What is shown.
    pub(super) const SHOWN: Self = Self { fields: 12, made: 4, same: 3, namespaces: false, together: 4 };
}

/// Changes that differ by time and values alone.
type Same<'a> = (&'a ObjectRef, Vec<&'a str>);

fn same(change: &Change) -> Same<'_> {
    (&change.object, change.fields.iter().map(|field| field.path.as_str()).collect())
}

/// What bears upon what is there already, so that its making may be a cause: it is told by itself.
const BEARING: [&str; 10] = [
    "NetworkPolicy",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "HorizontalPodAutoscaler",
    "ValidatingWebhookConfiguration",
    "MutatingWebhookConfiguration",
    "PriorityClass",
    "StorageClass",
    "Node",
];

/// What was made in one go: in which namespace, or in none, and by whom.
type Batch<'a> = (usize, Option<&'a str>, String);

/// The batch of a change, where it is the making of something beside the subject that bears upon nothing there.
fn batch<'a>(nearness: &Nearness, change: &'a Change) -> Option<Batch<'a>> {
    let beside = matches!(nearness, Nearness::Beside | Nearness::Elsewhere);
    let made = change.kind == ChangeKind::Created && beside && !BEARING.contains(&change.object.kind.as_str());
    made.then(|| (heading(nearness), change.object.namespace.as_deref(), change.by.to_string()))
}

/// What was made together, in one line: how many of which kinds.
fn together((_, namespace, by): &Batch<'_>, changes: &[&Change], clock: Clock) -> String {
    let times = || changes.iter().map(|change| change.at);
    let (first, last) = (times().min().unwrap_or_default(), times().max().unwrap_or_default());
    let place = namespace.map_or_else(|| "without a namespace".to_owned(), |name| format!("in namespace {name}"));
    let kinds = counted(changes.iter().map(|change| change.object.kind.as_str()), 8);
    let by = if by.is_empty() { "an unknown writer" } else { by };
    let count = changes.len();
    format!("  {} ({first:.0} to {last:.0}) {count} objects {place} created by {by}: {kinds}", clock.when(last))
}

/// What is told beside the changes.
pub(super) struct Told<'a> {
    /// Of what.
    pub(super) subject: &'a str,
    /// From then.
    pub(super) since: Timestamp,
    /// Until then.
    pub(super) until: Timestamp,
    /// Whether there are more, before the earliest.
    pub(super) more: bool,
    /// Since when changes are recorded.
    pub(super) recorded_since: Option<Timestamp>,
    /// Why not all that the object hangs together with is known.
    pub(super) unseen: Option<String>,
}

/// The whole report.
pub(super) fn report(changes: &[Change], near: &Near, told: &Told<'_>, clock: Clock, detail: Detail) -> String {
    let mut placed: Vec<(Nearness, &Change)> = changes.iter().map(|change| (near.nearness(change), change)).collect();
    // Within a heading the latest first; what the autoscaler does all the time, last.
    placed.sort_by_key(|(nearness, change)| (heading(nearness), change.by.autoscaler, std::cmp::Reverse(change.at)));
    let mut lines: Vec<String> = clock.legend().into_iter().collect();
    lines.push(format!("recorded changes from {:.0} until {:.0}", told.since, told.until));
    if let Some(since) = told.recorded_since.filter(|since| *since > told.since) {
        lines.push(format!("changes are recorded only since {} ({since:.0})", clock.when(since)));
    }
    if let Some(unseen) = &told.unseen {
        lines.push(format!("not all that {} depends on is known: {unseen}", told.subject));
    }
    let mut under = None;
    let mut times: BTreeMap<Same<'_>, usize> = BTreeMap::new();
    for (_, change) in &placed {
        *times.entry(same(change)).or_default() += 1;
    }
    let mut batches: BTreeMap<Batch<'_>, Vec<&Change>> = BTreeMap::new();
    for (nearness, change) in &placed {
        if let Some(batch) = batch(nearness, change) {
            batches.entry(batch).or_default().push(change);
        }
    }
    let mut told_of: BTreeMap<Same<'_>, usize> = BTreeMap::new();
    let other =
        |nearness: &Nearness, change: &Change| *nearness == Nearness::Elsewhere && change.object.is("Namespace");
    let others = placed.iter().filter(|(nearness, change)| !detail.namespaces && other(nearness, change)).count();
    for (nearness, change) in placed {
        if !detail.namespaces && other(&nearness, change) {
            continue;
        }
        let of_batch = batch(&nearness, change).and_then(|batch| batches.get_key_value(&batch));
        let made_together = of_batch.filter(|(_, changes)| changes.len() >= detail.together);
        // The line stands where the first of them would.
        if made_together.is_some_and(|(_, changes)| changes.first().is_none_or(|first| !std::ptr::eq(*first, change))) {
            continue;
        }
        let nth = told_of.entry(same(change)).or_default();
        *nth += 1;
        if *nth > detail.same {
            continue;
        }
        let heading = heading(&nearness);
        if under != Some(heading) {
            lines.push(HEADINGS.get(heading).map_or_else(String::new, |title| title.replace("{}", told.subject)));
            under = Some(heading);
        }
        if let Some((batch, changes)) = made_together {
            lines.push(together(batch, changes, clock));
            continue;
        }
        one(change, &nearness, clock, detail, &mut lines);
        let more = times.get(&same(change)).copied().unwrap_or_default().saturating_sub(detail.same);
        if *nth == detail.same && more > 0 {
            lines.push(format!("    … {more} earlier changes of the same fields of it are left out …"));
        }
    }
    if others > 0 {
        lines.push(format!("… {others} changes of other namespaces themselves are left out …"));
    }
    if changes.is_empty() {
        lines.push("none: nothing that is recorded changed in this time".to_owned());
    }
    if let Some(earliest) = changes.iter().map(|change| change.at).min().filter(|_| told.more) {
        lines.push(format!("… there are earlier ones: ask again with until {earliest:.0}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

const HEADINGS: [&str; 4] = [
    "of {} itself:",
    "of what {} needs, what leads to it and what limits it:",
    "of others in its namespace:",
    "elsewhere:",
];

const fn heading(nearness: &Nearness) -> usize {
    match nearness {
        Nearness::Itself => 0,
        Nearness::Needed(_) => 1,
        Nearness::Beside => 2,
        Nearness::Elsewhere => 3,
    }
}

/// One change: when, what and by whom, and its fields.
fn one(change: &Change, nearness: &Nearness, clock: Clock, detail: Detail, lines: &mut Vec<String>) {
    let by = match change.by.to_string() {
        by if by.is_empty() && change.kind == ChangeKind::Deleted => {
            " (the API server doesn't tell by whom)".to_owned()
        }
        by if by.is_empty() => " by an unknown writer".to_owned(),
        by => format!(" by {by}"),
    };
    let how = match nearness {
        Nearness::Needed(how) => format!(" [{how}]"),
        _ => String::new(),
    };
    let late = match (change.found_late, change.kind) {
        (false, _) => "",
        (true, ChangeKind::Deleted) => ", at the latest",
        (true, _) => ", found by comparing afterwards",
    };
    lines.push(format!(
        "  {} ({:.0}{late}) {} {}{by}{how}",
        clock.when(change.at),
        change.at,
        change.object,
        change.kind
    ));
    let made = change.kind == ChangeKind::Created;
    let most = if made { detail.made } else { detail.fields };
    if made && detail.made < usize::MAX {
        let with = |field: &FieldChange| format!("{} {}", field.path, field.after.as_deref().unwrap_or_default());
        let with: Vec<String> = change.fields.iter().take(most).map(with).collect();
        let more = change.fields.len().saturating_sub(most);
        let more = if more > 0 { format!("; {more} more fields") } else { String::new() };
        lines.extend((!with.is_empty()).then(|| format!("    with {}{more}", with.join("; "))));
        return;
    }
    lines.extend(change.fields.iter().take(most).map(|field| format!("    {field}")));
    let more =
        u32::try_from(change.fields.len().saturating_sub(most)).unwrap_or(u32::MAX).saturating_add(change.left_out);
    if more > 0 {
        lines.push(format!("    … {more} more fields …"));
    }
}
