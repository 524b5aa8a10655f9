//! What was recorded of changes, put in the place of what can only be guessed from the objects.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use marple_core::{Change as Recorded, ChangeKind, ObjectRef};

use super::rollout::{Change, GONE, Rollout};
use super::{Scene, rights};
use crate::history::{Window, made_again};

/// How long before the incident changes are read: older ones have nothing to do with it.
const BEFORE: SignedDuration = SignedDuration::from_hours(24);

/// The most changes that are read.
const MOST: usize = 2_000;

/// A controller makes a revision of a change within seconds; what the objects tell of a later time was not recorded.
const SAME: SignedDuration = SignedDuration::from_mins(1);

/// What is changed so long after the start of an incident did not cause it: clocks differ, and an alert's start is that of
/// its rule's window.
const AFTER: SignedDuration = SignedDuration::from_mins(5);

/// Of changes this near to each other the one that weighs most is told; of others the latest.
const TOGETHER: SignedDuration = SignedDuration::from_hours(2);

/// Fields of a workload that are not its pods', so that no revision is made of them.
const OF_WORKLOAD: [&str; 10] = [
    "replicas",
    "labels.",
    "strategy.",
    "updateStrategy.",
    "minReadySeconds",
    "paused",
    "progressDeadlineSeconds",
    "volumeClaimTemplates",
    "selector.",
    "metadata.uid",
];

/// How much a change may have brought about, the most first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    /// Other pods.
    Pods,
    /// Something else that is wanted.
    Wanted,
    /// Marks on the object.
    Marks,
}

impl Scene {
    /// The changes that may have to do with an incident which began then.
    pub fn window(&self, began: Timestamp, now: Timestamp) -> Window {
        let objects = self.objects.keys().chain(&self.missing).chain(&self.subjects);
        Window {
            namespaces: objects.filter_map(|object| object.namespace.clone()).collect(),
            since: began.checked_sub(BEFORE).unwrap_or(began),
            until: now,
            limit: MOST,
        }
    }

    /// Takes recorded changes of what is in the scene into account: fields before and after, and by whom. Of each object one
    /// is told, for an incident that began then: the latest before it, where there is one, for what was changed later may
    /// have been to mend it.
    ///
    /// What the autoscaler does, which it does all the time, is left out; of a Secret only a deletion is told, for its
    /// values were never read.
    pub fn learn(&mut self, recorded: Vec<Recorded>, began: Timestamp) {
        let refused = rights::refused(self);
        let mut changes: BTreeMap<ObjectRef, Vec<Recorded>> = BTreeMap::new();
        for change in made_again(recorded).into_iter().filter(|change| !change.by.autoscaler) {
            // Nothing names a binding: that one is missing is known by its deletion alone.
            if rights::took(&change, &refused) && !self.objects.contains_key(&change.object) {
                self.missing.insert(change.object.clone());
            }
            let here = match change.kind {
                ChangeKind::Altered => self.objects.contains_key(&change.object) && !change.object.is("Secret"),
                ChangeKind::Deleted => self.missing.contains(&change.object),
                ChangeKind::Created => false,
            };
            if here {
                changes.entry(change.object.clone()).or_default().push(change);
            }
        }
        for (object, changes) in changes {
            let Some(change) = telling(changes, began) else { continue };
            let guessed = self.rollouts.get(&object);
            let before = guessed.filter(|guessed| !is_after(guessed.at, began) || is_after(change.at, began));
            if before.is_some_and(|guessed| guessed.at.duration_since(change.at) > SAME) {
                continue;
            }
            // A controller numbers what it makes of a template.
            let numbered = guessed.filter(|guessed| {
                weight(&change) == Weight::Pods
                    && guessed.revision.starts_with("revision ")
                    && guessed.at.duration_since(change.at).abs() <= SAME
            });
            let rollout = rollout(change, numbered.map(|guessed| guessed.revision.clone()));
            self.rollouts.insert(object, rollout);
        }
    }
}

/// Whether something was too late to have brought about what began then.
fn is_after(at: Timestamp, began: Timestamp) -> bool {
    at.duration_since(began) > AFTER
}

/// The change of one object to tell: the latest before the incident, or one shortly before that which weighs more.
fn telling(mut changes: Vec<Recorded>, began: Timestamp) -> Option<Recorded> {
    if changes.iter().any(|change| !is_after(change.at, began)) {
        changes.retain(|change| !is_after(change.at, began));
    }
    let latest = changes.iter().map(|change| change.at).max()?;
    changes.retain(|change| latest.duration_since(change.at) <= TOGETHER);
    changes.into_iter().max_by_key(|change| (std::cmp::Reverse(weight(change)), change.at))
}

/// Whether a change of a workload's field makes other pods.
pub(crate) fn is_of_pods(field: &str) -> bool {
    !OF_WORKLOAD.iter().any(|own| {
        if own.ends_with('.') {
            field.starts_with(own)
        } else {
            field == *own || field.strip_prefix(own).is_some_and(|rest| rest.starts_with('['))
        }
    })
}

fn weight(change: &Recorded) -> Weight {
    let workload = ["Deployment", "StatefulSet", "DaemonSet"].contains(&change.object.kind.as_str());
    let mark = |path: &str| path.starts_with("labels.") || path.starts_with("annotations.");
    let mut fields = change.fields.iter().map(|field| field.path.as_str());
    if workload && fields.clone().any(is_of_pods) {
        Weight::Pods
    } else if fields.all(mark) && change.kind == ChangeKind::Altered {
        Weight::Marks
    } else {
        Weight::Wanted
    }
}

fn rollout(change: Recorded, numbered: Option<String>) -> Rollout {
    let by = change.by.to_string();
    let by = Some(by).filter(|by| !by.is_empty());
    let kind = change.kind;
    let changes = change.fields.into_iter().filter(|_| kind == ChangeKind::Altered);
    let changes = changes.map(|field| Change { field: field.path, from: field.before, to: field.after }).collect();
    let revision = match (kind, numbered) {
        (ChangeKind::Deleted, _) => GONE.to_owned(),
        (_, Some(revision)) => revision,
        (_, None) => "recorded as it was changed".to_owned(),
    };
    Rollout { at: change.at, revision, by, writer: change.by.manager, changes }
}

#[cfg(test)]
mod tests {
    use marple_core::{Author, FieldChange};
    use serde_json::{Value, json};

    use super::*;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + 60 * minute).unwrap()
    }

    fn change(object: &ObjectRef, minute: i64, kind: ChangeKind, fields: &[(&str, &str, &str)]) -> Recorded {
        Recorded {
            cluster: "test".to_owned(),
            object: object.clone(),
            uid: "u".to_owned(),
            version: minute.to_string(),
            at: at(minute),
            found_late: false,
            by: Author { manager: Some("kubectl-edit".to_owned()), ..Author::default() },
            kind,
            fields: fields
                .iter()
                .map(|(path, before, after)| FieldChange {
                    path: (*path).to_owned(),
                    before: Some((*before).to_owned()),
                    after: Some((*after).to_owned()),
                })
                .collect(),
            left_out: 0,
        }
    }

    fn deployment() -> (ObjectRef, Value) {
        let object = ObjectRef::namespaced("Deployment", "shop", "cart");
        (object, json!({"kind": "Deployment", "metadata": {"namespace": "shop", "name": "cart"}}))
    }

    fn learned(values: Vec<Value>, missing: &[&ObjectRef], recorded: Vec<Recorded>) -> Scene {
        let mut scene = Scene::of(values, &[], Vec::new(), at(0));
        scene.missing = missing.iter().map(|object| (*object).clone()).collect();
        scene.learn(recorded, at(0));
        scene
    }

    #[test]
    fn a_recorded_change_tells_before_after_and_by_whom() {
        let map = ObjectRef::namespaced("ConfigMap", "shop", "settings");
        let value = json!({"kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings"}, "data": {"timeout": "50ms"}});
        let scene =
            learned(vec![value], &[], vec![change(&map, -5, ChangeKind::Altered, &[("data.timeout", "5s", "50ms")])]);
        let rollout = scene.rollouts.get(&map).unwrap();
        assert_eq!(
            rollout.to_string(),
            format!("{} recorded as it was changed by kubectl-edit\ndata.timeout: 5s -> 50ms", at(-5))
        );
    }

    #[test]
    fn of_several_changes_the_one_that_made_other_pods_is_told_and_no_mark_hides_it() {
        let (object, value) = deployment();
        let image = change(&object, -20, ChangeKind::Altered, &[("containers[app].image", "a:1", "a:2")]);
        let older = change(&object, -40, ChangeKind::Altered, &[("containers[app].image", "a:0", "a:1")]);
        let replicas = change(&object, -10, ChangeKind::Altered, &[("replicas", "3", "1")]);
        let mark = change(&object, -5, ChangeKind::Altered, &[("labels.team", "a", "b")]);
        let told = |recorded: Vec<Recorded>| {
            let scene = learned(vec![value.clone()], &[], recorded);
            scene
                .rollouts
                .get(&object)
                .map(|rollout| rollout.changes.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        assert_eq!(
            told(vec![mark.clone(), replicas.clone(), image, older]),
            Some(vec!["containers[app].image: a:1 -> a:2".to_owned()])
        );
        assert_eq!(told(vec![mark, replicas]), Some(vec!["replicas: 3 -> 1".to_owned()]));
    }

    #[test]
    fn what_was_changed_to_mend_it_does_not_hide_what_was_changed_before() {
        let (object, value) = deployment();
        let cause = change(&object, -5, ChangeKind::Altered, &[("containers[app].image", "a:1", "a:2")]);
        let mending = change(&object, 10, ChangeKind::Altered, &[("containers[app].image", "a:2", "a:1")]);
        let old = change(&object, -300, ChangeKind::Altered, &[("containers[app].image", "a:0", "a:1")]);
        let scaled = change(&object, -6, ChangeKind::Altered, &[("replicas", "3", "0")]);
        let told = |recorded: Vec<Recorded>| {
            learned(vec![value.clone()], &[], recorded).rollouts.get(&object).map(|rollout| rollout.at)
        };
        assert_eq!(told(vec![mending.clone(), cause]), Some(at(-5)));
        assert_eq!(told(vec![mending]), Some(at(10)));
        assert_eq!(told(vec![scaled, old]), Some(at(-6)), "what is long ago weighs nothing");
    }

    #[test]
    fn the_autoscalers_doing_and_what_is_not_in_the_scene_are_left_out() {
        let (object, value) = deployment();
        let mut scaled = change(&object, -5, ChangeKind::Altered, &[("replicas", "3", "5")]);
        scaled.by.autoscaler = true;
        let other = ObjectRef::namespaced("ConfigMap", "shop", "other");
        let elsewhere = change(&other, -5, ChangeKind::Altered, &[("data.a", "1", "2")]);
        assert_eq!(learned(vec![value], &[], vec![scaled, elsewhere]).rollouts, BTreeMap::new());
    }

    #[test]
    fn a_deletion_is_told_of_what_is_missing() {
        let map = ObjectRef::namespaced("ConfigMap", "shop", "settings");
        let recorded = vec![change(&map, -5, ChangeKind::Deleted, &[("data.timeout", "5s", "")])];
        let scene = learned(vec![], &[&map], recorded.clone());
        let rollout = scene.rollouts.get(&map).unwrap();
        assert_eq!((rollout.revision.as_str(), rollout.changes.len()), (GONE, 0));
        assert_eq!(learned(vec![], &[], recorded).rollouts, BTreeMap::new());
    }

    #[test]
    fn what_the_objects_tell_of_a_later_time_stands() {
        let map = ObjectRef::namespaced("ConfigMap", "shop", "settings");
        let value = json!({"kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings", "creationTimestamp": at(-900),
            "managedFields": [{"manager": "helm", "time": at(-2), "fieldsV1": {"f:data": {"f:timeout": {}}}}]}, "data": {"timeout": "1s"}});
        let scene =
            learned(vec![value], &[], vec![change(&map, -30, ChangeKind::Altered, &[("data.timeout", "5s", "50ms")])]);
        assert_eq!(scene.rollouts.get(&map).unwrap().at, at(-2));
    }

    #[test]
    fn fields_of_pods_are_told_from_those_of_their_workload() {
        for (field, of_pods) in [
            ("containers[app].image", true),
            ("template.annotations.kubectl.kubernetes.io/restartedAt", true),
            ("nodeSelector.zone", true),
            ("replicas", false),
            ("labels.team", false),
            ("strategy.type", false),
            ("volumeClaimTemplates[data].resources.requests.storage", false),
        ] {
            assert_eq!(is_of_pods(field), of_pods, "{field}");
        }
    }
}
