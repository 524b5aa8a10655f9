//! Whatever an object or a log holds, its view does no harm and lets no secret through.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{Limits, alike, bounded, counted, names, object};
use crate::Redactor;
use crate::redact::RedactConfig;

const SECRET: &str = "hunter2hunter2hunter2hunter2hunter2";

/// Names that views look for, so that they meet them with any type of value.
const FIELDS: [&str; 16] = [
    "kind",
    "metadata",
    "spec",
    "status",
    "data",
    "items",
    "annotations",
    "containers",
    "conditions",
    "containerStatuses",
    "lastState",
    "tolerations",
    "volumes",
    "name",
    "ownerReferences",
    "resources",
];

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        "\\PC{0,12}".prop_map(Value::from),
        "[\\x00-\\x7f\u{80}-\u{9f}]{0,8}".prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(Value::Null),
        Just(json!("Pod")),
    ];
    leaf.prop_recursive(5, 64, 6, |inner| {
        let field = prop_oneof![prop::sample::select(FIELDS.to_vec()).prop_map(str::to_owned), "\\PC{0,6}"];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(field, inner, 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

fn any_log() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        "\\PC{0,80}",
        "[\\x00-\\x1f\\x7f\u{9b}a-z \\[;0-9]{0,40}",
        Just(format!("connecting with password={SECRET} to db")),
        Just(format!("{{\"msg\":\"login\",\"api_key\":\"{SECRET}\"}}")),
        Just("GET /carts 200 5ms".to_owned()),
    ];
    prop::collection::vec(line, 0..60).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn any_object_has_a_view_and_always_the_same(mut value in any_value(), kind in prop::sample::select(vec!["Pod", "Deployment", "Secret", "PodList", "Node", "Event"])) {
        if let Value::Object(fields) = &mut value {
            fields.insert("kind".to_owned(), kind.into());
        }
        let text = object(&value);
        prop_assert!(text.ends_with('\n'));
        prop_assert_eq!(object(&value), text, "the same object gives the same text");
    }

    #[test]
    fn no_value_of_a_secret_is_in_its_view(around in any_value(), key in "[a-z.]{1,8}", listed in any::<bool>()) {
        let mut secret = json!({"kind": "Secret", "metadata": {"name": "s", "annotations": {
            "kubectl.kubernetes.io/last-applied-configuration": SECRET}}, "data": {}, "stringData": {}});
        secret["data"][&key] = SECRET.into();
        secret["stringData"][&key] = SECRET.into();
        secret["immutable"] = around;
        let value = if listed { json!({"kind": "SecretList", "items": [secret]}) } else { secret };
        prop_assert!(!object(&value).contains("hunter2"));
    }

    #[test]
    fn a_log_is_shown_within_its_bounds_without_controls_and_secrets(log in any_log(), characters in 40usize..3_000, line in 20usize..200) {
        let redactor = Redactor::new(&RedactConfig::default()).unwrap();
        let limits = Limits { characters, line, ..Limits::default() };
        let shown = bounded(&crate::Redact::redact(&redactor, &log), limits);
        prop_assert!(!shown.contains(SECRET), "{}", shown);
        prop_assert!(shown.chars().count() <= characters + 60, "{}", shown.chars().count());
        prop_assert!(!shown.chars().any(|letter| letter.is_control() && letter != '\n' && letter != '\t'));
    }

    #[test]
    fn groups_names_and_counts_take_anything(words in prop::collection::vec("\\PC{0,9}", 0..20), most in 0usize..9) {
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let _ = names(&words, most);
        let _ = counted(words.iter().copied(), most);
        prop_assert_eq!(alike(&words, |word| word.len()).concat().len(), words.len());
    }
}
