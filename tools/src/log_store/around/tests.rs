#![allow(clippy::unwrap_used, missing_docs)]

use serde_json::{Value, json};
use wiremock::ResponseTemplate;

use super::super::double::{Double, json_answer};
use super::*;
use crate::Redactor;
use crate::redact::RedactConfig;

const START: &str = "2026-01-02T03:00:00Z";

fn pod(name: &str, created: &str, owner: Option<&str>) -> Value {
    let owners: Vec<Value> =
        owner.iter().map(|name| json!({"kind": "StatefulSet", "name": name, "controller": true, "uid": "1"})).collect();
    json!({"kind": "Pod", "metadata": {"namespace": "shop", "name": name, "creationTimestamp": created, "ownerReferences": owners}})
}

fn scene(subjects: &[(&str, &str)], objects: Vec<Value>) -> Scene {
    let mut scene = Scene::of(objects, &[], Vec::new(), "2026-01-02T03:20:00Z".parse().unwrap());
    scene.subjects = subjects.iter().map(|(kind, name)| ObjectRef::namespaced(*kind, "shop", *name)).collect();
    scene
}

fn names(scene: &Scene) -> Vec<String> {
    gone(scene, &scene.subjects, START.parse().unwrap()).into_iter().map(|(object, _)| object.to_string()).collect()
}

#[test]
fn pods_that_are_gone_or_replaced_are_asked_for_and_those_that_are_there_not() {
    let set = |name: &str| json!({"kind": "StatefulSet", "metadata": {"namespace": "shop", "name": name, "uid": "1"}});
    let (before, after) = ("2026-01-01T00:00:00Z", "2026-01-02T03:05:00Z");
    let scene = scene(
        &[
            ("Pod", "gone"),
            ("Pod", "here"),
            ("Pod", "db-0"),
            ("StatefulSet", "db"),
            ("StatefulSet", "old"),
            ("Service", "x"),
        ],
        vec![
            set("db"),
            set("old"),
            pod("here", before, None),
            pod("db-0", after, Some("db")),
            pod("old-0", before, Some("old")),
            pod("old-1", after, Some("old")),
        ],
    );
    assert_eq!(names(&scene), ["Pod shop/gone", "Pod shop/db-0", "StatefulSet shop/db"]);
}

#[test]
fn what_was_not_listed_is_not_taken_to_be_gone() {
    let mut scene = scene(&[("Pod", "gone")], vec![]);
    scene.listed = Some(std::collections::BTreeSet::default());
    assert_eq!(names(&scene), Vec::<String>::new());
}

#[tokio::test]
async fn the_lines_around_the_start_become_evidence_without_secrets() {
    let double = Double::start().await;
    let hits = json!({"hits": [{"timestamps": ["2026-01-02T02:59:00Z"], "values": [1]}]});
    let times = [("start", "2026-01-02T02:55:00Z"), ("end", "2026-01-02T03:10:00Z")];
    double.answer("POST", "select/logsql/hits", &times, json_answer(&hits)).await;
    let line =
        json!({"_time": "2026-01-02T02:59:01Z", "_msg": "login with password=hunter2hunter2 failed", "pod": "gone"});
    double.answer("POST", "select/logsql/query", &times, ResponseTemplate::new(200).set_body_json(line)).await;
    let redact = Redactor::new(&RedactConfig::default()).unwrap();
    let scene = scene(&[("Pod", "gone")], vec![]);
    let stored =
        around(&double.store("victoria_logs"), &scene, &scene.subjects, START.parse().unwrap(), scene.now, &redact)
            .await;
    let [draft] = stored.drafts.as_slice() else { panic!("{stored:?}") };
    assert_eq!(draft.title, "stored logs of Pod shop/gone, whose pods of that time are gone");
    assert!(draft.content.contains("02:59:01.000 login with password=[redacted:password:"), "{}", draft.content);
    assert_eq!(stored.unseen, None);
}

#[tokio::test]
async fn a_store_that_is_away_is_told_once() {
    let double = Double::start().await;
    let redact = Redactor::new(&RedactConfig::default()).unwrap();
    let scene = scene(&[("Pod", "a"), ("Pod", "b")], vec![]);
    let stored =
        around(&double.store("victoria_logs"), &scene, &scene.subjects, START.parse().unwrap(), scene.now, &redact)
            .await;
    assert_eq!(stored.drafts, []);
    let unseen = stored.unseen.unwrap();
    assert!(unseen.what == "stored logs of Pod shop/a" && unseen.why.contains("HTTP 404"), "{unseen:?}");
}
