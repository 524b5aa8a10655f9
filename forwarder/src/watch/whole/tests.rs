#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::*;
use crate::change::History;
use crate::watch::script::{Answer, answer, client, event, listed, open, page};

fn map(name: &str, version: u32, value: &Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": value, "metadata": {"name": name, "namespace": "shop",
        "uid": name, "resourceVersion": version.to_string(), "creationTimestamp": "2026-01-01T00:00:00Z"}})
}

/// The same with a metadata field that is of no type that Kubernetes documents.
fn with(mut object: Value, field: &str, value: Value) -> Value {
    object["metadata"][field] = value;
    object
}

/// What is told of this script's `ConfigMaps`, until so many versions were reached.
async fn told(script: Vec<Answer>, last: &str) -> Vec<String> {
    let family = Family::named("ConfigMap").unwrap();
    let (sender, mut glimpses) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let watches = HistoryWatches {
        client: client(script),
        config: ForwarderConfig::default(),
        again: tokio::sync::watch::channel(()).1,
        reached: Reached::default(),
        cancel: cancel.clone(),
    };
    let _watching = watches.start(std::slice::from_ref(&family), |_, _| None, &sender);
    let mut history = History::new("test", &ForwarderConfig::default());
    let mut told = Vec::new();
    loop {
        let glimpse = tokio::time::timeout(Duration::from_mins(1), glimpses.recv()).await.expect("the watch goes on");
        let batch = history.take(glimpse.unwrap(), jiff::Timestamp::now());
        for change in batch.entries.iter().flat_map(|entry| &entry.changes) {
            let fields: Vec<String> = change.fields.iter().map(|field| field.clone().bounded().to_string()).collect();
            told.push(format!("{} {}: {}", change.object.name, change.kind, fields.join(", ")));
        }
        if history.reached(&family, &Scope::Cluster).as_deref() == Some(last) {
            cancel.cancel();
            return told;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_malformed_object_ends_no_watch_and_costs_no_change_of_another() {
    let one = || json!({"key": "1"});
    let two = || json!({"key": "2"});
    let script = vec![
        answer("limit=1", 200, vec![page(vec![], 9, "")]),
        open(
            "sendInitialEvents=true",
            vec![
                event("ADDED", map("sound", 1, &one())),
                event("ADDED", with(map("labelled", 2, &one()), "labels", json!({"app": 1}))),
                event("ADDED", with(map("nameless", 3, &one()), "name", json!(["x"]))),
                event("ADDED", json!({"metadata": "none"})),
                listed(9),
            ],
        ),
        answer("limit=1", 200, vec![page(vec![], 9, "")]),
        open(
            "watch=true resourceVersion=9",
            vec![
                event("MODIFIED", with(map("labelled", 10, &two()), "creationTimestamp", json!("yesterday"))),
                event(
                    "MODIFIED",
                    with(map("sound", 11, &json!({"key": {"deep": [1]}})), "managedFields", json!("none")),
                ),
                event("MODIFIED", map("sound", 12, &json!(["no", "map"]))),
                event("MODIFIED", json!({"kind": 1, "metadata": {"resourceVersion": 13}})),
                event("DELETED", with(map("labelled", 14, &two()), "ownerReferences", json!([{"kind": "Pod"}]))),
                event("MODIFIED", map("sound", 15, &two())),
            ],
        ),
    ];
    assert_eq!(
        told(script, "15").await,
        [
            "labelled changed: data.key: 1 → 2",
            "sound changed: data.key: 1 → ",
            "sound changed: data.key: removed, was ",
            "labelled deleted: data.key: removed, was 2",
            "sound changed: data.key: set to 2",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn a_hundred_writes_of_a_config_map_of_a_mebibyte_are_told_by_its_small_value() {
    let written = |count: u32| {
        event("MODIFIED", map("large", 9 + count, &json!({"blob": "b".repeat(1 << 20), "count": count.to_string()})))
    };
    let script = vec![
        answer("limit=1", 200, vec![page(vec![], 9, "")]),
        open("sendInitialEvents=true", vec![listed(9)]),
        answer("limit=1", 200, vec![page(vec![], 9, "")]),
        Answer::of("watch=true resourceVersion=9", (1..=100).map(written)),
    ];
    let told = told(script, "109").await;
    assert_eq!((told.len(), told[99].as_str()), (100, "large changed: data.count: 99 → 100"));
}
