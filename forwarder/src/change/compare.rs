//! Two states of an object made into what changed.

use jiff::Timestamp;
use kube::api::DynamicObject;
use marple_core::{Author, Change, ChangeKind, FieldChange};

use super::author::Writers;
use super::delivered::delivered_by;
use super::state::{Field, State};

/// The fields that are told of an object that came or went whole.
const OF_WHOLE: usize = 12;

/// The words of a path by which it tells more than others, the most telling first.
const TELLING: [&str; 14] = [
    "image",
    "data.",
    "revision",
    "replicas",
    "selector",
    "resources",
    "env",
    "command",
    "args",
    "Probe",
    "ports",
    "rules",
    "hard",
    "volumes",
];

/// How an object is now, as far as changes are told of it.
pub(super) struct Seen<'a> {
    /// What is known of it.
    pub(super) state: &'a State,
    /// The object, for who wrote what.
    pub(super) object: &'a DynamicObject,
}

/// The circumstances of a comparison.
#[derive(Clone, Copy)]
pub(super) struct When<'a> {
    /// The cluster's name.
    pub(super) cluster: &'a str,
    /// Whether it was not seen as it happened.
    pub(super) late: bool,
    /// The present.
    pub(super) now: Timestamp,
}

/// What differs between two states of an object, a change for each writer.
pub(super) fn altered(before: &State, after: &Seen<'_>, when: When<'_>) -> Vec<Change> {
    let mut fields = differences(&before.fields, &after.state.fields);
    let again = before.uid != after.state.uid;
    if again {
        let told = |state: &State| Some(state.uid.to_string());
        fields.push(FieldChange { path: "metadata.uid".to_owned(), before: told(before), after: told(after.state) });
    }
    let writers = Writers::of(&after.object.metadata);
    let since = before.written.filter(|_| !again);
    let why = after.state.why.clone().filter(|why| before.why.as_ref() != Some(why));
    let mut changes: Vec<Change> = Vec::new();
    for field in fields {
        let writer = writers.of_field(&field.path, since, when.now);
        let by = Author {
            delivered_by: delivered_by(&after.object.metadata),
            why: why.as_deref().map(str::to_owned),
            ..writer.map(|writer| writer.author()).unwrap_or_default()
        };
        let at = writer.map_or(when.now, |writer| writer.at);
        if let Some(known) = changes.iter_mut().find(|change| change.by == by && change.at == at) {
            known.fields.push(field);
        } else {
            let fields = vec![field];
            changes.push(Change { at, by, fields, ..change(after.state, ChangeKind::Altered, when) });
        }
    }
    for change in &mut changes {
        change.fields.sort_by_key(|field| rank(&field.path));
    }
    changes
}

/// An object that was not there; `how` tells of its making by the time that it was made. Of a revision, `before` is the one
/// before it.
pub(super) fn created(
    after: &Seen<'_>,
    before: Option<&State>,
    how: impl Fn(Timestamp) -> Option<String>,
    when: When<'_>,
) -> Change {
    let writer = Writers::of(&after.object.metadata).first();
    let made = after.object.metadata.creation_timestamp.as_ref().map_or(when.now, |time| time.0);
    let by = Author {
        circumstance: how(made),
        delivered_by: delivered_by(&after.object.metadata),
        why: after.state.why.as_deref().map(str::to_owned),
        ..writer.map(|writer| writer.author()).unwrap_or_default()
    };
    let fields = differences(before.map_or(&[], |before| &before.fields), &after.state.fields);
    // The coming of a revision is a change of what has revisions.
    let kind = if after.state.told_of.is_some() { ChangeKind::Altered } else { ChangeKind::Created };
    let (fields, left_out) = of_whole(fields);
    Change { at: made, by, fields, left_out, ..change(after.state, kind, when) }
}

/// An object that is gone; `how` tells what went with it by the time that it went. That an old revision is dropped is no
/// change.
pub(super) fn deleted(
    before: &State,
    last: Option<&DynamicObject>,
    how: impl Fn(Timestamp) -> Option<String>,
    when: When<'_>,
) -> Option<Change> {
    if before.told_of.is_some() {
        return None;
    }
    let metadata = last.map(|object| &object.metadata);
    let at = metadata.and_then(|metadata| metadata.deletion_timestamp.as_ref()).map_or(when.now, |time| time.0);
    // A grace period ends later than it was asked for.
    let at = at.min(when.now);
    let by = Author { delivered_by: metadata.and_then(delivered_by), circumstance: how(at), ..Author::default() };
    let (fields, left_out) = of_whole(differences(&before.fields, &[]));
    Some(Change { at, by, fields, left_out, ..change(before, ChangeKind::Deleted, when) })
}

fn change(state: &State, kind: ChangeKind, when: When<'_>) -> Change {
    Change {
        cluster: when.cluster.to_owned(),
        object: state.told_of().clone(),
        uid: state.uid.to_string(),
        version: state.version.to_string(),
        at: when.now,
        found_late: when.late,
        by: Author::default(),
        kind,
        fields: Vec::new(),
        left_out: 0,
    }
}

/// The fields of an object that came or went: the most telling.
fn of_whole(mut fields: Vec<FieldChange>) -> (Vec<FieldChange>, u32) {
    fields.sort_by_key(|field| rank(&field.path));
    let left_out = u32::try_from(fields.len().saturating_sub(OF_WHOLE)).unwrap_or(u32::MAX);
    fields.truncate(OF_WHOLE);
    (fields, left_out)
}

/// The fields that differ, in the order of their paths; both sides are in it.
fn differences(before: &[Field], after: &[Field]) -> Vec<FieldChange> {
    let told = |field: &Field| Some(field.text.to_string());
    let mut found = Vec::new();
    let (mut old, mut new) = (before.iter().peekable(), after.iter().peekable());
    loop {
        let order = match (old.peek(), new.peek()) {
            (None, None) => return found,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(one), Some(other)) => one.path.cmp(&other.path),
        };
        let gone = if order.is_le() { old.next() } else { None };
        let come = if order.is_ge() { new.next() } else { None };
        match (gone, come) {
            (Some(one), Some(other)) if one.digest == other.digest => {}
            (Some(one), Some(other)) => {
                let path = other.path.to_string();
                found.push(FieldChange { path, before: told(one), after: told(other) });
            }
            (one, other) => {
                let path = one.or(other).map(|field| field.path.to_string()).unwrap_or_default();
                found.push(FieldChange { path, before: one.and_then(told), after: other.and_then(told) });
            }
        }
    }
}

/// How telling a field is; less is more.
fn rank(path: &str) -> usize {
    TELLING.iter().position(|word| path.contains(word)).unwrap_or(TELLING.len())
}
