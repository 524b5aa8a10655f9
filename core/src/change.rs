//! What was altered in the cluster: when, by whom, and each field before and after.

use std::fmt;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{Fingerprint, Labels, ObjectRef};

/// The longest value that is told, in characters; how much more there was is told with it.
const VALUE: usize = 400;

/// The most fields of one change that are told; how many more there were is told with them.
const FIELDS: usize = 40;

/// What became of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChangeKind {
    /// It was made.
    Created,
    /// Fields of it differ.
    Altered,
    /// It is gone.
    Deleted,
}

impl fmt::Display for ChangeKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Created => "created",
            Self::Altered => "changed",
            Self::Deleted => "deleted",
        })
    }
}

/// One field that differs.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FieldChange {
    /// The field, as `containers[app].image` or `data.timeout`.
    pub path: String,
    /// Its value before; absent where it was not set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<String>,
    /// Its value after; absent where it is no longer set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

impl fmt::Display for FieldChange {
    /// As `data.timeout: 5s → 50ms`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.before, &self.after) {
            (Some(before), Some(after)) => write!(formatter, "{}: {before} → {after}", self.path),
            (None, Some(after)) => write!(formatter, "{}: set to {after}", self.path),
            (Some(before), None) => write!(formatter, "{}: removed, was {before}", self.path),
            (None, None) => formatter.write_str(&self.path),
        }
    }
}

/// Who made a change, as far as the object itself tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Author {
    /// The field manager that wrote it, as `kubectl-edit` or `helm`. The API server tells none of a deletion.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub manager: Option<String>,
    /// `Apply` or `Update`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Whether the horizontal autoscaler did it, as it does all the time.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub autoscaler: bool,
    /// What delivers the object, as `Helm release shop/cart`. A change by another manager is one behind its back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delivered_by: Option<String>,
    /// Why, where somebody noted it (`kubernetes.io/change-cause`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
    /// What the cluster shows of how it came about, as `with its namespace shop` or `with its owner Deployment shop/cart`: of
    /// a deletion, for which the API server notes no writer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circumstance: Option<String>,
}

impl fmt::Display for Author {
    /// As `kubectl-edit (Update; delivered by Helm release shop/cart; because "more memory")`; empty where nothing is known.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let manager = match (&self.manager, self.autoscaler) {
            (_, true) => Some("the horizontal autoscaler"),
            (manager, false) => manager.as_deref(),
        };
        let operation = self.operation.clone().filter(|_| !self.autoscaler);
        let delivered = self.delivered_by.as_ref().map(|by| format!("delivered by {by}"));
        let why = self.why.as_ref().map(|why| format!("because {why:?}"));
        let more =
            [operation, self.circumstance.clone(), delivered, why].into_iter().flatten().collect::<Vec<_>>().join("; ");
        match (manager, more.as_str()) {
            (None, "") => Ok(()),
            (Some(manager), "") => formatter.write_str(manager),
            (None, more) => write!(formatter, "an unnamed writer ({more})"),
            (Some(manager), more) => write!(formatter, "{manager} ({more})"),
        }
    }
}

/// Something that was altered in the cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The cluster's name.
    pub cluster: String,
    /// What was altered.
    pub object: ObjectRef,
    /// The object's uid.
    pub uid: String,
    /// The object's resourceVersion after the change; of a deletion the last one that was seen.
    pub version: String,
    /// When: as the object tells it, else when it was seen.
    pub at: Timestamp,
    /// Whether it was found only by comparing with what was known from before: it may be several changes in one, and a
    /// deletion may have happened earlier than its time says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found_late: bool,
    /// By whom.
    #[serde(default)]
    pub by: Author,
    /// What became of the object.
    pub kind: ChangeKind,
    /// The fields that differ, the most telling first.
    #[serde(default)]
    pub fields: Vec<FieldChange>,
    /// How many more fields differ.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl Change {
    /// What tells it from all others: delivered twice, it is the same change. Values are no part of it, for what is taken
    /// out of them differs from process to process.
    pub fn identity(&self) -> Fingerprint {
        let paths = self.fields.iter().map(|field| field.path.as_str()).collect::<Vec<_>>().join("\n");
        let kind = self.kind.to_string();
        let parts: Labels = [
            ("cluster", self.cluster.as_str()),
            ("uid", &self.uid),
            ("version", &self.version),
            ("kind", &kind),
            ("paths", &paths),
        ]
        .into_iter()
        .collect();
        Fingerprint::of(&parts)
    }

    /// The change as it is kept and told: of long texts the lines that differ, of long values and lists the beginning, each
    /// with how much more there was. Call it once secrets have been taken out: a secret that is cut is not known for one.
    #[must_use]
    pub fn bounded(mut self) -> Self {
        let more = self.fields.len().saturating_sub(FIELDS);
        self.left_out = self.left_out.saturating_add(u32::try_from(more).unwrap_or(u32::MAX));
        self.fields.truncate(FIELDS);
        self.fields = self.fields.into_iter().map(FieldChange::bounded).collect();
        self
    }
}

impl FieldChange {
    /// The name of what has the value at a path: of a variable, a parameter and whatever else has a name and a value that
    /// name, of a key of a `ConfigMap` the key. Whether the value may be a secret is told by it.
    pub fn name_in(path: &str) -> &str {
        let named = path.strip_suffix("].value").and_then(|path| path.rsplit_once('[')).map(|(_, name)| name);
        // One that has no name is told by its place.
        let named = named.filter(|name| !name.bytes().all(|byte| byte.is_ascii_digit()));
        let key = || path.strip_prefix("data.");
        named.or_else(key).unwrap_or_else(|| path.rsplit(['.', '[', ']']).find(|part| !part.is_empty()).unwrap_or(path))
    }

    /// Of two texts of several lines the first line that differs, and values that are not too long.
    #[must_use]
    pub fn bounded(self) -> Self {
        let Self { path, before, after } = match (self.before, self.after) {
            (Some(before), Some(after)) if before.contains('\n') || after.contains('\n') => {
                differing(self.path, &before, &after)
            }
            (before, after) => Self { path: self.path, before, after },
        };
        Self { path, before: before.map(cut), after: after.map(cut) }
    }
}

/// The lines between what both texts begin and end with.
fn differing(path: String, before: &str, after: &str) -> FieldChange {
    let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
    let head = old.iter().zip(&new).take_while(|(one, other)| one == other).count();
    let shortest = old.len().min(new.len()).saturating_sub(head);
    let tail = old.iter().rev().zip(new.iter().rev()).take(shortest).take_while(|(one, other)| one == other).count();
    let middle = |lines: &[&str]| {
        let kept = lines.get(head..lines.len().saturating_sub(tail)).unwrap_or_default();
        (!kept.is_empty()).then(|| kept.iter().map(|line| line.trim_end()).collect::<Vec<_>>().join(" ⏎ "))
    };
    let (before, after) = (middle(&old), middle(&new));
    if before == after {
        // Only white space at an end differs, or what was taken out.
        return FieldChange { path, before: None, after: None };
    }
    FieldChange { path: format!("{path} line {}", head + 1), before, after }
}

fn cut(text: String) -> String {
    let Some((at, _)) = text.char_indices().nth(VALUE) else { return text };
    let (kept, rest) = text.split_at(at);
    format!("{kept}… ({} more characters)", rest.chars().count())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn field(path: &str, before: Option<&str>, after: Option<&str>) -> FieldChange {
        FieldChange { path: path.to_owned(), before: before.map(str::to_owned), after: after.map(str::to_owned) }
    }

    fn change(fields: Vec<FieldChange>) -> Change {
        Change {
            cluster: "test".to_owned(),
            object: ObjectRef::namespaced("ConfigMap", "shop", "settings"),
            uid: "u".to_owned(),
            version: "7".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            found_late: false,
            by: Author::default(),
            kind: ChangeKind::Altered,
            fields,
            left_out: 0,
        }
    }

    #[test]
    fn a_field_is_told_before_and_after() {
        for (before, after, told) in [
            (Some("5s"), Some("50ms"), "data.timeout: 5s → 50ms"),
            (None, Some("50ms"), "data.timeout: set to 50ms"),
            (Some("5s"), None, "data.timeout: removed, was 5s"),
            (None, None, "data.timeout"),
        ] {
            assert_eq!(field("data.timeout", before, after).to_string(), told);
        }
    }

    #[test]
    fn a_value_is_read_under_the_name_that_people_gave_it() {
        for (path, wanted) in [
            ("containers[app].env[DB_PASSWORD].value", "DB_PASSWORD"),
            ("source.helm.parameters[db.password].value", "db.password"),
            ("rules[0].value", "value"),
            ("data.app.yaml", "app.yaml"),
            ("annotations.example.com/token", "com/token"),
            ("subjects[User eve]", "User eve"),
            ("replicas", "replicas"),
        ] {
            assert_eq!(FieldChange::name_in(path), wanted);
        }
    }

    #[test]
    fn of_a_file_the_lines_that_differ_are_told() {
        let bounded = |before: &str, after: &str| field("data.app", Some(before), Some(after)).bounded().to_string();
        assert_eq!(bounded("a = 1\nb = 2\nc = 3\n", "a = 1\nb = 9\nc = 3\n"), "data.app line 2: b = 2 → b = 9");
        assert_eq!(bounded("a\nc\n", "a\nb\nc\n"), "data.app line 2: set to b");
        assert_eq!(bounded("a\nb\nb\n", "a\nb\n"), "data.app line 3: removed, was b");
        assert_eq!(bounded("a\nb\n", "x\ny\n"), "data.app line 1: a ⏎ b → x ⏎ y");
        assert_eq!(bounded("a\nb", "a\nb\n"), "data.app");
        assert_eq!(bounded("one", "one\ntwo"), "data.app line 2: set to two");
    }

    #[test]
    fn what_is_long_is_cut_with_how_much_was_cut() {
        let long = "ä".repeat(VALUE + 3);
        let told = field("data.key", None, Some(&long)).bounded().after.unwrap();
        assert_eq!(told, format!("{}… (3 more characters)", "ä".repeat(VALUE)));
        let fields = (0..FIELDS + 2).map(|at| field(&format!("f{at}"), None, Some("1"))).collect();
        let bounded = change(fields).bounded();
        assert_eq!((bounded.fields.len(), bounded.left_out), (FIELDS, 2));
    }

    #[test]
    fn a_change_is_the_same_whatever_was_taken_out_of_its_values() {
        let one = change(vec![field("data.key", Some("[secret 1]"), Some("[secret 2]"))]);
        let other = change(vec![field("data.key", Some("[secret 3]"), Some("[secret 4]"))]);
        assert_eq!(one.identity(), other.identity());
        assert_ne!(one.identity(), change(vec![field("data.other", None, Some("1"))]).identity());
        assert_ne!(one.identity(), Change { version: "8".to_owned(), ..one.clone() }.identity());
        assert_ne!(one.identity(), Change { kind: ChangeKind::Deleted, ..one.clone() }.identity());
    }

    #[test]
    fn an_author_is_told_by_what_is_known() {
        let manager = |name: &str| Some(name.to_owned());
        for (author, told) in [
            (Author::default(), ""),
            (Author { manager: manager("helm"), ..Author::default() }, "helm"),
            (
                Author { manager: manager("kube-controller-manager"), autoscaler: true, ..Author::default() },
                "the horizontal autoscaler",
            ),
            (
                Author {
                    manager: manager("kubectl-edit"),
                    operation: Some("Update".to_owned()),
                    delivered_by: Some("Helm release shop/cart".to_owned()),
                    why: Some("more memory".to_owned()),
                    ..Author::default()
                },
                "kubectl-edit (Update; delivered by Helm release shop/cart; because \"more memory\")",
            ),
            (
                Author { circumstance: manager("with its namespace shop"), ..Author::default() },
                "an unnamed writer (with its namespace shop)",
            ),
        ] {
            assert_eq!(author.to_string(), told);
        }
    }
}
