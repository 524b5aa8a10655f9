#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use marple_core::ObjectRef;
use serde_json::{Value, json};

use super::*;
use crate::intake::{read_changes, redacted_changes};
use crate::store::sqlite::tests::{at, store};

fn object(namespace: &str, name: &str) -> Value {
    json!({"kind": "ConfigMap", "namespace": namespace, "name": name})
}

fn state(namespace: &str, name: &str, version: i64) -> Value {
    json!({"format": 1, "object": object(namespace, name), "uid": name, "version": version.to_string(), "fields": []})
}

/// An object that was altered at that second, with the state that it came to.
fn entry(namespace: &str, name: &str, second: i64) -> Value {
    let change = json!({"cluster": "test", "object": object(namespace, name), "uid": name, "version": second.to_string(),
        "at": at(second), "kind": "altered", "fields": [{"path": "data.key", "before": "1", "after": "2"}]});
    json!({"object": object(namespace, name), "changes": [change], "state": state(namespace, name, second)})
}

async fn record(store: &SqliteStore, cluster: &str, entries: Vec<Value>, listed: Vec<Value>) -> Recorded {
    let body = json!({"cluster": cluster, "entries": entries, "listed": listed}).to_string();
    let mut batch = read_changes(body.as_bytes()).unwrap();
    let changes = redacted_changes(&mut batch, &Plain);
    store.record(None, &batch, &changes).await.unwrap()
}

struct Plain;

impl marple_tools::Redact for Plain {
    fn redact(&self, text: &str) -> String {
        text.to_owned()
    }
}

fn window(namespaces: &[&str], since: i64, until: i64, limit: usize) -> Window {
    let namespaces = namespaces.iter().map(|name| (*name).to_owned()).collect();
    Window { namespaces, since: at(since), until: at(until), limit }
}

async fn found(store: &SqliteStore, window: &Window) -> (Vec<String>, bool) {
    let found = store.changes("test", window).await.unwrap();
    (found.changes.iter().map(|change| change.object.name.clone()).collect(), found.more)
}

#[tokio::test]
async fn a_change_that_comes_twice_is_kept_once_and_the_last_state_stands() {
    let (_folder, store) = store().await;
    let both = vec![entry("shop", "a", 1), entry("shop", "b", 2)];
    assert_eq!(record(&store, "test", both.clone(), vec![]).await, Recorded { new: 2, duplicate: 0 });
    assert_eq!(record(&store, "test", both, vec![]).await, Recorded { new: 0, duplicate: 2 });
    assert_eq!(record(&store, "test", vec![entry("shop", "a", 3)], vec![]).await, Recorded { new: 1, duplicate: 0 });
    let kept = store.kept("test", "ConfigMap").await.unwrap();
    let versions: Vec<(&str, &str)> = kept.states.iter().map(|state| (&*state.uid, &*state.version)).collect();
    assert_eq!(versions, [("a", "3"), ("b", "2")]);
    assert_eq!(kept.listed_at, None);
    assert_eq!(store.kept("other", "ConfigMap").await.unwrap(), Kept::default());
}

#[tokio::test]
async fn an_object_that_is_gone_is_known_no_more_and_its_change_stays() {
    let (_folder, store) = store().await;
    record(&store, "test", vec![entry("shop", "a", 1)], vec![]).await;
    record(&store, "test", vec![json!({"object": object("shop", "a"), "changes": []})], vec![]).await;
    assert_eq!(store.kept("test", "ConfigMap").await.unwrap().states, []);
    assert_eq!(found(&store, &window(&["shop"], 0, 9, 9)).await, (vec!["a".to_owned()], false));
}

#[tokio::test]
async fn a_window_is_of_its_namespaces_and_of_the_cluster_latest_first_and_pages() {
    let (_folder, store) = store().await;
    let node = ObjectRef::cluster("Node", "worker");
    let mut of_cluster = entry("", "worker", 4);
    of_cluster["object"] = json!(node);
    of_cluster["changes"][0]["object"] = json!(node);
    of_cluster["state"] = Value::Null;
    let mut argo = entry("argocd", "cart", 5);
    argo["changes"][0]["object"]["kind"] = json!("Application");
    let entries = vec![
        entry("shop", "a", 1),
        entry("shop", "b", 2),
        entry("till", "c", 3),
        of_cluster,
        argo,
        entry("shop", "d", 6),
    ];
    record(&store, "test", entries, vec![]).await;
    record(&store, "other", vec![entry("shop", "e", 7)], vec![]).await;
    let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(found(&store, &window(&["shop"], 0, 9, 9)).await, (names(&["d", "cart", "worker", "b", "a"]), false));
    assert_eq!(found(&store, &window(&["till"], 2, 3, 9)).await, (names(&["c"]), false));
    assert_eq!(found(&store, &window(&["shop"], 0, 9, 2)).await, (names(&["d", "cart"]), true));
    assert_eq!(found(&store, &window(&["shop"], 0, 4, 3)).await, (names(&["worker", "b", "a"]), false));
}

#[tokio::test]
async fn changes_are_told_since_their_kinds_were_first_listed() {
    let (_folder, store) = store().await;
    assert_eq!(store.changes_since("test").await.unwrap(), None);
    let listed = |kind: &str, second: i64| json!({"kind": kind, "at": at(second)});
    record(&store, "test", vec![], vec![listed("ConfigMap", 5), listed("Node", 6)]).await;
    record(&store, "test", vec![], vec![listed("ConfigMap", 50)]).await;
    assert_eq!(store.changes_since("test").await.unwrap(), Some(at(5)));
    assert_eq!(store.kept("test", "ConfigMap").await.unwrap().listed_at, Some(at(50)));
    assert_eq!(store.changes_since("other").await.unwrap(), None);
}

#[tokio::test]
async fn what_is_old_goes_and_the_oldest_beyond_the_bound() {
    let (_folder, store) = store().await;
    let entries = (0..10).map(|second| entry("shop", &format!("m{second}"), second)).collect();
    record(&store, "test", entries, vec![]).await;
    assert_eq!(store.retire_changes(at(3), 100).await.unwrap(), 3);
    assert_eq!(store.retire_changes(at(3), 4).await.unwrap(), 3);
    let left = found(&store, &window(&["shop"], 0, 99, 99)).await.0;
    assert_eq!(left, ["m9", "m8", "m7", "m6"]);
    assert_eq!(store.kept("test", "ConfigMap").await.unwrap().states.len(), 10, "what objects were is still known");
}

#[tokio::test]
async fn what_was_kept_is_there_after_a_start() {
    let (folder, store) = store().await;
    record(&store, "test", vec![entry("shop", "a", 1)], vec![]).await;
    store.close().await;
    drop(store);
    let store = SqliteStore::open(&folder.path().join("marple.db")).await.unwrap();
    assert_eq!(found(&store, &window(&["shop"], 0, 9, 9)).await.0, ["a"]);
    assert_eq!(store.kept("test", "ConfigMap").await.unwrap().states.len(), 1);
}

/// Keeps that a watch has come to a version; none where it begins with a list.
async fn reached(store: &SqliteStore, namespace: &str, version: &str) {
    let reached = json!({"kind": "ConfigMap", "namespace": namespace, "form": "f", "version": version});
    let mut batch = read_changes(json!({"cluster": "test", "reached": [reached]}).to_string().as_bytes()).unwrap();
    let changes = redacted_changes(&mut batch, &Plain);
    store.record(None, &batch, &changes).await.unwrap();
}

/// How far the watches have come, and the versions of the objects that are known.
async fn known(store: &SqliteStore) -> (Vec<String>, Vec<(String, String)>) {
    let kept = store.kept("test", "ConfigMap").await.unwrap();
    let states = kept.states.iter().map(|state| (state.object.name.clone(), state.version.to_string()));
    (kept.reached.into_iter().map(|reached| reached.version).collect(), states.collect())
}

fn deleted(namespace: &str, name: &str, uid: &str, second: i64) -> Value {
    let change = json!({"cluster": "test", "object": object(namespace, name), "uid": uid, "version": second.to_string(),
        "at": at(second), "kind": "deleted", "fields": []});
    json!({"object": object(namespace, name), "changes": [change]})
}

#[tokio::test]
async fn what_is_told_late_takes_nothing_back_and_its_changes_are_kept() {
    let (_folder, store) = store().await;
    let both = || vec![("a".to_owned(), "9".to_owned()), ("b".to_owned(), "12".to_owned())];
    record(&store, "test", vec![entry("shop", "a", 9), entry("shop", "b", 12)], vec![]).await;
    reached(&store, "", "20").await;
    // Of one who led before: older states, of an object that is gone by now among them, and how far it had come.
    let late = vec![entry("shop", "a", 5), entry("shop", "c", 6), deleted("shop", "b", "another", 7)];
    assert_eq!(record(&store, "test", late, vec![]).await, Recorded { new: 3, duplicate: 0 });
    reached(&store, "", "8").await;
    assert_eq!(known(&store).await, (vec!["20".to_owned()], both()));
    record(&store, "test", vec![entry("shop", "a", 21), deleted("shop", "b", "b", 22)], vec![]).await;
    reached(&store, "", "22").await;
    assert_eq!(known(&store).await, (vec!["22".to_owned()], vec![("a".to_owned(), "21".to_owned())]));
    assert_eq!(known(&store).await.0, ["22"]);
}

#[tokio::test]
async fn where_a_watch_begins_anew_what_its_list_shows_stands_though_the_cluster_was_set_back() {
    let (_folder, store) = store().await;
    record(&store, "test", vec![entry("shop", "a", 900), entry("shop", "b", 900)], vec![]).await;
    reached(&store, "", "910").await;
    reached(&store, "shop", "").await;
    record(&store, "test", vec![entry("shop", "a", 30), json!({"object": object("shop", "b"), "changes": []})], vec![])
        .await;
    reached(&store, "shop", "40").await;
    let a = |version: &str| vec![("a".to_owned(), version.to_owned())];
    assert_eq!(known(&store).await, (vec!["40".to_owned()], a("30")));
    record(&store, "test", vec![entry("shop", "a", 45)], vec![]).await;
    record(&store, "test", vec![entry("shop", "a", 35)], vec![]).await;
    assert_eq!(known(&store).await, (vec!["40".to_owned()], a("45")));
}
