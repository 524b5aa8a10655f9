#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;

use marple_core::{Change, ChangeKind};
use serde_json::{Value, json};

use super::*;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn family(kind: &str) -> Arc<Family> {
    Family::named(kind).unwrap()
}

/// A ConfigMap that was made at that second, written by `helm` then and by `kubectl-edit` at that other one.
fn map(name: &str, uid: &str, made: i64, written: i64, value: &str) -> DynamicObject {
    let fields = json!({"f:data": {"f:key": {}}});
    serde_json::from_value(json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"key": value},
            "metadata": {"name": name, "namespace": "shop", "uid": uid, "resourceVersion": written.to_string(),
                "creationTimestamp": at(made), "managedFields": [
                    {"manager": "helm", "operation": "Update", "time": at(made), "fieldsV1": fields},
                    {"manager": "kubectl-edit", "operation": "Update", "time": at(written), "fieldsV1": fields}]}}))
    .unwrap()
}

/// A process that watches `ConfigMap`s, with what is kept of what it told.
struct Process {
    history: History,
    kept: BTreeMap<String, State>,
    listed_at: Option<Timestamp>,
    reached: Vec<Reached>,
}

impl Process {
    fn first() -> Self {
        Self {
            history: History::new("test", &ForwarderConfig::default()),
            kept: BTreeMap::new(),
            listed_at: None,
            reached: vec![],
        }
    }

    /// Another process after this one, which knows what was kept.
    fn next(self) -> Self {
        let mut history = History::new("test", &ForwarderConfig::default());
        let states =
            serde_json::from_value(serde_json::to_value(self.kept.values().collect::<Vec<_>>()).unwrap()).unwrap();
        let reached = self.reached.clone();
        history.know(&family("ConfigMap"), Kept { states, listed_at: self.listed_at, reached });
        Self { history, ..self }
    }

    fn take(&mut self, glimpse: Glimpse, now: i64) -> Vec<Change> {
        let batch = self.history.take(glimpse, at(now));
        self.listed_at = batch.listed.last().map(|listed| listed.at).or(self.listed_at);
        if !batch.reached.is_empty() {
            self.reached = batch.reached;
        }
        let mut changes = Vec::new();
        for mut entry in batch.entries {
            changes.append(&mut entry.changes);
            match entry.state {
                Some(mut state) => {
                    // As the runner keeps it: secrets are taken out of what it shows.
                    state.redact(&|_, text| text.replace("hunter2", "[secret]"));
                    self.kept.insert(entry.object.name, state);
                }
                None => {
                    self.kept.remove(&entry.object.name);
                }
            }
        }
        changes
    }

    fn seen(&mut self, object: DynamicObject, now: i64) -> Vec<Change> {
        self.take(Glimpse::Seen(family("ConfigMap"), Scope::Cluster, Box::new(object)), now)
    }

    /// The API server marks how far the watch is.
    fn at(&mut self, version: &str) {
        self.take(Glimpse::At(family("ConfigMap"), Scope::Cluster, version.to_owned()), 0);
    }

    /// From where the watch goes on in this process.
    fn from(&self) -> Option<String> {
        self.history.reached(&family("ConfigMap"), &Scope::Cluster)
    }

    fn list(&mut self, objects: Vec<DynamicObject>, now: i64) -> Vec<Change> {
        let mut changes = self.take(Glimpse::Listing(family("ConfigMap"), Scope::Cluster), now);
        for object in objects {
            changes.append(&mut self.seen(object, now));
        }
        changes.append(&mut self.take(Glimpse::Listed(family("ConfigMap"), Scope::Cluster), now));
        changes
    }
}

/// As `ConfigMap shop/a changed at 20 by kubectl-edit: data.key: 1 → 2`, and whether it was found late.
fn told(changes: &[Change]) -> Vec<String> {
    let one = |change: &Change| {
        let fields: Vec<String> = change.fields.iter().map(ToString::to_string).collect();
        let late = if change.found_late { ", late" } else { "" };
        let by = change.by.manager.as_deref().unwrap_or("?");
        let second = change.at.as_second() - at(0).as_second();
        format!("{} {} at {second} by {by}{late}: {}", change.object, change.kind, fields.join(", "))
    };
    changes.iter().map(one).collect()
}

#[test]
fn the_first_list_is_no_change_and_what_comes_after_is() {
    let mut process = Process::first();
    assert_eq!(told(&process.list(vec![map("a", "u1", 0, 0, "1")], 10)), [""; 0]);
    assert_eq!(process.kept.len(), 1, "it is known from now on");
    assert_eq!(
        told(&process.seen(map("a", "u1", 0, 20, "2"), 21)),
        ["ConfigMap shop/a changed at 20 by kubectl-edit: data.key: 1 → 2"]
    );
    assert_eq!(told(&process.seen(map("a", "u1", 0, 22, "2"), 23)), [""; 0], "another write of the same is none");
    assert_eq!(
        told(&process.seen(map("b", "u2", 30, 30, "1"), 31)),
        ["ConfigMap shop/b created at 30 by helm: data.key: set to 1"]
    );
    let gone = Glimpse::Gone(family("ConfigMap"), Scope::Cluster, Box::new(map("b", "u2", 30, 30, "1")));
    assert_eq!(told(&process.take(gone, 40)), ["ConfigMap shop/b deleted at 40 by ?: data.key: removed, was 1"]);
    assert_eq!(process.kept.len(), 1);
}

#[test]
fn what_changed_came_and_went_while_nobody_watched_is_found() {
    let mut before = Process::first();
    before.list(vec![map("a", "u1", 0, 0, "1"), map("b", "u2", 0, 0, "1"), map("c", "u3", 0, 0, "1")], 10);
    let mut after = before.next();
    let changes =
        after.list(vec![map("a", "u1", 0, 50, "2"), map("b", "u2", 0, 0, "1"), map("d", "u4", 60, 60, "1")], 100);
    assert_eq!(
        told(&changes),
        [
            "ConfigMap shop/a changed at 50 by kubectl-edit, late: data.key: 1 → 2",
            "ConfigMap shop/d created at 60 by helm, late: data.key: set to 1",
            "ConfigMap shop/c deleted at 100 by ?, late: data.key: removed, was 1",
        ]
    );
    assert_eq!(
        told(
            &after.list(vec![map("a", "u1", 0, 50, "2"), map("b", "u2", 0, 0, "1"), map("d", "u4", 60, 60, "1")], 110)
        ),
        [""; 0]
    );
}

#[test]
fn the_next_process_goes_on_from_where_the_watch_was_and_sees_each_change_between() {
    let mut before = Process::first();
    before.list(vec![map("a", "u1", 0, 0, "1")], 10);
    assert_eq!(before.from(), None, "a list alone is told by no version");
    before.at("15");
    before.seen(map("a", "u1", 0, 20, "2"), 21);
    let mut after = before.next();
    assert_eq!(after.from().as_deref(), Some("20"));
    after.take(Glimpse::Behind(family("ConfigMap"), Scope::Cluster, "55".to_owned()), 99);
    let changes = [after.seen(map("a", "u1", 0, 50, "3"), 100), after.seen(map("a", "u1", 0, 60, "4"), 100)].concat();
    assert_eq!(
        told(&changes),
        [
            "ConfigMap shop/a changed at 50 by kubectl-edit, late: data.key: 2 → 3",
            "ConfigMap shop/a changed at 60 by kubectl-edit: data.key: 3 → 4",
        ]
    );
    let made = after.seen(map("b", "u2", 70, 70, "1"), 100);
    assert_eq!(told(&made), ["ConfigMap shop/b created at 70 by helm: data.key: set to 1"]);
    after.take(Glimpse::Listing(family("ConfigMap"), Scope::Cluster), 110);
    assert_eq!(after.from(), None, "one that ends within a list must list again");
}

#[test]
fn a_watch_that_would_take_something_else_begins_with_a_list() {
    let mut before = Process::first();
    before.list(vec![map("a", "u1", 0, 0, "1")], 10);
    before.at("15");
    let hashed: ForwarderConfig = serde_json::from_value(json!({"changes": {"config_maps": "hashed"}})).unwrap();
    let mut history = History::new("test", &hashed);
    history.know(&family("ConfigMap"), Kept { reached: before.reached.clone(), ..Kept::default() });
    assert_eq!(history.reached(&family("ConfigMap"), &Scope::Cluster), None);
    for state in before.kept.values_mut() {
        state.format = 0;
    }
    assert_eq!(before.next().from(), None, "nothing could be compared with what is kept in another form");
}

#[test]
fn what_a_watch_shows_again_from_before_the_list_is_no_change_and_a_cluster_set_back_is() {
    let mut process = Process::first();
    process.list(vec![map("a", "u1", 0, 30, "3")], 40);
    assert_eq!(told(&process.seen(map("a", "u1", 0, 20, "2"), 41)), [""; 0]);
    let gone = Glimpse::Gone(family("ConfigMap"), Scope::Cluster, Box::new(map("a", "u0", 0, 10, "1")));
    assert_eq!(told(&process.take(gone, 41)), [""; 0], "it was made again since");
    assert_eq!(process.kept.len(), 1);
    let back = process.list(vec![map("a", "u1", 0, 20, "2")], 50);
    assert_eq!(told(&back), ["ConfigMap shop/a changed at 50 by ?, late: data.key: 3 → 2"]);
}

#[test]
fn what_was_taken_out_of_what_is_kept_is_no_change() {
    let mut before = Process::first();
    before.list(vec![map("a", "u1", 0, 0, "hunter2")], 10);
    assert!(!serde_json::to_string(&before.kept).unwrap().contains("hunter2"));
    let mut after = before.next();
    assert_eq!(told(&after.list(vec![map("a", "u1", 0, 0, "hunter2")], 100)), [""; 0]);
    let changes = after.seen(map("a", "u1", 0, 101, "hunter3"), 102);
    assert_eq!(changes[0].fields[0].before.as_deref(), Some("hunter2"), "it is taken out where it is received");
}

#[test]
fn an_object_seen_for_the_first_time_that_is_older_than_the_last_list_is_not_new() {
    let mut before = Process::first();
    before.list(vec![], 10);
    let mut after = before.next();
    assert_eq!(told(&after.list(vec![map("a", "u1", 0, 0, "1")], 100)), [""; 0]);
}

#[test]
fn one_that_was_replaced_by_another_of_its_name_is_told() {
    let mut before = Process::first();
    before.list(vec![map("a", "u1", 0, 0, "1")], 10);
    let mut after = before.next();
    let changes = after.list(vec![map("a", "u2", 50, 50, "2")], 100);
    let fields: Vec<String> = changes.iter().flat_map(|change| &change.fields).map(ToString::to_string).collect();
    assert_eq!(fields, ["data.key: 1 → 2", "metadata.uid: u1 → u2"]);
}

#[test]
fn what_is_kept_in_another_form_is_only_known_anew() {
    let mut before = Process::first();
    before.list(vec![map("a", "u1", 0, 0, "1"), map("b", "u2", 0, 0, "1")], 10);
    for state in before.kept.values_mut() {
        state.format = 0;
    }
    let mut after = before.next();
    assert_eq!(told(&after.list(vec![map("a", "u1", 0, 50, "2")], 100)), [""; 0]);
    assert_eq!(after.kept["a"].format, super::super::state::FORMAT);
}

#[test]
fn what_concerns_nobody_any_more_is_forgotten_and_not_told_as_deleted() {
    let mut process = Process::first();
    process.list(vec![map("a", "u1", 0, 0, "1")], 10);
    let mut leader = map("a", "u1", 0, 20, "2");
    let mark = "control-plane.alpha.kubernetes.io/leader".to_owned();
    leader.metadata.annotations = Some([(mark, "{}".to_owned())].into());
    assert_eq!(told(&process.seen(leader.clone(), 21)), [""; 0]);
    assert!(process.kept.is_empty());
    assert_eq!(told(&process.list(vec![leader], 30)), [""; 0]);
}

#[test]
fn texts_of_all_objects_together_are_bounded_and_every_change_is_still_found() {
    let mut process = Process::first();
    let large = |at: usize, letter: &str| map(&format!("m{at}"), "u", 0, 0, &letter.repeat(4_000));
    let count = 2 * ALL_TEXTS / 4_000;
    let mut kept = 0;
    process.take(Glimpse::Listing(family("ConfigMap"), Scope::Cluster), 10);
    for at in 0..count {
        let batch = process
            .history
            .take(Glimpse::Seen(family("ConfigMap"), Scope::Cluster, Box::new(large(at, "a"))), super::tests::at(10));
        kept += batch.entries[0].state.as_ref().unwrap().texts();
    }
    assert!(kept <= ALL_TEXTS && kept + 4_000 > ALL_TEXTS, "{kept}");
    assert_eq!(process.history.texts, kept);
    process.take(Glimpse::Listed(family("ConfigMap"), Scope::Cluster), 10);
    for (at, before) in [(0, "aaaa"), (count - 1, "(4000 bytes, digest")] {
        let changes = process.seen(large(at, "b"), 20);
        assert!(changes[0].fields[0].before.as_ref().unwrap().starts_with(before), "{at}");
    }
    for at in 0..count {
        process.take(Glimpse::Gone(family("ConfigMap"), Scope::Cluster, Box::new(large(at, "a"))), 30);
    }
    assert_eq!(process.history.texts, 0);
}

#[test]
fn namespaces_that_do_not_count_are_left_alone() {
    let mut before = Process::first();
    before.list(vec![map("a", "u1", 0, 0, "1")], 10);
    let config: ForwarderConfig = serde_json::from_value(json!({"namespaces": {"exclude": ["shop"]}})).unwrap();
    let mut history = History::new("test", &config);
    let (states, listed_at) = (before.kept.into_values().collect(), before.listed_at);
    history.know(&family("ConfigMap"), Kept { states, listed_at, reached: vec![] });
    let mut after = Process { history, kept: BTreeMap::new(), listed_at: None, reached: vec![] };
    assert_eq!(told(&after.list(vec![map("a", "u1", 0, 50, "2")], 100)), [""; 0]);
    assert_eq!(told(&after.seen(map("b", "u2", 101, 101, "1"), 102)), [""; 0]);
}

#[test]
fn the_autoscalers_doing_is_told_apart_from_a_persons() {
    let deployment = |image: &str, replicas: u32, managers: Value| -> Box<DynamicObject> {
        let object = json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "cart", "namespace": "shop", "uid": "u", "resourceVersion": image, "managedFields": managers},
            "spec": {"replicas": replicas, "template": {"spec": {"containers": [{"name": "app", "image": image}]}}}});
        Box::new(serde_json::from_value(object).unwrap())
    };
    let entry = |manager: &str, subresource: Option<&str>, second: i64, fields: Value| json!({"manager": manager, "operation": "Update", "subresource": subresource, "time": at(second), "fieldsV1": fields});
    let person = entry(
        "kubectl-set",
        None,
        20,
        json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {"k:{\"name\":\"app\"}": {"f:image": {}}}}}}}),
    );
    let scaler = entry("kube-controller-manager", Some("scale"), 30, json!({"f:spec": {"f:replicas": {}}}));
    let mut process = Process::first();
    let see = |object: Box<DynamicObject>| Glimpse::Seen(family("Deployment"), Scope::Cluster, object);
    process.take(Glimpse::Listing(family("Deployment"), Scope::Cluster), 10);
    process.take(see(deployment("cart:1", 2, json!([]))), 10);
    process.take(Glimpse::Listed(family("Deployment"), Scope::Cluster), 10);
    let changes = process.take(see(deployment("cart:2", 5, json!([person, scaler]))), 40);
    let told: Vec<_> = changes.iter().map(|change| (change.by.autoscaler, change.fields[0].to_string())).collect();
    assert_eq!(
        told,
        [(false, "containers[app].image: cart:1 → cart:2".to_owned()), (true, "replicas: 2 → 5".to_owned())]
    );
    assert!(changes.iter().all(|change| change.kind == ChangeKind::Altered));
}

#[test]
fn what_went_while_it_was_listed_is_told_once_though_the_watch_shows_it_again() {
    let mut process = Process::first();
    process.list(vec![map("a", "u1", 0, 30, "1")], 40);
    // It is altered and deleted after the watch's beginning and before the list is read.
    let gone = process.list(vec![], 60);
    assert_eq!(told(&gone), ["ConfigMap shop/a deleted at 60 by ?, late: data.key: removed, was 1"]);
    process.take(Glimpse::Behind(family("ConfigMap"), Scope::Cluster, "55".to_owned()), 61);
    process.at("45");
    assert_eq!(told(&process.seen(map("a", "u1", 0, 50, "2"), 61)), [""; 0]);
    let again = Glimpse::Gone(family("ConfigMap"), Scope::Cluster, Box::new(map("a", "u1", 0, 52, "2")));
    assert_eq!(told(&process.take(again, 61)), [""; 0]);
    assert_eq!(process.kept.len(), 0);
    // Another of its name is another.
    let made = process.seen(map("a", "u2", 62, 62, "3"), 63);
    assert_eq!(told(&made), ["ConfigMap shop/a created at 62 by helm: data.key: set to 3"]);
}

#[test]
fn what_was_there_before_the_first_list_and_went_under_it_was_not_made_then() {
    let mut process = Process::first();
    process.list(vec![], 60);
    process.take(Glimpse::Behind(family("ConfigMap"), Scope::Cluster, "55".to_owned()), 61);
    assert_eq!(told(&process.seen(map("a", "u1", 0, 50, "2"), 61)), [""; 0]);
    let gone = Glimpse::Gone(family("ConfigMap"), Scope::Cluster, Box::new(map("a", "u1", 0, 52, "2")));
    assert_eq!(told(&process.take(gone, 61)), ["ConfigMap shop/a deleted at 61 by ?, late: data.key: removed, was 2"]);
    let made = process.seen(map("b", "u2", 60, 54, "1"), 61);
    assert_eq!(made.len(), 1, "made since the list began");
}

#[test]
fn after_the_cluster_was_set_back_the_next_process_goes_on_from_there() {
    let mut process = Process::first();
    process.list(vec![map("a", "u1", 0, 900, "1")], 10);
    process.at("910");
    assert_eq!(process.from().as_deref(), Some("910"));
    assert_eq!(told(&process.list(vec![map("a", "u1", 0, 30, "1")], 20)), [""; 0]);
    assert_eq!(&*process.kept["a"].version, "30", "what is kept goes back with it");
    assert_eq!(process.reached.last().map(Reached::begins_anew), Some(true));
    process.at("40");
    assert_eq!(process.from().as_deref(), Some("40"));
    assert_eq!(process.seen(map("a", "u1", 0, 50, "2"), 51).len(), 1);
}
