//! Objects that were deleted and made again: what differs between the two is the change that somebody wanted.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use marple_core::{Change, ChangeKind, FieldChange};

/// How soon an object is made again by whoever deleted it for that, as `kubectl replace --force` does.
const SOON: SignedDuration = SignedDuration::from_mins(10);

/// Times of creation are in whole seconds.
const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// The changes with each deletion and the making of the same object soon after it as one, with the fields that differ.
/// What was made again as it was stays two.
pub(crate) fn made_again(mut changes: Vec<Change>) -> Vec<Change> {
    let mut at = 0;
    while let Some(made) = changes.get(at) {
        let gone = changes.iter().enumerate().filter(|(_, gone)| precedes(gone, made));
        let gone = gone.max_by_key(|(_, gone)| gone.at).map(|(place, gone)| (place, altered(gone, made)));
        if let Some((place, Some(change))) = gone {
            if let Some(made) = changes.get_mut(at) {
                *made = change;
            }
            changes.remove(place);
            at -= usize::from(place < at);
        }
        at += 1;
    }
    changes
}

fn precedes(gone: &Change, made: &Change) -> bool {
    let later = made.at.duration_since(gone.at);
    gone.kind == ChangeKind::Deleted
        && made.kind == ChangeKind::Created
        && gone.object == made.object
        && (-SECOND..=SOON).contains(&later)
}

/// The making as a change of what was deleted; nothing where both were the same.
fn altered(gone: &Change, made: &Change) -> Option<Change> {
    let before: BTreeMap<&str, &FieldChange> = gone.fields.iter().map(|field| (field.path.as_str(), field)).collect();
    let whole = gone.left_out == 0 && made.left_out == 0;
    let mut fields = Vec::new();
    for field in &made.fields {
        let was = before.get(field.path.as_str()).and_then(|was| was.before.clone());
        if was != field.after && (whole || was.is_some()) {
            fields.push(FieldChange { before: was, ..field.clone() });
        }
    }
    let after = |path: &str| made.fields.iter().any(|field| field.path == path);
    let dropped = gone.fields.iter().filter(|field| whole && !after(&field.path));
    fields.extend(dropped.map(|field| FieldChange { after: None, ..field.clone() }));
    if fields.is_empty() {
        return None;
    }
    let uid = |change: &Change| Some(change.uid.clone());
    fields.push(FieldChange { path: "metadata.uid".to_owned(), before: uid(gone), after: uid(made) });
    Some(Change { kind: ChangeKind::Altered, fields, left_out: gone.left_out.max(made.left_out), ..made.clone() })
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use marple_core::{Author, ObjectRef};

    use super::*;

    fn change(name: &str, seconds: i64, kind: ChangeKind, fields: &[(&str, &str)]) -> Change {
        let value = |value: &str| Some(value.to_owned());
        let field = |(path, text): &(&str, &str)| {
            let (before, after) = if kind == ChangeKind::Deleted { (value(text), None) } else { (None, value(text)) };
            FieldChange { path: (*path).to_owned(), before, after }
        };
        Change {
            cluster: "test".to_owned(),
            object: ObjectRef::namespaced("Deployment", "payments", name),
            uid: format!("{name}-{seconds}"),
            version: "1".to_owned(),
            at: Timestamp::from_second(1_800_000_000 + seconds).unwrap(),
            found_late: false,
            by: Author::default(),
            kind,
            fields: fields.iter().map(field).collect(),
            left_out: 0,
        }
    }

    #[test]
    fn what_differs_between_the_deleted_and_the_new_is_one_change() {
        let gone =
            change("ledger", 0, ChangeKind::Deleted, &[("env[POOL]", "40"), ("image", "a:1"), ("paused", "true")]);
        let made = change("ledger", 1, ChangeKind::Created, &[("env[POOL]", "4"), ("image", "a:1"), ("env[NEW]", "x")]);
        let other = change("cart", 0, ChangeKind::Deleted, &[("env[POOL]", "40")]);
        let told = made_again(vec![made, gone, other.clone()]);
        let fields: Vec<_> = told[0].fields.iter().map(ToString::to_string).collect();
        assert_eq!(
            fields,
            [
                "env[POOL]: 40 → 4",
                "env[NEW]: set to x",
                "paused: removed, was true",
                "metadata.uid: ledger-0 → ledger-1"
            ]
        );
        assert_eq!((told[0].kind, told.len()), (ChangeKind::Altered, 2));
        assert_eq!(told[1], other);
    }

    #[test]
    fn what_is_made_as_it_was_or_long_after_stays_two() {
        let gone = change("ledger", 0, ChangeKind::Deleted, &[("image", "a:1")]);
        let same = vec![gone.clone(), change("ledger", 1, ChangeKind::Created, &[("image", "a:1")])];
        assert_eq!(made_again(same.clone()), same);
        let late = vec![gone, change("ledger", 1_000, ChangeKind::Created, &[("image", "a:2")])];
        assert_eq!(made_again(late.clone()), late);
    }

    #[test]
    fn fields_that_were_left_out_are_not_told_as_new() {
        let mut gone = change("ledger", 0, ChangeKind::Deleted, &[("image", "a:1")]);
        gone.left_out = 3;
        let made = change("ledger", 0, ChangeKind::Created, &[("image", "a:2"), ("replicas", "3")]);
        let paths = |changes: &[Change]| changes[0].fields.iter().map(|field| field.path.clone()).collect::<Vec<_>>();
        assert_eq!(paths(&made_again(vec![gone, made])), ["image", "metadata.uid"]);
    }
}
