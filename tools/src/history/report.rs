//! Changes as they are told: the most telling first.

use std::collections::BTreeMap;

use jiff::Timestamp;
use marple_core::{Change, ChangeKind, FieldChange, ObjectRef};

use super::near::{Near, Nearness};
use crate::kubernetes::Clock;

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
}

impl Detail {
    /// All, as it is kept.
    pub(super) const WHOLE: Self = Self { fields: usize::MAX, made: usize::MAX, same: usize::MAX, namespaces: true };
    /// What is shown.
    pub(super) const SHOWN: Self = Self { fields: 12, made: 4, same: 3, namespaces: false };
}

/// Changes that differ by time and values alone.
type Same<'a> = (&'a ObjectRef, Vec<&'a str>);

fn same(change: &Change) -> Same<'_> {
    (&change.object, change.fields.iter().map(|field| field.path.as_str()).collect())
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
    let mut told_of: BTreeMap<Same<'_>, usize> = BTreeMap::new();
    let other =
        |nearness: &Nearness, change: &Change| *nearness == Nearness::Elsewhere && change.object.is("Namespace");
    let others = placed.iter().filter(|(nearness, change)| !detail.namespaces && other(nearness, change)).count();
    for (nearness, change) in placed {
        if !detail.namespaces && other(&nearness, change) {
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
