//! Cases are read as they are meant, or refused with what to write.

use std::path::Path;

use marple_core::ObjectRef;

use super::*;
use crate::demo_bundle;

const WHOLE: &str = r#"
title: web lost the key DB_HOST
ask:
  alert: {alertname: KubePodCrashLooping, namespace: x}
verdict: fault
causes:
  - object: {kind: ConfigMap, namespace: x, name: settings}
    categories: [configuration]
  - object: {kind: Deployment, namespace: x, name: "web-*"}
    categories: [configuration, application]
must:
  - {means: "the key that was changed", any: ["DB_HOST"]}
must_not:
  - {means: "blames the banner", any: ["(?s)banner.*(caused|cause of)"]}
remedy: {means: "put it back", any: ["roll ?back|undo"]}
difficulty: medium
hops: 2
tags: [red_herring, change_caused]
secrets: ["hunter2"]
"#;

fn read(text: &str) -> Result<Case, String> {
    Case::from_yaml(text, Path::new("suite/amber-quay/case.yaml")).map_err(|error| error.to_string())
}

fn changed(from: &str, to: &str) -> String {
    assert!(WHOLE.contains(from), "{from}");
    read(&WHOLE.replace(from, to)).unwrap_err()
}

#[test]
fn a_whole_case_is_read() {
    let case = read(WHOLE).unwrap();
    let object = |kind: &str, name: &str| ObjectRef::namespaced(kind, "x", name);
    let matches = |index: usize, object: &ObjectRef| case.causes[index].object.matches(object);
    assert!(matches(0, &object("ConfigMap", "settings")));
    assert!(!matches(0, &object("ConfigMap", "settings-2")));
    assert!(!matches(0, &ObjectRef::namespaced("ConfigMap", "y", "settings")));
    assert!(matches(1, &object("deployment", "web-7f")));
    assert!(case.must[0].is_in("the key db_host is gone"));
    assert!(case.must_not[0].is_in("The banner\nis the CAUSE OF it"));
    assert_eq!(case.tags, BTreeSet::from([Tag::RedHerring, Tag::ChangeCaused]));
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_what_to_write() {
    let cases = [
        (changed("title:", "titel:"), "titel: unknown field `titel`"),
        (changed("any: [\"DB_HOST\"]", "any: [\"(DB\"]"), "must[0].any[0]: \"(DB\" is no regular expression"),
        (changed("any: [\"DB_HOST\"]", "any: []"), "must[0]: needs `means` for people and at least one"),
        (
            changed("object: {kind: ConfigMap, namespace: x, name: settings}\n    categories", "categories"),
            "causes[0]: missing field `object`; name the object to change, as object: {kind: ConfigMap,",
        ),
        (changed("verdict: fault", "verdict: no_fault"), "causes: only a fault has causes"),
        (changed("[configuration]", "[]"), "causes[0].categories: is empty"),
        (changed("[configuration]", "[config]"), "causes[0].categories[0]: unknown variant `config`"),
        (
            changed("\"web-*\"", "\"w*-*\""),
            "causes[1].object.name: \"w*-*\" is no name: write one with at most one `*`",
        ),
        (
            changed("  alert: {alertname: KubePodCrashLooping, namespace: x}", "  incident: true\n  question: why"),
            "ask exactly one of alert, question and incident",
        ),
        (
            changed("  alert: {alertname: KubePodCrashLooping, namespace: x}", "  incident: false"),
            "ask.incident: is false",
        ),
        (changed("tags: [red_herring", "tags: [redherring"), "tags[0]: unknown variant `redherring`"),
        (changed("title: web lost the key DB_HOST", "title: ["), "is no valid YAML"),
    ];
    for (error, wanted) in cases {
        assert!(error.starts_with("suite/amber-quay/case.yaml"), "{error}");
        assert!(error.contains(wanted), "{wanted:?} is not in {error:?}");
    }
}

#[test]
fn a_fault_without_a_cause_is_refused() {
    let error = read("title: t\nask: {question: why}\nverdict: fault\ndifficulty: easy\n").unwrap_err();
    assert!(error.ends_with("causes: a fault has a cause: name at least one object with its categories"), "{error}");
}

#[test]
fn the_schema_in_the_docs_is_that_of_the_types() {
    crate::published::assert_published("case", &Case::schema());
}

#[test]
fn labels_have_to_find_one_alert() {
    let bundle = demo_bundle().unwrap();
    let ask = |labels: &[(&str, &str)]| Ask::Alert(labels.iter().copied().collect()).over(&bundle);
    let Ok(Asked::Incident(sent)) = Ask::Incident(true).over(&bundle) else { panic!("nothing was sent") };
    let one = ask(&sent[0].labels.iter().collect::<Vec<_>>());
    assert_eq!(one, Ok(Asked::Alert(Box::new(sent[0].clone()))));
    let nothing = ask(&[("alertname", "Nothing")]).unwrap_err().to_string();
    assert!(
        nothing.starts_with("ask.alert: no alert of the recording has the labels {alertname=\"Nothing\"}"),
        "{nothing}"
    );
    let several = ask(&[("namespace", "shop")]).unwrap_err();
    assert!(matches!(several, AskError::Several { count: 2.., .. }), "{several}");
}

#[test]
fn the_question_names_what_is_asked_and_what_is_wanted_and_nothing_of_the_case() {
    let bundle = demo_bundle().unwrap();
    let question = Ask::Incident(true).over(&bundle).unwrap().question();
    assert!(question.starts_with("These alerts came, of one incident:\n- "), "{question}");
    assert!(question.contains("namespace=\"payments\"") && question.contains("root cause is"), "{question}");
    let asked = Ask::Question("Why?".to_owned()).over(&bundle).unwrap().question();
    assert!(asked.starts_with("Why?\nSay what the root cause is"), "{asked}");
}

#[test]
fn a_suite_is_read_by_its_ids_and_every_fault_in_it_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let put = |id: &str, files: &[(&str, &str)]| {
        let case = folder.path().join(id);
        std::fs::create_dir_all(&case).unwrap();
        for (name, text) in files {
            std::fs::write(case.join(name), text).unwrap();
        }
    };
    let open = |only| Suite::open(folder.path(), only).map_err(|error| error.to_string());
    assert!(open(None).unwrap_err().ends_with("holds no case: a case is a folder with case.yaml and incident.bundle"));
    put("coral-reed", &[(CASE_FILE, WHOLE), (BUNDLE_FILE, "a")]);
    put("amber-quay", &[(CASE_FILE, WHOLE), (BUNDLE_FILE, "b")]);
    put("notes", &[("README.md", "no case")]);
    let ids = |suite: &Suite| suite.cases.iter().map(|case| case.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&open(None).unwrap()), ["amber-quay", "coral-reed"]);
    assert_eq!(ids(&open(Some("coral-*")).unwrap()), ["coral-reed"]);
    let none = open(Some("pearl-*")).unwrap_err();
    assert!(none.ends_with("is named pearl-*; there are amber-quay, coral-reed"), "{none}");
    let one = Suite::open(&folder.path().join("amber-quay"), None).unwrap();
    assert_eq!(ids(&one), ["amber-quay"]);
    put("ivory-tarn", &[(CASE_FILE, WHOLE)]);
    assert!(open(None).unwrap_err().contains("ivory-tarn has a case and no bundle"));
    put("ivory-tarn", &[(BUNDLE_FILE, "c")]);
    put("Bad Name", &[(CASE_FILE, WHOLE), (BUNDLE_FILE, "d")]);
    assert!(open(None).unwrap_err().contains("is no name for a case"));
}
